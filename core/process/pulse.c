/* SPDX-License-Identifier: MIT */
/* pulse.c: sent from the master's own loop, so that silence means that the loop hangs. */
#include "process/pulse.h"

#include "base/clock.h"
#include "wire/backlog.h"

#include <stdio.h>

/* How often the status is renewed where the watchdog does not want it more often. */
static const double status_s = 10;

/* Of all generations: those that drain still run some. */
static int count_busy(const struct succession *s)
{
	const struct scoreboard *b;
	int busy = 0;

	for (size_t i = 0; (b = succession_scoreboard(s, i)); i++)
		for (size_t slot = 0; slot < b->slots; slot++)
			busy += scoreboard_busy(b, slot);
	return busy;
}

static long long count_waiting(const struct listeners *set)
{
	long long all = 0;

	for (size_t i = 0; set && i < set->count; i++)
		if (!set->items[i].service)
			all += backlog_waiting(&set->items[i]);
	return all;
}

static void describe(struct pulse *p, char *text, size_t size)
{
	uint64_t requests = atomic_load(&p->totals->requests);
	int64_t now_ms = clock_monotonic_ms(), ms = now_ms - p->at_ms;
	long long waiting = count_waiting(succession_listeners(p->succession));
	int n = snprintf(text, size, "%d busy, %llu requests, %llu a second",
			 count_busy(p->succession), (unsigned long long)requests,
			 (unsigned long long)(requests - p->requests) * 1000 /
				 (unsigned long long)(ms > 0 ? ms : 1));

	if (waiting > 0 && n > 0 && (size_t)n < size)
		snprintf(text + n, size - (size_t)n, ", %lld connections wait", waiting);
	p->requests = requests;
	p->at_ms = now_ms;
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct pulse *p = w->data;
	char now[128];

	(void)loop;
	(void)events;
	describe(p, now, sizeof now);
	notify_beat(p->notify, now);
}

void pulse_start(struct pulse *p, struct ev_loop *loop, struct notify *notify,
		 const struct succession *succession, const struct totals *totals)
{
	double every_s = status_s;

	*p = (struct pulse){ .loop = loop,
			     .notify = notify,
			     .succession = succession,
			     .totals = totals,
			     .requests = atomic_load(&totals->requests),
			     .at_ms = clock_monotonic_ms() };
	if (notify->watchdog_s > 0 && notify->watchdog_s / 2 < every_s)
		every_s = notify->watchdog_s / 2;
	ev_timer_init(&p->timer, on_timer, every_s, every_s);
	p->timer.data = p;
	if (notify->fd >= 0)
		ev_timer_start(loop, &p->timer);
}

void pulse_stop(struct pulse *p)
{
	ev_timer_stop(p->loop, &p->timer);
}
