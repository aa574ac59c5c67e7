/* SPDX-License-Identifier: MIT */
/* generation.c: decides which process is forked, replaced or overdue, and when a generation is
 * ready.  Pure but for its two arrays: it plays any reload story without a process. */
#include "generation.h"

#include <stdio.h>
#include <stdlib.h>

/* A worker that lives less than this died young; each young death doubles the delay. */
#define YOUNG_MS 5000
#define FIRST_DELAY_MS 100
#define LONGEST_DELAY_MS 30000

struct step {
	enum generation_state next;
	enum generation_action action;
};

static const struct step steps[GENERATION_STATES][GENERATION_EVENTS] = {
	[GENERATION_IMPORTING] = {
		[GENERATION_READY]    = { GENERATION_SERVING, GENERATION_TAKE_OVER },
		[GENERATION_FAILED]   = { GENERATION_DRAINING, GENERATION_DROP },
		[GENERATION_REPLACED] = { GENERATION_DRAINING, GENERATION_DROP },
	},
	[GENERATION_SERVING] = {
		[GENERATION_READY]    = { GENERATION_SERVING, GENERATION_NOTHING },
		[GENERATION_FAILED]   = { GENERATION_SERVING, GENERATION_NOTHING },
		[GENERATION_REPLACED] = { GENERATION_DRAINING, GENERATION_DRAIN },
	},
	[GENERATION_DRAINING] = {
		[GENERATION_READY]    = { GENERATION_DRAINING, GENERATION_NOTHING },
		[GENERATION_FAILED]   = { GENERATION_DRAINING, GENERATION_NOTHING },
		[GENERATION_REPLACED] = { GENERATION_DRAINING, GENERATION_NOTHING },
	},
};

enum generation_state generation_next(enum generation_state state, enum generation_event event,
				      enum generation_action *action)
{
	*action = steps[state][event].action;
	return steps[state][event].next;
}

int generation_init(struct generation *gen, int number, int workers, int gateways,
		    const char *gateway, struct error *e)
{
	*gen = (struct generation){ .number = number,
				    .workers = workers,
				    .crew = workers + gateways,
				    .gateway = gateway };
	gen->slot_count = 2 * (size_t)gen->crew;
	gen->slots = calloc(gen->slot_count, sizeof *gen->slots);
	gen->posts = calloc((size_t)gen->crew, sizeof *gen->posts);
	if (!gen->slots || !gen->posts) {
		generation_fini(gen);
		return uwsgi_error_set(e, "out of memory");
	}
	for (size_t i = 0; i < gen->slot_count; i++)
		gen->slots[i].channel = -1;
	return 0;
}

void generation_fini(struct generation *gen)
{
	free(gen->slots);
	free(gen->posts);
	gen->slots = NULL;
	gen->posts = NULL;
}

enum slot_action generation_step(struct slot *slot, enum slot_event event, int64_t now_ms)
{
	enum slot_action action;
	enum slot_state next = slot_next(slot->state, event, &action);

	if (next != slot->state)
		slot->since_ms = now_ms;
	slot->state = next;
	return action;
}

static bool is_staffed(const struct generation *gen, int post)
{
	for (size_t i = 0; i < gen->slot_count; i++) {
		const struct slot *s = &gen->slots[i];

		if (s->post == post && !s->replace &&
		    (s->state == SLOT_STARTING || s->state == SLOT_SERVING))
			return true;
	}
	return false;
}

static struct slot *find_vacant(struct generation *gen)
{
	for (size_t i = 0; i < gen->slot_count; i++)
		if (gen->slots[i].state == SLOT_VACANT)
			return &gen->slots[i];
	return NULL;
}

static void fill(const struct generation *gen, struct slot *slot, int post)
{
	bool is_worker = post <= gen->workers;

	*slot = (struct slot){ .post = post, .channel = -1 };
	snprintf(slot->name, sizeof slot->name, "%s %d", is_worker ? "worker" : gen->gateway,
		 is_worker ? post : post - gen->workers);
}

struct slot *generation_next_fork(struct generation *gen, int64_t now_ms)
{
	if (!gen->imported || gen->state == GENERATION_DRAINING)
		return NULL;
	for (int post = 1; post <= gen->crew; post++) {
		if (gen->posts[post - 1].not_before_ms > now_ms || is_staffed(gen, post))
			continue;
		struct slot *slot = find_vacant(gen);

		if (slot)
			fill(gen, slot, post);
		return slot;
	}
	return NULL;
}

bool generation_is_gateway(const struct generation *gen, const struct slot *slot)
{
	return slot->post > gen->workers;
}

static bool has_successor(const struct generation *gen, const struct slot *slot)
{
	for (size_t i = 0; i < gen->slot_count; i++) {
		const struct slot *s = &gen->slots[i];

		if (s != slot && s->post == slot->post && s->state == SLOT_SERVING &&
		    !s->replace)
			return true;
	}
	return false;
}

struct slot *generation_next_replaced(struct generation *gen)
{
	for (size_t i = 0; i < gen->slot_count; i++) {
		struct slot *s = &gen->slots[i];

		if (s->state == SLOT_SERVING && s->replace && has_successor(gen, s))
			return s;
	}
	return NULL;
}

struct slot *generation_next_overdue(struct generation *gen, int64_t now_ms)
{
	for (size_t i = 0; i < gen->slot_count; i++) {
		struct slot *s = &gen->slots[i];

		if (s->state == SLOT_LEAVING && s->kill_at_ms <= now_ms)
			return s;
	}
	return NULL;
}

bool generation_is_ready(const struct generation *gen)
{
	int serving = 0;

	for (size_t i = 0; i < gen->slot_count; i++)
		if (gen->slots[i].state == SLOT_SERVING && !gen->slots[i].replace)
			serving++;
	return gen->imported && serving == gen->crew;
}

bool generation_has_no_gateway(const struct generation *gen)
{
	for (size_t i = 0; i < gen->slot_count; i++)
		if (gen->slots[i].state != SLOT_VACANT &&
		    generation_is_gateway(gen, &gen->slots[i]))
			return false;
	return true;
}

bool generation_is_vacant(const struct generation *gen)
{
	for (size_t i = 0; i < gen->slot_count; i++)
		if (gen->slots[i].state != SLOT_VACANT)
			return false;
	return true;
}

static void keep_earlier(int64_t *due_ms, int64_t at_ms)
{
	if (at_ms > 0 && (*due_ms == 0 || at_ms < *due_ms))
		*due_ms = at_ms;
}

int64_t generation_due_ms(const struct generation *gen)
{
	int64_t due_ms = 0;

	for (size_t i = 0; i < gen->slot_count; i++)
		if (gen->slots[i].state == SLOT_LEAVING)
			keep_earlier(&due_ms, gen->slots[i].kill_at_ms);
	for (int post = 1; post <= gen->crew; post++)
		if (gen->state != GENERATION_DRAINING && !is_staffed(gen, post))
			keep_earlier(&due_ms, gen->posts[post - 1].not_before_ms);
	return due_ms;
}

int64_t generation_note_death(struct generation *gen, const struct slot *slot, int64_t now_ms)
{
	struct post *post = &gen->posts[slot->post - 1];
	int64_t delay_ms = 0;

	if (now_ms - slot->since_ms >= YOUNG_MS) {
		post->young_deaths = 0;
	} else {
		/* The first one may be an accident: no delay. */
		if (post->young_deaths > 0)
			delay_ms = (int64_t)FIRST_DELAY_MS << (post->young_deaths - 1);
		if (delay_ms > LONGEST_DELAY_MS)
			delay_ms = LONGEST_DELAY_MS;
		if (post->young_deaths < 16)
			post->young_deaths++;
	}
	post->not_before_ms = delay_ms ? now_ms + delay_ms : 0;
	return delay_ms;
}
