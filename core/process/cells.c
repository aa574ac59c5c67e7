/* SPDX-License-Identifier: MIT */
/* cells.c: who has which cell of the metrics' memory. */
#include "process/cells.h"

#include <stdlib.h>

/* The memory is as large as this at once, and takes up what is used of it. */
enum { CELLS_MAX = 1 << 16 };

static struct metric_cell *cell_at(const struct cells *c, size_t i)
{
	return (struct metric_cell *)c->memory->p + i;
}

static bool open_memory(struct cells *c, struct error *e)
{
	if (!c->memory)
		c->memory = outliving_take(c->outliving, "metrics", 1,
					   CELLS_MAX * sizeof(struct metric_cell), e);
	return c->memory != NULL;
}

/* Room for so many more. */
static bool make_room(struct cells *c, size_t more, struct error *e)
{
	struct cell_use *use;

	if (c->count + more > CELLS_MAX) {
		uwsgi_error_set(e,
				"there are too many metrics: no more than %d are possible, old "
				"and new ones together during a reload",
				CELLS_MAX);
		return false;
	}
	use = realloc(c->use, (c->count + more + 1) * sizeof *use);
	if (!use) {
		uwsgi_error_set(e, "out of memory");
		return false;
	}
	c->use = use;
	return true;
}

/* Among the first `before`, beginning where it is likely; before itself: it is not there. */
static size_t find(const struct cells *c, size_t before, size_t likely, uint64_t definition)
{
	for (size_t i = likely; i < before; i++)
		if (c->use[i].definition == definition)
			return i;
	for (size_t i = 0; i < likely && i < before; i++)
		if (c->use[i].definition == definition)
			return i;
	return before;
}

static size_t find_free(struct cells *c, size_t *from)
{
	while (*from < c->count && c->use[*from].definition)
		++*from;
	if (*from == c->count)
		c->use[c->count++] = (struct cell_use){ 0 };
	return *from;
}

/* The one whose number it shows: itself, if it is no alias of one that there is. */
static struct metric *source_of(struct metrics *all, struct metric *m)
{
	for (int steps = 0; *m->of && steps < 16; steps++) {
		const struct metric *of =
			uwsgi_metrics_find(all, (struct slice){ m->of, strlen(m->of) });

		if (!of)
			break;
		m = &all->items[of - all->items];
	}
	return m;
}

static void take_one(struct cells *c, struct metric *m, size_t before, size_t *likely,
		     size_t *free_from)
{
	uint64_t definition = metrics_definition(m);
	size_t at = find(c, before, *likely, definition);

	if (at == before) {
		at = find_free(c, free_from);
		atomic_store(&cell_at(c, at)->value, m->initial);
		c->use[at].definition = definition;
	}
	*likely = at + 1;
	c->use[at].users++;
	m->cell = cell_at(c, at);
}

int cells_take(struct cells *c, struct metrics *all, struct error *e)
{
	size_t before = c->count, likely = 0, free_from = 0;

	if (!open_memory(c, e) || !make_room(c, all->count, e))
		return -1;
	for (size_t i = 0; i < all->count; i++)
		if (source_of(all, &all->items[i]) == &all->items[i])
			take_one(c, &all->items[i], before, &likely, &free_from);
	for (size_t i = 0; i < all->count; i++)
		all->items[i].cell = source_of(all, &all->items[i])->cell;
	return 0;
}

void cells_give_back(struct cells *c, struct metrics *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct metric_cell *cell = all->items[i].cell;

		if (!cell || source_of(all, &all->items[i]) != &all->items[i])
			continue;
		struct cell_use *use = &c->use[cell - cell_at(c, 0)];
		if (--use->users == 0)
			use->definition = 0;
	}
}

static void carry_use(struct cell_use *use, struct carry *c)
{
	/* The generations that are carried take them again. */
	carry_u64(c, &use->definition);
	use->users = c->reading ? 0 : use->users;
}

void cells_carry(struct cells *cells, struct carry *c)
{
	struct error e;
	size_t count = carry_count(c, cells->count, CELLS_MAX);

	if (c->reading && count > 0 && !make_room(cells, count, &e)) {
		carry_fail(c, "%s", e.text);
		return;
	}
	for (size_t i = 0; i < count; i++)
		carry_use(&cells->use[i], c);
	cells->count = count;
}

void cells_fini(struct cells *c)
{
	free(c->use);
	if (c->memory)
		outliving_give_back(c->outliving, c->memory);
	*c = (struct cells){ 0 };
}
