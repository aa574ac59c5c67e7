/* SPDX-License-Identifier: MIT */
/* deadline.c: the lane's part, which is quick where nothing limits a request, and the watchdog's, which
 * never waits. */
#include "exchange/deadline.h"

#include <errno.h>

void deadline_init(struct deadline *d, _Atomic int64_t *shown_ms)
{
	*d = (struct deadline){ .shown_ms = shown_ms };
	sem_init(&d->done, 0, 0);
}

/* ---- the lane ---- */

static int64_t earliest(const struct deadline *d)
{
	if (!d->limit_ms || (d->user_ms && d->user_ms < d->limit_ms))
		return d->user_ms;
	return d->limit_ms;
}

static void show(const struct deadline *d, int64_t at_ms)
{
	if (d->shown_ms)
		atomic_store_explicit(d->shown_ms, at_ms, memory_order_release);
}

static void tell_sooner(const struct deadline *d, int64_t at_ms)
{
	if (d->sooner && at_ms)
		d->sooner(d->data, at_ms);
}

/* No watchdog expects it later: for_ms is the limit that it knows. */
void deadline_begin(struct deadline *d, int64_t now_ms, int64_t for_ms)
{
	d->limit_ms = now_ms + for_ms;
	d->limit_for_ms = for_ms;
	show(d, d->limit_ms);
	atomic_store_explicit(&d->at_ms, d->limit_ms, memory_order_release);
}

static void forget(struct deadline *d)
{
	d->limit_ms = d->user_ms = 0;
	show(d, 0);
}

bool deadline_end(struct deadline *d)
{
	bool lost = deadline_hold(d) == HOLD_LOST;

	forget(d);
	atomic_store_explicit(&d->at_ms, 0, memory_order_release);
	return lost;
}

/* Whether the lane holds it or not stays as it is. */
static void change(struct deadline *d, bool held)
{
	int64_t at_ms = earliest(d);

	show(d, at_ms);
	atomic_store(&d->at_ms, held ? -at_ms : at_ms);
	tell_sooner(d, at_ms);
}

static void set(struct deadline *d, int64_t *which_ms, int64_t *which_for_ms, int64_t now_ms,
		int64_t for_ms)
{
	enum hold hold = deadline_hold(d);
	bool held = hold == HOLD_OURS && atomic_load_explicit(&d->at_ms, memory_order_relaxed) < 0;

	if (hold == HOLD_LOST)
		return;
	*which_ms = for_ms ? now_ms + for_ms : 0;
	*which_for_ms = for_ms;
	change(d, held);
}

void deadline_set_limit(struct deadline *d, int64_t now_ms, int64_t for_ms)
{
	set(d, &d->limit_ms, &d->limit_for_ms, now_ms, for_ms);
}

void deadline_set_user(struct deadline *d, int64_t now_ms, int64_t for_ms)
{
	set(d, &d->user_ms, &d->user_for_ms, now_ms, for_ms);
}

void deadline_pause(struct deadline *d, int64_t now_ms)
{
	if (atomic_load_explicit(&d->at_ms, memory_order_relaxed) == 0)
		return;
	d->paused_ms = now_ms;
	show(d, 0);
	atomic_store_explicit(&d->at_ms, DEADLINE_QUIET, memory_order_relaxed);
}

void deadline_resume(struct deadline *d, int64_t now_ms)
{
	int64_t waited_ms = now_ms - d->paused_ms;

	if (atomic_load_explicit(&d->at_ms, memory_order_relaxed) != DEADLINE_QUIET)
		return;
	if (d->limit_ms)
		d->limit_ms += waited_ms;
	if (d->user_ms)
		d->user_ms += waited_ms;
	change(d, true);
}

/* The watchdog is soon done. */
enum hold deadline_lose(struct deadline *d)
{
	if (atomic_load_explicit(&d->at_ms, memory_order_acquire) == DEADLINE_STRUCK) {
		while (sem_wait(&d->done) && errno == EINTR)
			;
		atomic_store(&d->at_ms, DEADLINE_LOST);
	}
	return HOLD_LOST;
}

void deadline_let_go(struct deadline *d)
{
	atomic_store_explicit(&d->at_ms, earliest(d), memory_order_release);
}

/* ---- the watchdog ---- */

int64_t deadline_look(const struct deadline *d)
{
	return atomic_load(&d->at_ms);
}

bool deadline_strike(struct deadline *d, int64_t at_ms)
{
	return at_ms > 0 && atomic_compare_exchange_strong(&d->at_ms, &at_ms, DEADLINE_STRUCK);
}

void deadline_done(struct deadline *d)
{
	sem_post(&d->done);
}
