/* SPDX-License-Identifier: MIT */
/* waited.c: X-Request-Start, which is no standard: nginx's users write t=${msec} (seconds with
 * milliseconds), Apache's t=%t (microseconds), Heroku's router milliseconds.  Which of these it is, its
 * size says. */
#include "exchange/waited.h"

/* What is older was not waiting: it comes from a cache, or from a clock that is wrong. */
#define LONGEST_US (3600ll * 1000000)

/* Times between 2001 and 5138, in each unit. */
#define LEAST_S 1000000000ll
#define MOST_S 100000000000ll

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "1512379167.574" or "1512379167574": microseconds since 1970; -1: it is no time. */
static int64_t read_time(struct slice s)
{
	int64_t whole = 0, part = 0, unit = 1000000;
	size_t i = 0;

	for (; i < s.n && is_digit(s.p[i]); i++) {
		if (whole > INT64_MAX / 100)
			return -1;
		whole = whole * 10 + s.p[i] - '0';
	}
	if (i < s.n && s.p[i] == '.')
		for (i++; i < s.n && is_digit(s.p[i]); i++) {
			unit /= 10;
			part += (s.p[i] - '0') * unit;
		}
	if (i != s.n || whole < LEAST_S)
		return -1;
	if (whole < MOST_S)
		return whole * 1000000 + part;
	if (whole < MOST_S * 1000)
		return whole * 1000;
	return whole < MOST_S * 1000000 ? whole : -1;
}

static bool says(struct slice field, int64_t began_us, uint64_t *us)
{
	if (field.n > 2 && field.p[0] == 't' && field.p[1] == '=')
		field = (struct slice){ field.p + 2, field.n - 2 };
	int64_t at_us = read_time(field);

	if (at_us < 0 || at_us > began_us || began_us - at_us > LONGEST_US)
		return false;
	*us = (uint64_t)(began_us - at_us);
	return true;
}

uint64_t waited_us(const struct waited_since *w)
{
	int64_t in_turn_us = w->began_us - w->woke_us;
	uint64_t us;

	if (w->start.n && says(w->start, w->began_us, &us))
		return us;
	if (w->taken_us && w->taken_us <= w->began_us && w->began_us - w->taken_us <= LONGEST_US)
		return (uint64_t)(w->began_us - w->taken_us);
	if (in_turn_us < 0) /* the clock was set back */
		in_turn_us = 0;
	if (w->silent_us > LONGEST_US)
		return (uint64_t)in_turn_us;
	return (uint64_t)(w->silent_us > in_turn_us ? w->silent_us : in_turn_us);
}
