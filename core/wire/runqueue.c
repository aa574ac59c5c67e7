/* SPDX-License-Identifier: MIT */
/* runqueue.c: two queues and the time that each has. */
#include "wire/runqueue.h"

static const double slow_s = 0.01;

void runqueue_init(struct runqueue *q)
{
	*q = (struct runqueue){ .pipelined_left = RUN_PIPELINED_A_TURN };
	for (int kind = 0; kind < RUN_KINDS; kind++)
		TAILQ_INIT(&q->waiting[kind]);
}

void runner_init(struct runner *r)
{
	*r = (struct runner){ .waits_as = RUN_NOT_WAITING };
}

bool runqueue_expects_slow(const struct runqueue *q, const struct runner *r)
{
	return runqueue_expected_s(q, r) > slow_s;
}

void runqueue_note(struct runqueue *q, struct runner *r, double took_s)
{
	q->ran_s += took_s;
	r->took_s = took_s;
	if (r->is_new)
		q->first_took_s = took_s;
	r->is_new = false;
}

void runqueue_wait(struct runqueue *q, struct runner *r, enum run_kind kind)
{
	r->waits_as = kind;
	TAILQ_INSERT_TAIL(&q->waiting[kind], r, link);
}

void runqueue_leave(struct runqueue *q, struct runner *r)
{
	if (r->waits_as == RUN_NOT_WAITING)
		return;
	TAILQ_REMOVE(&q->waiting[r->waits_as], r, link);
	r->waits_as = RUN_NOT_WAITING;
}

/* Slow requests run for as long as this turn's quick ones took, but at least one, so that neither
 * kind starves the other. */
static struct runner *choose(struct runqueue *q)
{
	struct runner *r = TAILQ_FIRST(&q->waiting[RUN_PIPELINED]);

	if (r && q->pipelined_left > 0) {
		q->pipelined_left--;
		return r;
	}
	if (q->pipelined_left >= 0) {
		q->pipelined_left = -1;
		q->quick_s = q->ran_s;
		q->ran_s = 0;
	}
	return q->ran_s <= q->quick_s ? TAILQ_FIRST(&q->waiting[RUN_SLOW]) : NULL;
}

struct runner *runqueue_next(struct runqueue *q)
{
	struct runner *r = choose(q);

	if (r)
		runqueue_leave(q, r);
	else
		runqueue_begin(q);
	return r;
}
