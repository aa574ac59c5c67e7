/* SPDX-License-Identifier: MIT */
/* watchdog.c: sleeps until the earliest time at which a request can be overdue: nobody wakes it for
 * each request.  What it does to one is strike.c's.  Once a lane hangs it hears the master, too, since
 * lane 0 may be the one, and when all others are done it ends the process: a lane that hangs never
 * comes to its end. */
#include "work/watchdog.h"

#include "base/clock.h"
#include "wire/backlog.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	HELD_MS = 20,     /* a lane that is saying something is looked at again so soon */
	STUCK_MS = 50,    /* how often to look whether the other lanes are done */
	SPARED_MS = 1000, /* the same for the queue of harakiri-queue-threshold */
};

void watchdog_init(struct watchdog *w, const struct watchdog_setup *setup)
{
	*w = (struct watchdog){ .setup = *setup,
				.settings =
					uwsgi_options(setup->lane_setup->config, &harakiri_options),
				.poke = -1,
				.wakes_at_ms = INT64_MAX };
	striker_init(&w->striker, setup->lane_setup, setup->channel, setup->slot);
}

/* ---- a lane whose time is over ---- */

/* The master sees to it otherwise, a little later. */
static void put_off(const struct lane *lane, struct watched *n, int64_t shown_ms, int64_t until_ms)
{
	n->not_before_ms = until_ms;
	atomic_compare_exchange_strong(&lane->score->deadline_ms, &shown_ms, until_ms);
}

/* The request is not ours: the scoreboard says what it is. */
static void tell(const struct watchdog *w, const struct lane *lane, const char *then)
{
	const struct lane_score *score = lane->score;
	int64_t ran_ms = clock_monotonic_ms() - atomic_load(&score->began_ms);
	char who[STRIKE_WHO], what[STRIKE_WHAT];

	striker_name(&w->striker, lane, who);
	strike_tell((struct slice){ score->method, strnlen(score->method, SCORE_METHOD) },
		    (struct slice){ score->uri, strnlen(score->uri, SCORE_URI) }, what);
	uwsgi_log(UWSGI_WARNING, "%s: %s has run %.1f s; %s", who, what, (double)ran_ms / 1000,
		  then);
}

/* harakiri-queue-threshold. */
static bool is_spared(const struct watchdog *w, struct lane *lane, struct watched *n, int64_t at_ms,
		      int64_t now_ms)
{
	long long threshold = w->settings->queue_threshold;
	char then[128];

	if (threshold == 0)
		return false;
	long long waiting = uwsgi_lane_backlog(&lane->to_handlers);
	if (waiting > threshold)
		return false;
	put_off(lane, n, at_ms, now_ms + SPARED_MS);
	if (n->spared)
		return true;
	n->spared = true;
	snprintf(then, sizeof then,
		 "it goes on, as %lld connections wait (harakiri-queue-threshold %lld)", waiting,
		 threshold);
	tell(w, lane, then);
	return true;
}

/* harakiri-graceful-timeout. */
static bool is_asked(const struct watchdog *w, const struct lane *lane, struct watched *n,
		     int64_t at_ms, int64_t now_ms)
{
	const struct harakiri_settings *s = w->settings;
	char then[128], seconds[HARAKIRI_TEXT];
	int number = harakiri_signal(s);
	const char *name = sigabbrev_np(number);

	if (s->graceful_ms == 0 || n->asked)
		return false;
	n->asked = true;
	put_off(lane, n, at_ms, now_ms + s->graceful_ms);
	snprintf(then, sizeof then, "its worker is sent SIG%s, and in %s s it is given up",
		 name ? name : "?", harakiri_text(s->graceful_ms, seconds));
	tell(w, lane, then);
	kill(getpid(), number);
	return true;
}

static void judge(struct watchdog *w, size_t i, int64_t at_ms, int64_t now_ms)
{
	struct lane *lane = &w->setup.lanes[i];
	struct watched *n = &w->watched[i];
	int64_t began_ms = atomic_load(&lane->score->began_ms);

	if (n->began_ms != began_ms)
		*n = (struct watched){ .began_ms = began_ms };
	if (n->not_before_ms > now_ms || is_spared(w, lane, n, at_ms, now_ms) ||
	    is_asked(w, lane, n, at_ms, now_ms))
		return;
	if (deadline_strike(&lane->deadline, at_ms))
		strike(&w->striker, lane, at_ms);
}

/* When to look again; 0: nothing of it can be due before harakiri from now. */
static int64_t look(struct watchdog *w, size_t i, int64_t now_ms)
{
	const struct deadline *d = &w->setup.lanes[i].deadline;
	int64_t at_ms = deadline_look(d);

	if (at_ms > 0 && at_ms <= now_ms) {
		judge(w, i, at_ms, now_ms);
		at_ms = deadline_look(d);
		if (at_ms > 0 && at_ms < w->watched[i].not_before_ms)
			at_ms = w->watched[i].not_before_ms;
	}
	w->watched[i].stuck = at_ms <= DEADLINE_LOST;
	if (w->watched[i].stuck || at_ms == 0 || at_ms == DEADLINE_QUIET)
		return 0;
	if (at_ms > 0)
		return at_ms > now_ms ? at_ms : now_ms + 1;
	return -at_ms > now_ms + HELD_MS ? -at_ms : now_ms + HELD_MS;
}

/* ---- the thread ---- */

/* What hangs is not waited for.  It may hold the lock of its language, so exit handlers are not
 * called. */
static void end_if_others_did(const struct watchdog *w)
{
	if (!w->setup.leaves(w->setup.worker))
		return;
	for (size_t i = 0; i < w->setup.count; i++)
		if (!w->watched[i].stuck && !atomic_load(&w->setup.lanes[i].over))
			return;
	_exit(EXIT_SUCCESS);
}

/* Sets when it wakes before it looks, too: a lane that gets a deadline meanwhile pokes it. */
static int64_t look_at_all(struct watchdog *w)
{
	int64_t now_ms = clock_monotonic_coarse_ms(), due_ms = 0;
	bool any = false;

	atomic_store(&w->wakes_at_ms, INT64_MAX);
	for (size_t i = 0; i < w->setup.count; i++) {
		clock_keep_earlier(&due_ms, look(w, i, now_ms));
		any = any || w->watched[i].stuck;
	}
	if (w->settings->limit_ms)
		clock_keep_earlier(&due_ms, now_ms + w->settings->limit_ms);
	if (any) {
		w->hears = true;
		clock_keep_earlier(&due_ms, now_ms + STUCK_MS);
		end_if_others_did(w);
	}
	atomic_store(&w->wakes_at_ms, due_ms ? due_ms : INT64_MAX);
	return due_ms;
}

/* due_ms: 0: until it is poked. */
static void sleep_until(struct watchdog *w, int64_t due_ms)
{
	enum { LONGEST_MS = 3600000 };

	struct pollfd p[2] = { { .fd = w->poke, .events = POLLIN },
			       { .fd = w->hears ? w->setup.channel : -1, .events = POLLIN } };
	int64_t left_ms = due_ms - clock_monotonic_ms();
	eventfd_t pokes;

	/* The coarse clock, which decides, is a little behind. */
	left_ms = left_ms < 1 ? 1 : left_ms < LONGEST_MS ? left_ms : LONGEST_MS;
	poll(p, 2, due_ms ? (int)left_ms : -1);
	eventfd_read(w->poke, &pokes);
	if (p[1].revents && !w->setup.hear(w->setup.worker))
		w->setup.channel = -1;
}

static void *run(void *watchdog)
{
	struct watchdog *w = watchdog;

	for (;;)
		sleep_until(w, look_at_all(w));
	return NULL;
}

/* Without it the master still kills the worker of a request that is overdue. */
void watchdog_start(struct watchdog *w)
{
	if (atomic_exchange(&w->started, true))
		return;
	w->watched = calloc(w->setup.count, sizeof *w->watched);
	w->poke = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int failed = !w->watched || w->poke < 0 ? errno : uwsgi_thread_start(NULL, run, w);

	if (failed)
		uwsgi_log(UWSGI_ERROR, "nothing watches requests for harakiri: %s",
			  strerror(failed));
}

void watchdog_expect(struct watchdog *w, int64_t at_ms)
{
	watchdog_start(w);
	if (at_ms < atomic_load(&w->wakes_at_ms))
		eventfd_write(w->poke, 1);
}
