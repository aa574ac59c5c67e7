/* SPDX-License-Identifier: MIT */
/* crontime.c: when a cron entry is due.  Each minute is judged by itself, from the time zone's rules, so
 * that nothing has to be remembered over a change of the clocks. */
#include "process/crontime.h"

#include "base/slice.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Changes beyond that, in minutes, are corrections, and no summer time. */
enum { LARGE = 3 * 60 };
/* A look that comes late by its own fault is not taken for a clock that was set. */
enum { LATE = 2 };
/* How much of a wrong number is quoted. */
enum { SHOWN = 20 };
/* How far back is looked at most: a year with its leap day. */
enum { FAR = 366 * 24 * 60 };

/* ---- words ---- */

static const struct field {
	const char *name;
	int least, most;
	size_t offset;
} fields[CRONTIME_FIELDS] = {
	[CRONTIME_MINUTE] = { "minute", 0, 59, offsetof(struct crontime, minute) },
	[CRONTIME_HOUR] = { "hour", 0, 23, offsetof(struct crontime, hour) },
	[CRONTIME_DAY] = { "day", 1, 31, offsetof(struct crontime, day) },
	[CRONTIME_MONTH] = { "month", 1, 12, offsetof(struct crontime, month) },
	[CRONTIME_WEEK] = { "week", 0, 7, offsetof(struct crontime, week) },
};

void crontime_init(struct crontime *c)
{
	*c = (struct crontime){ -1, -1, -1, -1, -1 };
}

/* The number ends at a blank, or with its string. */
static int set(struct crontime *c, const struct field *f, struct slice number, struct error *e)
{
	char *end;
	long value = strtol(number.p, &end, 10);

	if (number.n == 0 || end != number.p + number.n || value < -f->most || value > f->most ||
	    (value >= 0 && value < f->least))
		return uwsgi_error_set(e,
				       "%s: \"%.*s%s\" is no number from %d to %d, nor -1 (any) or "
				       "-N (each that N divides)",
				       f->name, (int)(number.n < SHOWN ? number.n : SHOWN),
				       number.p, number.n > SHOWN ? "…" : "", f->least, f->most);
	*(int *)((char *)c + f->offset) = (int)value;
	return 0;
}

int crontime_set(struct crontime *c, enum crontime_field field, const char *number, struct error *e)
{
	return set(c, &fields[field], slice_of(number), e);
}

int crontime_read(struct crontime *c, const char *text, const char **command, struct error *e)
{
	crontime_init(c);
	for (int i = 0; i < CRONTIME_FIELDS; i++) {
		text += strspn(text, " \t");
		size_t n = strcspn(text, " \t");
		if (!text[n])
			return uwsgi_error_set(e, "expected MINUTE HOUR DAY MONTH WEEKDAY COMMAND");
		if (set(c, &fields[i], (struct slice){ text, n }, e))
			return -1;
		text += n;
	}
	text += strspn(text, " \t");
	*command = text;
	return *text ? 0 : uwsgi_error_set(e, "expected MINUTE HOUR DAY MONTH WEEKDAY COMMAND");
}

/* ---- one minute ---- */

static bool fits(int wanted, int value)
{
	return wanted < 0 ? value % -wanted == 0 : wanted == value;
}

/* Where both are numbers, one of them is enough. */
static bool fits_day(const struct crontime *c, const struct tm *t)
{
	bool day = fits(c->day, t->tm_mday);
	bool week = fits(c->week == 7 ? 0 : c->week, t->tm_wday);

	return c->day >= 0 && c->week >= 0 ? day || week : day && week;
}

static bool fits_hour(const struct crontime *c, const struct tm *t)
{
	return fits(c->hour, t->tm_hour) && fits(c->month, t->tm_mon + 1) && fits_day(c, t);
}

static bool fits_all(const struct crontime *c, const struct tm *t)
{
	return fits(c->minute, t->tm_min) && fits_hour(c, t);
}

/* It has its time, rather than times in each hour. */
static bool is_fixed(const struct crontime *c)
{
	return c->minute >= 0 && c->hour != -1;
}

static struct tm local(int64_t minute)
{
	time_t at = (time_t)(minute * 60);
	struct tm t = { 0 };

	localtime_r(&at, &t);
	return t;
}

static int offset_of(int64_t minute)
{
	struct tm t = local(minute);

	return (int)(t.tm_gmtoff / 60);
}

/* The clocks have shown this before: they were set back since. */
static bool is_repeated(int64_t minute)
{
	int now = offset_of(minute), before = offset_of(minute - LARGE), back = before - now;

	return back > 0 && back <= LARGE && offset_of(minute - back) == before;
}

/* The clocks were set forward for this minute, past a time of this entry. */
static bool was_left_out(const struct crontime *c, int64_t minute)
{
	int before = offset_of(minute - 1), gap = offset_of(minute) - before;

	for (int i = 0; gap <= LARGE && i < gap; i++) {
		time_t at = (time_t)((minute + i + before) * 60);
		struct tm t;

		if (gmtime_r(&at, &t) && fits_all(c, &t))
			return true;
	}
	return false;
}

static bool is_due_at(const struct crontime *c, int64_t minute, const struct tm *t)
{
	if (!is_fixed(c))
		return fits_all(c, t);
	return was_left_out(c, minute) || (fits_all(c, t) && !is_repeated(minute));
}

/* ---- many ---- */

/* To the next minute that it may be due at: no sooner than in the next hour, unless the clocks change. */
static int64_t skip(const struct crontime *c, int64_t minute, const struct tm *t)
{
	int64_t hour = minute + 60 - t->tm_min;

	return fits_hour(c, t) || offset_of(hour) != offset_of(minute) ? minute + 1 : hour;
}

bool crontime_is_due(const struct crontime *c, const struct crontime_span *span, int64_t *due)
{
	int64_t minute = span->after + 1;

	if (is_fixed(c) && minute <= span->done)
		minute = span->done + 1;
	else if (!is_fixed(c) && span->was_set)
		minute = span->until;
	if (minute <= span->until - FAR)
		minute = span->until - FAR + 1;
	while (minute <= span->until) {
		struct tm t = local(minute);

		if (is_due_at(c, minute, &t)) {
			*due = minute;
			return true;
		}
		minute = skip(c, minute, &t);
	}
	return false;
}

struct crontime_span crontime_look(struct crontime_clock *clock, int64_t minute, int64_t passed)
{
	int64_t set = minute - clock->looked - passed;
	struct crontime_span span = {
		.after = clock->looked, .until = minute, .done = clock->done, .was_set = set > LATE
	};

	if (minute < clock->looked)
		span.after = minute - 1;
	if (set > LARGE)
		span.after = minute - 1;
	if (set < -LARGE)
		span.done = clock->done = minute - 1;
	clock->looked = minute;
	if (clock->done < minute)
		clock->done = minute;
	return span;
}
