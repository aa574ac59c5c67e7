/* SPDX-License-Identifier: MIT */
/* deadline.h: until when a lane's request may run, and who owns it after that.  While the lane runs the
 * application, its watchdog, which is another thread, may take the request as soon as its time is over;
 * while the lane writes to the client it holds the request, and the watchdog may not.  One
 * compare-and-swap decides.  The loser touches neither the connection nor the answer, except a lane that
 * has waited until the watchdog was done with them: then they are its own again, and the client is gone. */
#ifndef UWSGI_DEADLINE_H
#define UWSGI_DEADLINE_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of at_ms: the watchdog has the request; and it is done with it, as the lane knows. */
#define DEADLINE_STRUCK INT64_MIN
#define DEADLINE_LOST (INT64_MIN + 1)
/* The lane holds it and waits for its client: nothing is due before the lane says so. */
#define DEADLINE_QUIET (-1)

/* One lane's.  Times are on the monotonic clock, in milliseconds. */
struct deadline {
	/* Above 0: when the time is over.  0: there is no limit.  Below: the lane holds the request, and
	 * this, negated, is when its time is over, or it is one of the above. */
	_Atomic int64_t at_ms;
	/* The same for the master, 0 while the lane waits; NULL: nobody else wants to know. */
	_Atomic int64_t *shown_ms;
	/* The lane's: when the time of the server's own limit is over, and that of the application's, and
	 * how long each is; 0: there is none. */
	int64_t limit_ms, user_ms, limit_for_ms, user_for_ms;
	int64_t paused_ms; /* since when it waits for its client */
	bool ends_early;   /* with the response, whatever the application does after that */
	sem_t done;        /* the watchdog is, with the request that it took */
	/* There is a deadline that the watchdog may not expect so soon; NULL: there is no watchdog. */
	void (*sooner)(void *data, int64_t at_ms);
	void *data;
};

enum hold {
	HOLD_OURS,  /* nobody could take it, or it is held already: there is nothing to let go */
	HOLD_TAKEN, /* it is the lane's until deadline_let_go() */
	HOLD_LOST,  /* the watchdog took it, and is done */
};

void deadline_init(struct deadline *, _Atomic int64_t *shown_ms);

/* ---- the lane ---- */

/* A request begins, and may run until then. */
void deadline_begin(struct deadline *, int64_t now_ms, int64_t for_ms);
/* Its end.  True: it was lost before. */
bool deadline_end(struct deadline *);
/* Other limits for the request that runs, from now on; 0: none. */
void deadline_set_limit(struct deadline *, int64_t now_ms, int64_t for_ms);
void deadline_set_user(struct deadline *, int64_t now_ms, int64_t for_ms);
/* Around a wait for the client, while the lane holds the request: that time does not count. */
void deadline_pause(struct deadline *, int64_t now_ms);
void deadline_resume(struct deadline *, int64_t now_ms);

enum hold deadline_lose(struct deadline *);
void deadline_let_go(struct deadline *);

/* Whether something limits the request.  d NULL: nothing does. */
static inline bool deadline_is_set(const struct deadline *d)
{
	return d && atomic_load_explicit(&d->at_ms, memory_order_relaxed) != 0;
}

static inline enum hold deadline_hold(struct deadline *d)
{
	int64_t at_ms = atomic_load_explicit(&d->at_ms, memory_order_relaxed);

	if (at_ms > 0 && atomic_compare_exchange_strong(&d->at_ms, &at_ms, -at_ms))
		return HOLD_TAKEN;
	return at_ms > DEADLINE_LOST ? HOLD_OURS : deadline_lose(d);
}

/* ---- the watchdog ---- */

/* What at_ms is: to be looked at as that says. */
int64_t deadline_look(const struct deadline *);
/* at_ms: as deadline_look() said, and over.  True: the request is the watchdog's, until
 * deadline_done(). */
bool deadline_strike(struct deadline *, int64_t at_ms);
void deadline_done(struct deadline *);

#endif
