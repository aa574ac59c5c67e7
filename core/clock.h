/* SPDX-License-Identifier: MIT */
/* clock.h: the two clocks that the server reads. */
#ifndef UWSGI_CLOCK_H
#define UWSGI_CLOCK_H

#include <stdint.h>
#include <time.h>

/* For durations and deadlines; the same for all processes of a machine. */
static inline int64_t clock_monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The same, up to some milliseconds late: for what is only shown, it costs next to nothing. */
static inline int64_t clock_monotonic_coarse_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* For people: microseconds since 1970. */
static inline int64_t clock_wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

#endif
