/* SPDX-License-Identifier: MIT */
/* account.h: what a request leaves behind: its lane's row of the scoreboard, its line in the log, and its
 * place among the slow ones. */
#ifndef UWSGI_ACCOUNT_H
#define UWSGI_ACCOUNT_H

#include "exchange/exchange.h"
#include "work/scoreboard.h"

/* Others may have waited for a request that ran so long: they ask the kernel. */
enum { ACCOUNT_LONG_US = 1000 };

/* Where it is counted; borrowed. */
struct account_setup {
	struct lane_score *score;
	struct slot_score *slot;
	struct totals *totals;
	const struct ring *slow, *spans;
	const struct metrics *metrics;
	pid_t pid;
	int worker, lane;
	bool side_by_side; /* requests of this lane do not wait for one another */
	bool asks_always;  /* something depends on how long they have waited */
};

/* One lane's. */
struct account {
	struct account_setup to;
	struct requestlog log;
	uint64_t slow_us; /* from here on a request is kept among the slow ones */
	/* What waits is found by this turn of the loop, which began then; and until when requests may
	 * have waited for a long one before them. */
	unsigned turn;
	int64_t woke_us, look_until_us;
};

int account_init(struct account *, const struct config *, const struct account_setup *,
		 struct error *);
void account_fini(struct account *);
/* What comes now was not found by a turn of the loop: it has waited for nothing before it. */
void account_leave_turn(struct account *);
/* It begins to run, in this turn: what it is, and how long it has waited.  False: it has no method. */
bool account_begin(struct account *, struct exchange *, unsigned turn, int64_t began_us);
/* Its response has ended: it is counted in, logged, and then in all counters. */
void account_end(struct account *, struct exchange *, int64_t began_us);
/* The same of one that the watchdog has ended, on its thread; rs: what its client got. */
void account_struck(struct account *, struct exchange *, const struct response *rs,
		    int64_t began_us);
/* It has held up the others of its lane meanwhile. */
static inline void account_held_up(struct account *a, const struct exchange *x)
{
	int64_t us = x->logged.ended_us - x->logged.began_us;

	if (us >= ACCOUNT_LONG_US && a->look_until_us < x->logged.ended_us + us)
		a->look_until_us = x->logged.ended_us + us;
}
/* The client did not take all of the answer, which was logged, or not, as one that it has. */
void account_unsent(struct account *, struct exchange *);
/* It did, after so long. */
void account_sent(struct account *, const struct exchange *, uint64_t us);

#endif
