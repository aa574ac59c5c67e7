/* SPDX-License-Identifier: MIT */
/* observe.c: reads the scoreboard and /proc about one worker.  What is too much is limit.c's, what
 * follows is generation.c's. */
#include "process/observe.h"

#include "work/lane.h"

#include <stdio.h>
#include <string.h>

/* So much later than the watchdog of the worker itself, which is stopped or hangs then. */
enum { WATCHDOG_MS = 2000 };

static void find_overdue(const struct scoreboard *sb, size_t index, int64_t now_ms,
			 struct observed *o)
{
	for (size_t i = 0; i < sb->lanes; i++) {
		struct lane_score *score = scoreboard_lane(sb, index, i);
		int64_t deadline_ms =
			atomic_load_explicit(&score->deadline_ms, memory_order_acquire);

		if (deadline_ms == 0 || now_ms - deadline_ms < WATCHDOG_MS ||
		    now_ms - deadline_ms <= o->overdue_ms)
			continue;
		o->overdue_ms = now_ms - deadline_ms;
		o->ran_ms = now_ms - atomic_load_explicit(&score->began_ms, memory_order_relaxed);
		/* The worker may be writing them. */
		o->method = (struct slice){ score->method, strnlen(score->method, SCORE_METHOD) };
		o->uri = (struct slice){ score->uri, strnlen(score->uri, SCORE_URI) };
	}
}

bool observe_is_needed(const struct generation *g)
{
	return harakiri_is_wanted(g->config) || limits_need_memory(g->limits) ||
	       limits_need_age(g->limits);
}

static void look(const struct generation *g, const struct slot *slot, struct observed *o)
{
	size_t index = (size_t)(slot - g->roster.slots);
	int64_t now_ms = g->host->calls->now_ms();

	*o = (struct observed){ .worker = slot->place,
				.age_ms = now_ms - slot->since_ms,
				.exhausted = slot->exhausted,
				.requests = atomic_load(&g->scoreboard.slot[index].requests) };
	find_overdue(&g->scoreboard, index, now_ms, o);
	if (limits_need_memory(g->limits) && slot->state == SLOT_SERVING)
		o->memory = memory_of(slot->pid);
	if (limits_need_shares(g->limits) && slot->state == SLOT_SERVING)
		memory_add_shares(&o->memory, slot->pid);
}

enum limits_verdict observe_judge(const struct generation *g, const struct slot *slot,
				  struct error *why)
{
	const struct harakiri_settings *harakiri = uwsgi_options(g->config, &harakiri_options);
	struct observed o;
	char who[128];

	look(g, slot, &o);
	enum limits_verdict verdict = limits_judge(g->limits, &o, why);
	if (verdict == LIMITS_KILL && o.overdue_ms > 0)
		atomic_fetch_add(&g->scoreboard.totals->worker[slot->place - 1].harakiri, 1);
	if (verdict == LIMITS_KILL && harakiri->verbose) {
		snprintf(who, sizeof who, "%s (pid %ld)", slot->name, (long)slot->pid);
		harakiri_log_kernel(who, slot->pid, slot->pid);
	}
	return verdict;
}

/* A line for each lane that runs a request. */
static void print_running(const struct generation *g, const struct slot *slot)
{
	size_t index = (size_t)(slot - g->roster.slots);
	char method[SCORE_METHOD * 4], uri[SCORE_URI * 4];

	for (size_t i = 0; i < g->scoreboard.lanes; i++) {
		const struct lane_score *lane = scoreboard_lane(&g->scoreboard, index, i);
		int64_t ran_ms = g->host->calls->now_ms() - atomic_load(&lane->began_ms);

		if (!atomic_load(&lane->busy))
			continue;
		/* The worker may be writing them. */
		uwsgi_escape(method, sizeof method,
			     (struct slice){ lane->method, strnlen(lane->method, SCORE_METHOD) });
		uwsgi_escape(uri, sizeof uri,
			     (struct slice){ lane->uri, strnlen(lane->uri, SCORE_URI) });
		uwsgi_log(UWSGI_NOTE,
			  "generation %d %s (pid %ld): thread %zu runs %s %s for %.1f s", g->number,
			  slot->name, (long)slot->pid, i + 1, method, uri,
			  ran_ms > 0 ? (double)ran_ms / 1000 : 0.);
	}
}

void observe_print(const struct generation *g)
{
	uwsgi_log(UWSGI_NOTE, "generation %d began %lld s ago", g->number,
		  (long long)(g->host->calls->now_ms() - g->began_ms) / 1000);
	for (size_t i = 0; i < g->roster.slot_count; i++) {
		const struct slot *slot = &g->roster.slots[i];
		unsigned long long requests = atomic_load(&g->scoreboard.slot[i].requests);
		char served[32] = "";

		if (slot->state == SLOT_VACANT)
			continue;
		if (!roster_is_gateway(&g->roster, slot))
			snprintf(served, sizeof served, ", %llu requests", requests);
		uwsgi_log(UWSGI_NOTE, "generation %d %s (pid %ld): %s%s", g->number, slot->name,
			  (long)slot->pid, slot_state_name(slot->state), served);
		if (!roster_is_gateway(&g->roster, slot))
			print_running(g, slot);
	}
}
