/* SPDX-License-Identifier: MIT */
/* directives.c: the list of what a user set, and the index by which names are found in it.
 * reader.c fills it; expand.c, logic.c and config.c look into it.  It does not know what a
 * directive means. */
#include "settings/directives.h"

#include <stdlib.h>
#include <string.h>

/* Loops in loops, and values that name one another, end here. */
enum { DIRECTIVES_MAX = 200000, MEBIBYTES_MAX = 64 };

void directives_fini(struct directives *set)
{
	free(set->items);
	lookup_fini(&set->names);
	*set = (struct directives){ 0 };
}

struct directive *directives_find(const struct directives *set, const char *name)
{
	size_t first = lookup_find(&set->names, name);

	return first == LOOKUP_NONE ? NULL : &set->items[first];
}

struct directive *directives_next(const struct directives *set, const struct directive *d)
{
	return d->next ? &set->items[d->next] : NULL;
}

/* Links the new last item to the others of its name.  One that is said to be a placeholder makes
 * all of them used. */
static bool link_last(struct directives *set)
{
	size_t at = set->count;
	struct directive *d = &set->items[at], *first = directives_find(set, d->name);

	d->used = d->placeholder;
	d->next = 0;
	d->last = at;
	if (!first)
		return lookup_add(&set->names, d->name, at);
	set->items[first->last].next = at;
	first->last = at;
	first->used = first->used || d->placeholder;
	return true;
}

static bool make_room(struct directives *set)
{
	size_t wanted = set->capacity ? set->capacity * 2 : 64;

	if (set->count < set->capacity)
		return true;
	struct directive *grown = reallocarray(set->items, wanted, sizeof *grown);
	if (!grown)
		return false;
	set->items = grown;
	set->capacity = wanted;
	return true;
}

static const char *copy(struct arena *arena, const char *text)
{
	return text ? arena_string(arena, text, strlen(text)) : NULL;
}

bool directives_fit(struct reading *r, size_t bytes, struct origin at)
{
	struct directives *set = r->set;

	set->bytes += bytes;
	if (set->bytes >> 20 < MEBIBYTES_MAX)
		return true;
	if (!set->full)
		report_add(r->report, UWSGI_ERROR, at, "the settings are longer than %d MiB",
			   MEBIBYTES_MAX);
	set->full = true;
	return false;
}

struct directive *directives_add(struct reading *r, const struct directive *given)
{
	struct directives *set = r->set;
	struct directive d = *given;

	if (set->count == DIRECTIVES_MAX) {
		if (!set->full)
			report_add(r->report, UWSGI_ERROR, d.at, "more than %d settings",
				   DIRECTIVES_MAX);
		set->full = true;
		return NULL;
	}
	if (!directives_fit(r, strlen(d.name) + (d.written ? strlen(d.written) : 0), d.at))
		return NULL;
	d.name = copy(r->arena, given->name);
	d.written = d.value = copy(r->arena, given->written);
	d.at.file = copy(r->arena, given->at.file);
	if (r->arena->failed || !make_room(set)) {
		r->arena->failed = true;
		return NULL;
	}
	set->items[set->count] = d;
	if (!link_last(set)) {
		r->arena->failed = true;
		return NULL;
	}
	return &set->items[set->count++];
}

/* ---- to another program ---- */

static void carry_word(const char **word, struct arena *arena, struct carry *c)
{
	char *p = (char *)(uintptr_t)*word;
	size_t n = p && !c->reading ? strlen(p) : 0;

	carry_bytes(c, &p, &n, (size_t)MEBIBYTES_MAX << 20);
	if (!c->reading)
		return;
	*word = p ? arena_string(arena, p, strlen(p)) : NULL;
	free(p);
}

static void carry_one(struct directive *d, struct arena *arena, struct carry *c)
{
	carry_word(&d->name, arena, c);
	carry_word(&d->value, arena, c);
	carry_word(&d->at.file, arena, c);
	carry_int(c, &d->at.line, 0, INT32_MAX);
	carry_bool(c, &d->from_environment);
	carry_bool(c, &d->placeholder);
	carry_bool(c, &d->used);
	if (!d->name)
		carry_fail(c, "a setting has no name");
}

void directives_carry(struct directives *set, struct arena *arena, struct carry *c)
{
	size_t count = carry_count(c, set->count, DIRECTIVES_MAX);

	carry_word(&set->file, arena, c);
	for (size_t i = 0; i < count && !c->failed; i++) {
		if (c->reading && !make_room(set)) {
			carry_fail(c, "out of memory");
			return;
		}
		if (c->reading)
			set->items[set->count++] = (struct directive){ 0 };
		carry_one(&set->items[i], arena, c);
	}
	if (arena->failed)
		carry_fail(c, "out of memory");
}
