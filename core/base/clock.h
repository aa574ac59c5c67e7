/* SPDX-License-Identifier: MIT */
/* clock.h: the clocks that the server reads, and times to do something at. */
#ifndef UWSGI_CLOCK_H
#define UWSGI_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_read_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* For durations and deadlines; the same for all processes of a machine. */
static inline int64_t clock_monotonic_ms(void)
{
	return clock_read_ms(CLOCK_MONOTONIC);
}

/* The same, up to some milliseconds behind: for deadlines of seconds, it costs next to nothing. */
static inline int64_t clock_monotonic_coarse_ms(void)
{
	return clock_read_ms(CLOCK_MONOTONIC_COARSE);
}

/* The earlier of two times to do something at; 0 means never. */
static inline void clock_keep_earlier(int64_t *due_ms, int64_t at_ms)
{
	if (at_ms > 0 && (*due_ms == 0 || at_ms < *due_ms))
		*due_ms = at_ms;
}

/* For people: microseconds since 1970. */
static inline int64_t clock_wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

#endif
