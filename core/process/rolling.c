/* SPDX-License-Identifier: MIT */
/* rolling.c: which worker is replaced next, and the end when one of them cannot be. */
#include "process/rolling.h"

#include "process/generation.h"

#include <stdio.h>

void rolling_begin(struct generation *g)
{
	struct rolling *r = &g->rolling;

	if (r->place)
		r->again = true;
	else
		*r = (struct rolling){ .place = 1 };
}

static void end(struct rolling *r)
{
	r->place = 0;
	r->ended = true;
}

static void go_on(struct generation *g)
{
	struct rolling *r = &g->rolling;

	r->old = 0;
	if (++r->place <= g->roster.workers)
		return;
	if (r->again)
		*r = (struct rolling){ .place = 1 };
	else
		end(r);
}

/* The worker that serves in this place is to be replaced.  False: none can be chosen yet. */
static bool choose(struct generation *g)
{
	struct rolling *r = &g->rolling;
	struct slot *slot = roster_server(&g->roster, r->place);

	/* It is being replaced for another reason, by one that may have imported the old code. */
	if (!slot || slot->replace)
		return false;
	uwsgi_log(UWSGI_NOTE, "%s (pid %ld) is replaced: chain reload", slot->name,
		  (long)slot->pid);
	slot->replace = true;
	r->old = slot->pid;
	return true;
}

static bool is_replaced(struct generation *g)
{
	const struct slot *slot = roster_server(&g->roster, g->rolling.place);

	return slot && slot->pid != g->rolling.old;
}

void rolling_step(struct generation *g)
{
	struct rolling *r = &g->rolling;

	while (r->place) {
		if (!roster_is_wanted(&g->roster, r->place)) {
			go_on(g);
		} else if (!r->old) {
			if (!choose(g))
				return;
		} else if (is_replaced(g)) {
			r->done++;
			go_on(g);
		} else {
			return;
		}
	}
}

bool rolling_is_at(const struct generation *g, const struct slot *slot)
{
	return g->rolling.place && g->rolling.old && slot->place == g->rolling.place &&
	       slot->pid != g->rolling.old;
}

void rolling_hear(struct generation *g, const struct slot *slot, const char *why)
{
	if (rolling_is_at(g, slot))
		snprintf(g->rolling.why, sizeof g->rolling.why, "%s", why);
}

bool rolling_lost(struct generation *g, const struct slot *slot, const char *why)
{
	struct rolling *r = &g->rolling;

	if (!rolling_is_at(g, slot))
		return false;
	for (size_t i = 0; i < g->roster.slot_count; i++)
		if (g->roster.slots[i].pid == r->old && g->roster.slots[i].state == SLOT_SERVING)
			g->roster.slots[i].replace = false;
	if (!r->why[0])
		snprintf(r->why, sizeof r->why, "%s", why);
	end(r);
	return true;
}
