/* SPDX-License-Identifier: MIT */
/* lookup.c: finds a name among many at once: a hash table with open addressing.  The directives and the
 * catalogue are found through it.  It owns its slots, not the names. */
#include "settings/lookup.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash(const char *name)
{
	uint64_t h = hash_text(HASH_NOTHING, name);

	return (uint32_t)(h ^ h >> 32);
}

/* The slot that holds the name, or the one that it would be put into. */
static size_t locate(const struct lookup *n, const char *name, uint32_t h)
{
	size_t at = h & (n->capacity - 1);

	while (n->slots[at].name &&
	       (n->slots[at].hash != h || strcmp(n->slots[at].name, name) != 0))
		at = (at + 1) & (n->capacity - 1);
	return at;
}

static bool grow(struct lookup *n)
{
	struct lookup grown = { .count = n->count, .capacity = n->capacity ? n->capacity * 2 : 64 };

	grown.slots = calloc(grown.capacity, sizeof *grown.slots);
	if (!grown.slots)
		return false;
	for (size_t i = 0; i < n->capacity; i++)
		if (n->slots[i].name)
			grown.slots[locate(&grown, n->slots[i].name, n->slots[i].hash)] =
				n->slots[i];
	free(n->slots);
	*n = grown;
	return true;
}

void lookup_fini(struct lookup *n)
{
	free(n->slots);
	*n = (struct lookup){ 0 };
}

size_t lookup_find(const struct lookup *n, const char *name)
{
	if (n->count == 0)
		return LOOKUP_NONE;
	const struct lookup_slot *slot = &n->slots[locate(n, name, hash(name))];

	return slot->name ? slot->number : LOOKUP_NONE;
}

bool lookup_add(struct lookup *n, const char *name, size_t number)
{
	uint32_t h = hash(name);

	if (n->count >= n->capacity / 2 && !grow(n))
		return false;
	struct lookup_slot *slot = &n->slots[locate(n, name, h)];
	if (!slot->name) {
		*slot = (struct lookup_slot){ name, h, number };
		n->count++;
	}
	return true;
}
