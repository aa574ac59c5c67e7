/* SPDX-License-Identifier: MIT */
/* runqueue.h: whose turn it is among the connections of a lane: pure.  A request is expected to take
 * as long as the one before it on its connection.  Quick ones run as they come.  Slow ones wait until
 * the quick ones of this turn of the loop have run, and so does whoever has sent the next request
 * before the answer to the last. */
#ifndef UWSGI_RUNQUEUE_H
#define UWSGI_RUNQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

/* What a connection waits for. */
enum run_kind {
	RUN_PIPELINED, /* the others: it has sent the next request already */
	RUN_SLOW,      /* the quick ones of this turn */
	RUN_KINDS,
	RUN_NOT_WAITING = RUN_KINDS,
};

/* So many quick requests others wait for at most; looking at them costs a fraction of these. */
enum { RUN_PIPELINED_A_TURN = 8 };

/* A connection, as the queue sees it. */
struct runner {
	TAILQ_ENTRY(runner) link;
	enum run_kind waits_as;
	double took_s; /* its last request */
	bool is_new;   /* it had none yet */
};

TAILQ_HEAD(runners, runner);

struct runqueue {
	struct runners waiting[RUN_KINDS];
	unsigned turn;       /* of the loop */
	double ran_s;        /* requests since it began, or since its quick ones were done */
	double quick_s;      /* what slow ones may take in this turn */
	double first_took_s; /* the first request of the last new connection */
	int pipelined_left;  /* that may still run in this turn; -1: it is the slow ones' time */
};

void runqueue_init(struct runqueue *);
void runner_init(struct runner *);

/* How long its request is expected to take, in seconds.  Of clients that connect for each request, the
 * last one tells of the next. */
static inline double runqueue_expected_s(const struct runqueue *q, const struct runner *r)
{
	return r->is_new ? q->first_took_s : r->took_s;
}

/* That is so long that no other client should wait for it. */
bool runqueue_expects_slow(const struct runqueue *, const struct runner *);
static inline void runqueue_begin(struct runqueue *q)
{
	q->ran_s = 0;
	q->pipelined_left = RUN_PIPELINED_A_TURN;
}

/* The loop is in the turn of this number: what ran in others no longer counts. */
static inline void runqueue_in_turn(struct runqueue *q, unsigned turn)
{
	if (q->turn == turn)
		return;
	q->turn = turn;
	runqueue_begin(q);
}

/* A request of it took so long. */
void runqueue_note(struct runqueue *, struct runner *, double took_s);

/* It must not wait already. */
void runqueue_wait(struct runqueue *, struct runner *, enum run_kind);
void runqueue_leave(struct runqueue *, struct runner *);
static inline bool runqueue_is_empty(const struct runqueue *q)
{
	return TAILQ_EMPTY(&q->waiting[RUN_PIPELINED]) && TAILQ_EMPTY(&q->waiting[RUN_SLOW]);
}

/* At the end of a turn of the loop: who is served, and waits no more; NULL: it is over, and another
 * may begin. */
struct runner *runqueue_next(struct runqueue *);

#endif
