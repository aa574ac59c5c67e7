/* SPDX-License-Identifier: MIT */
/* metrics.c: defines metrics, finds them by name, and changes their numbers without a lock. */
#include "base/metrics.h"

#include "base/hash.h"

#include <stdlib.h>

/* ---- definitions ---- */

void metrics_init(struct metrics *all)
{
	*all = (struct metrics){ 0 };
	arena_init(&all->arena);
}

void metrics_fini(struct metrics *all)
{
	arena_fini(&all->arena);
	free(all->items);
	free(all->index);
	*all = (struct metrics){ 0 };
}

static const char *copy(struct metrics *all, const char *text)
{
	return arena_string(&all->arena, text ? text : "", text ? strlen(text) : 0);
}

static bool make_room(struct metrics *all)
{
	size_t room = all->room ? 2 * all->room : 64;
	struct metric *items;

	if (all->count < all->room)
		return true;
	items = realloc(all->items, room * sizeof *items);
	if (!items)
		return false;
	all->items = items;
	all->room = room;
	return true;
}

void uwsgi_metrics_define(struct metrics *all, const struct metric *m)
{
	if (!make_room(all)) {
		all->failed = true;
		return;
	}
	struct metric *new = &all->items[all->count++];

	*new = *m;
	new->cell = NULL;
	new->name = copy(all, m->name);
	new->oid = copy(all, m->oid);
	new->of = copy(all, m->of);
	all->failed = all->failed || !new->name || !new->oid || !new->of;
}

static uint64_t hash_of(struct slice name)
{
	return hash_bytes(HASH_NOTHING, name.p, name.n);
}

static struct slice name_of(const struct metric *m)
{
	return (struct slice){ m->name, strlen(m->name) };
}

uint64_t metrics_definition(const struct metric *m)
{
	uint64_t hash = hash_of(name_of(m));

	hash = hash_bytes(hash, &m->initial, sizeof m->initial);
	hash = hash_bytes(hash, m->of, strlen(m->of));
	return hash_bytes(hash, (const char[]){ (char)m->type, (char)m->collected }, 2) | 1;
}

uint64_t metrics_definitions(const struct metrics *all)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < all->count; i++) {
		const uint64_t one = metrics_definition(&all->items[i]);

		hash = hash_bytes(hash, &one, sizeof one) | 1;
	}
	return hash;
}

/* ---- names ---- */

/* Its place in the index, or the free one where it would stand. */
static size_t place_of(const struct metrics *all, struct slice name)
{
	size_t at = hash_of(name) & (all->index_size - 1);

	while (all->index[at] && !uwsgi_same(name_of(&all->items[all->index[at] - 1]), name))
		at = (at + 1) & (all->index_size - 1);
	return at;
}

int metrics_settle(struct metrics *all, struct error *e)
{
	size_t size = 16;

	while (size < 2 * all->count)
		size *= 2;
	all->index = all->failed ? NULL : calloc(size, sizeof *all->index);
	if (!all->index)
		return uwsgi_error_set(e, "out of memory");
	all->index_size = size;
	for (size_t i = 0; i < all->count; i++)
		all->index[place_of(all, name_of(&all->items[i]))] = (uint32_t)i + 1;
	return 0;
}

const struct metric *uwsgi_metrics_find(const struct metrics *all, struct slice name)
{
	uint32_t at = all && all->index_size ? all->index[place_of(all, name)] : 0;

	return at ? &all->items[at - 1] : NULL;
}

const struct metric *uwsgi_metrics_next(const struct metrics *all, size_t *i)
{
	return all && *i < all->count ? &all->items[(*i)++] : NULL;
}

/* ---- numbers ---- */

static _Atomic int64_t *cell_of(const struct metric *m)
{
	return &((struct metric_cell *)m->cell)->value;
}

long long uwsgi_metric_get(const struct metric *m)
{
	return atomic_load_explicit(cell_of(m), memory_order_relaxed);
}

long long uwsgi_metric_set(const struct metric *m, long long value)
{
	return atomic_exchange_explicit(cell_of(m), value, memory_order_relaxed);
}

/* What becomes of a value; numbers that are too large wrap around, as those of an addition do. */
static int64_t changed(int64_t value, enum metric_change change, int64_t by)
{
	switch (change) {
	case METRIC_SET:
		return by;
	case METRIC_MULTIPLY:
		return (int64_t)((uint64_t)value * (uint64_t)by);
	case METRIC_DIVIDE: /* the least number has no counterpart */
		return by == -1 ? (int64_t) - (uint64_t)value : value / by;
	case METRIC_RAISE:
		return value < by ? by : value;
	case METRIC_LOWER:
		return value > by ? by : value;
	case METRIC_ADD:
		break;
	}
	return (int64_t)((uint64_t)value + (uint64_t)by);
}

bool uwsgi_metric_change(const struct metric *m, enum metric_change change, long long by)
{
	_Atomic int64_t *cell = cell_of(m);

	if (change == METRIC_DIVIDE && by == 0)
		return false;
	if (change == METRIC_ADD) {
		atomic_fetch_add_explicit(cell, by, memory_order_relaxed);
		return true;
	}
	int64_t before = atomic_load_explicit(cell, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(cell, &before, changed(before, change, by),
						      memory_order_relaxed, memory_order_relaxed))
		;
	return true;
}
