/* SPDX-License-Identifier: MIT */
/* seldom.c: counts what happens, and lets one of those who meet it in a minute say so. */
#include "base/seldom.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>

enum { PAUSE_MS = 60000 };

unsigned seldom_happened(struct seldom *s, int64_t now_ms)
{
	int_fast64_t said_ms = atomic_load_explicit(&s->said_ms, memory_order_relaxed);

	atomic_fetch_add_explicit(&s->since, 1, memory_order_relaxed);
	if ((said_ms && now_ms - said_ms < PAUSE_MS) ||
	    !atomic_compare_exchange_strong(&s->said_ms, &said_ms, now_ms))
		return 0;
	return atomic_exchange_explicit(&s->since, 0, memory_order_relaxed);
}

void seldom_log(struct seldom *s, enum severity severity, const char *fmt, ...)
{
	unsigned times = seldom_happened(s, clock_monotonic_coarse_ms());
	char text[1024], others[64] = "";
	va_list ap;

	if (times == 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (times > 1)
		snprintf(others, sizeof others, "; %u times since this was said last", times);
	uwsgi_log(severity, "%s%s", text, others);
}
