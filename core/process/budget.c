/* SPDX-License-Identifier: MIT */
/* budget.c: what all processes of a generation hold is measured as shares (PSS), so that what workers
 * have in common counts once.  That costs the kernel a look at every page, so it is done only when their
 * resident memory, which is never less, is more than the budget. */
#include "process/budget.h"

#include "base/cgroup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "process/generation.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { LOOK_MS = 1000, MEASURE_MS = 10000, PAUSE_MS = 60000 };

/* ---- the option ---- */

static bool is_auto(const char *text)
{
	return strcasecmp(text, "auto") == 0;
}

uint64_t budget_bytes(const char *text)
{
	static const char letters[] = "kmgt";
	char *rest;
	uint64_t n = strtoull(text, &rest, 10);
	const char *letter = *rest ? strchr(letters, tolower((unsigned char)*rest)) : NULL;

	if (!isdigit((unsigned char)*text) || (*rest && !letter) || (letter && rest[1]))
		return 0;
	int shift = letter ? (int)(10 * (letter - letters + 1)) : 0;

	return n <= UINT64_MAX >> shift ? n << shift : 0;
}

static int is_right(const char *text, struct error *e)
{
	return is_auto(text) || budget_bytes(text)
		       ? 0
		       : uwsgi_error_set(
				 e, "expected a number of bytes (k, m and g are understood) or "
				    "auto");
}

static const struct option rows[] = {
	{ .name = "memory-budget",
	  .type = OPT_STRING,
	  .offset = offsetof(struct budget_settings, text),
	  .unit = "BYTES|auto",
	  .valid = is_right,
	  .help = "when all processes together hold more memory, replace the worker with the largest "
		  "share, one a minute; auto: 90 % of the control group's limit, without what other "
		  "processes hold of it (docs/scaling.md)",
	  .differs = "there is no such option",
	  .example = "auto" },
};

const struct option_table budget_options = {
	.module = "budget",
	.size = sizeof(struct budget_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

/* ---- pure ---- */

uint64_t budget_auto(uint64_t limit, uint64_t used, uint64_t held)
{
	uint64_t others = used > held ? used - held : 0;

	return limit > others ? (limit - others) / 10 * 9 : 0;
}

int budget_judge(const struct budget_view *v, bool *first, struct error *why)
{
	int largest = -1;

	why->text[0] = '\0';
	*first = false;
	if (v->held <= v->budget)
		return -1;
	for (size_t i = 0; i < v->count; i++)
		if (v->workers[i].may_go &&
		    (largest < 0 || v->workers[i].share > v->workers[largest].share))
			largest = (int)i;
	/* A fresh worker would hold nearly as much. */
	if (largest < 0 || v->workers[largest].share / 10 * 9 < v->fresh) {
		uwsgi_error_set(
			why,
			"all processes hold %lld MB of memory (memory-budget %lld MB), but no "
			"worker has grown much: fewer processes would help",
			memory_mb(v->held), memory_mb(v->budget));
		return -1;
	}
	*first = v->room < v->fresh;
	uwsgi_error_set(
		why,
		"all processes hold %lld MB of memory (memory-budget %lld MB), this one %lld MB",
		memory_mb(v->held), memory_mb(v->budget), memory_mb(v->workers[largest].share));
	return largest;
}

/* ---- what there is to see ---- */

/* Where the kernel does not tell the share, all that is resident. */
static uint64_t share_of(pid_t pid)
{
	struct memory m = memory_of(pid);

	memory_add_shares(&m, pid);
	return m.share ? m.share : m.resident;
}

static bool is_there(const struct slot *slot)
{
	return slot->state != SLOT_VACANT && slot->pid > 0;
}

static uint64_t sum_up(const struct generation *g, uint64_t (*measure)(pid_t))
{
	uint64_t sum = measure(getpid()) + (g->zygote > 0 ? measure(g->zygote) : 0);

	for (size_t i = 0; i < g->roster.slot_count; i++)
		if (is_there(&g->roster.slots[i]))
			sum += measure(g->roster.slots[i].pid);
	return sum;
}

static uint64_t resident_of(pid_t pid)
{
	return memory_of(pid).resident;
}

/* Of each slot, whether it may go or not. */
static void look_at_workers(struct generation *g, struct budget_worker *workers)
{
	struct budget *b = &g->budget;

	for (size_t i = 0; i < g->roster.slot_count; i++) {
		const struct slot *slot = &g->roster.slots[i];

		workers[i] = (struct budget_worker){ 0 };
		if (slot->state != SLOT_SERVING || roster_is_gateway(&g->roster, slot))
			continue;
		workers[i].share = share_of(slot->pid);
		workers[i].may_go =
			atomic_load(&g->scoreboard.slot[i].requests) > 0 && !slot->replace;
		if (!b->fresh || workers[i].share < b->fresh)
			b->fresh = workers[i].share;
	}
}

static bool is_replacing(const struct generation *g)
{
	for (size_t i = 0; i < g->roster.slot_count; i++)
		if (is_there(&g->roster.slots[i]) &&
		    (g->roster.slots[i].replace || g->roster.slots[i].state != SLOT_SERVING))
			return true;
	return false;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- what follows ---- */

static void replace(struct slot *slot, bool first, const char *why)
{
	uwsgi_log(UWSGI_WARNING, "%s (pid %ld) is replaced: %s%s", slot->name, (long)slot->pid, why,
		  first ? "; it ends first, as there is no room for two" : "");
	slot->replace = true;
	slot->goes_first = first;
}

/* Says this once. */
static void warn(struct generation *g, const char *what)
{
	if (!g->budget.told)
		uwsgi_log(UWSGI_WARNING, "%s", what);
	g->budget.told = true;
}

/* Whether there is time until the next look: a worker is replaced, or nothing can be judged.  A worker that
 * grows in its first request may be replaced soon. */
static bool judge(struct generation *g, const struct budget_settings *s)
{
	const struct cgroup *c = g->host->cgroup;
	struct budget_worker *workers = calloc(g->roster.slot_count, sizeof *workers);
	uint64_t limit = c ? cgroup_limit(c) : 0, used = c ? cgroup_used(c) : 0;
	struct error why;
	bool first;

	if (is_auto(s->text) && !limit)
		warn(g, "memory-budget = auto: no control group limits the memory here, so nothing "
			"does");
	if (!workers || (is_auto(s->text) && !limit)) {
		free(workers);
		return true;
	}
	look_at_workers(g, workers);
	struct budget_view v = { .held = sum_up(g, share_of),
				 .room = memory_available(),
				 .fresh = g->budget.fresh,
				 .workers = workers,
				 .count = g->roster.slot_count };
	if (limit)
		v.room = smaller(v.room, limit > used ? limit - used : 0);
	v.budget = is_auto(s->text) ? budget_auto(limit, used, v.held) : budget_bytes(s->text);
	int index = budget_judge(&v, &first, &why);
	free(workers);
	if (index >= 0)
		replace(&g->roster.slots[index], first, why.text);
	else if (why.text[0])
		warn(g, why.text);
	return index >= 0;
}

/* As long as not even the resident memory, where shared pages count for each process, is more. */
static bool is_surely_within(const struct generation *g, const struct budget_settings *s)
{
	const struct cgroup *c = g->host->cgroup;
	uint64_t limit;

	if (!g->budget.fresh)
		return false;
	if (!is_auto(s->text))
		return sum_up(g, resident_of) <= budget_bytes(s->text);
	limit = c ? cgroup_limit(c) : 0;
	return !limit || cgroup_used(c) <= limit / 10 * 9;
}

void budget_step(struct generation *g, int64_t now_ms, int64_t *due_ms)
{
	const struct budget_settings *s = uwsgi_options(g->config, &budget_options);
	struct budget *b = &g->budget;

	if (!s->text || g->state != GENERATION_SERVING)
		return;
	if (b->look_at_ms <= now_ms) {
		bool is_first = !b->fresh;

		if (is_replacing(g) || is_surely_within(g, s))
			b->look_at_ms = now_ms + LOOK_MS;
		else if (judge(g, s))
			b->look_at_ms = now_ms + PAUSE_MS;
		else
			b->look_at_ms = now_ms + (is_first ? LOOK_MS : MEASURE_MS);
	}
	clock_keep_earlier(due_ms, b->look_at_ms);
}
