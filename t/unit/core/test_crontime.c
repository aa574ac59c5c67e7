/* SPDX-License-Identifier: MIT */
/* test_crontime.c: when cron entries are due, over summer time, sleep and clocks that are set. */
#include "unit.h"

#include "process/crontime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3" /* 2026-03-29 01:00 UTC, 2026-10-25 01:00 UTC */
#define LORD_HOWE "LHST-10:30LHDT-11,M10.1.0,M4.1.0"   /* half an hour; 2026-10-03 15:30 UTC */
#define SANTIAGO "<-04>4<-03>,M9.1.6/24,M4.1.6/24"     /* at midnight; 2026-09-06 04:00 UTC */
#define A_DAY_LESS "<-10>10<+14>-14,J364/24,J365/48"   /* a day is left out: 2026-12-31 10:00 UTC */
#define A_DAY_MORE "<+14>-14<-10>10,J100/0,J200/0"     /* a day comes twice: 2026-04-09 10:00 UTC */
#define ST_JOHNS "NST3:30NDT,M4.1.0/0:01,M10.5.0/0:01" /* 00:01; 2026-04-05 03:31 UTC */

/* "2026-03-29 01:59", UTC */
static int64_t minute_of(const char *text)
{
	struct tm t = { 0 };

	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &t.tm_year, &t.tm_mon, &t.tm_mday,
				&t.tm_hour, &t.tm_min),
			 5);
	t.tm_year -= 1900;
	t.tm_mon--;
	return (int64_t)timegm(&t) / 60;
}

static void use_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static struct crontime entry_of(const char *numbers)
{
	struct crontime c;
	struct error e;
	const char *command;
	char text[80];

	snprintf(text, sizeof text, "%s x", numbers);
	assert_int_equal(crontime_read(&c, text, &command, &e), 0);
	return c;
}

/* ---- what is due ---- */

struct row {
	const char *zone, *entry, *after, *until; /* UTC */
	const char *due;                          /* UTC; NULL: it is not */
};

static const struct row due_rows[] = {
	/* one minute: the numbers */
	{ "UTC", "-1 -1 -1 -1 -1", "2026-11-26 04:41", "2026-11-26 04:42", "2026-11-26 04:42" },
	{ "UTC", "-1 -1 -1 -1 -1", "2026-11-26 04:42", "2026-11-26 04:42", NULL },
	{ "UTC", "42 4 26 11 -1", "2026-11-26 04:41", "2026-11-26 04:42", "2026-11-26 04:42" },
	{ "UTC", "42 4 26 12 -1", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	{ "UTC", "42 4 27 11 -1", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	{ "UTC", "42 5 -1 -1 -1", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	{ "UTC", "43 4 -1 -1 -1", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	{ "UTC", "-1 -1 -1 -1 4", "2026-11-26 04:41", "2026-11-26 04:42", "2026-11-26 04:42" },
	{ "UTC", "-1 -1 -1 -1 3", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	{ "UTC", "0 0 -1 -1 0", "2026-11-28 23:59", "2026-11-29 00:00", "2026-11-29 00:00" },
	{ "UTC", "0 0 -1 -1 7", "2026-11-28 23:59", "2026-11-29 00:00", "2026-11-29 00:00" },
	{ "UTC", "0 0 -1 -1 7", "2026-11-29 23:59", "2026-11-30 00:00", NULL },
	{ "UTC", "0 0 29 2 -1", "2028-02-28 23:59", "2028-02-29 00:00", "2028-02-29 00:00" },
	/* each that N divides */
	{ "UTC", "-2 -1 -1 -1 -1", "2026-11-26 04:41", "2026-11-26 04:42", "2026-11-26 04:42" },
	{ "UTC", "-5 -1 -1 -1 -1", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	{ "UTC", "-5 -1 -1 -1 -1", "2026-11-26 04:39", "2026-11-26 04:40", "2026-11-26 04:40" },
	{ "UTC", "42 -2 -1 -1 -1", "2026-11-26 04:41", "2026-11-26 04:42", "2026-11-26 04:42" },
	{ "UTC", "42 -3 -1 -1 -1", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	{ "UTC", "-1 -1 -13 -1 -1", "2026-11-26 04:41", "2026-11-26 04:42", "2026-11-26 04:42" },
	{ "UTC", "-1 -1 -1 -11 -1", "2026-11-26 04:41", "2026-11-26 04:42", "2026-11-26 04:42" },
	{ "UTC", "-1 -1 -1 -2 -1", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	{ "UTC", "-1 -1 -1 -1 -2", "2026-11-26 04:41", "2026-11-26 04:42", "2026-11-26 04:42" },
	{ "UTC", "-1 -1 -1 -1 -3", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	/* a day of the month and one of the week: either */
	{ "UTC", "-1 -1 1 -1 4", "2026-11-26 04:41", "2026-11-26 04:42", "2026-11-26 04:42" },
	{ "UTC", "-1 -1 26 -1 3", "2026-11-26 04:41", "2026-11-26 04:42", "2026-11-26 04:42" },
	{ "UTC", "-1 -1 1 -1 3", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	{ "UTC", "-1 -1 1 -1 -2", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	{ "UTC", "-1 -1 -13 -1 3", "2026-11-26 04:41", "2026-11-26 04:42", NULL },
	/* in the zone */
	{ BERLIN, "42 5 -1 -1 -1", "2026-11-26 04:41", "2026-11-26 04:42", "2026-11-26 04:42" },
	{ BERLIN, "0 1 1 1 -1", "2026-12-31 23:59", "2027-01-01 00:00", "2027-01-01 00:00" },
	/* after sleep: once, and said since when */
	{ "UTC", "30 3 -1 -1 -1", "2026-11-25 22:00", "2026-11-26 07:00", "2026-11-26 03:30" },
	{ "UTC", "30 3 -1 -1 -1", "2026-11-20 22:00", "2026-11-26 07:00", "2026-11-21 03:30" },
	{ "UTC", "-1 -1 -1 -1 -1", "2026-11-25 22:00", "2026-11-26 07:00", "2026-11-25 22:01" },
	{ "UTC", "0 0 1 1 -1", "2026-11-25 22:00", "2027-02-26 07:00", "2027-01-01 00:00" },
	{ "UTC", "30 3 -1 -1 -1", "2026-11-26 03:30", "2026-11-27 03:29", NULL },
	{ "UTC", "30 3 -1 -1 1", "2026-11-23 03:30", "2026-11-30 03:29", NULL },
	{ "UTC", "30 3 -1 -1 -1", "1970-01-01 00:00", "2026-11-26 04:00", "2025-11-26 03:30" },
	/* Berlin, 01:59 CET, 03:00 CEST: a time in the gap is behind it */
	{ BERLIN, "30 2 -1 -1 -1", "2026-03-29 00:59", "2026-03-29 01:00", "2026-03-29 01:00" },
	{ BERLIN, "0 2 -1 -1 -1", "2026-03-29 00:59", "2026-03-29 01:00", "2026-03-29 01:00" },
	{ BERLIN, "59 2 -1 -1 0", "2026-03-29 00:59", "2026-03-29 01:00", "2026-03-29 01:00" },
	{ BERLIN, "30 2 -1 -1 1", "2026-03-29 00:59", "2026-03-29 01:00", NULL },
	{ BERLIN, "30 2 -1 -1 -1", "2026-03-29 01:00", "2026-03-29 02:59", NULL },
	{ BERLIN, "30 2 -1 -1 -1", "2026-03-30 00:29", "2026-03-30 00:30", "2026-03-30 00:30" },
	{ BERLIN, "0 3 -1 -1 -1", "2026-03-29 00:59", "2026-03-29 01:00", "2026-03-29 01:00" },
	{ BERLIN, "30 1 -1 -1 -1", "2026-03-29 00:30", "2026-03-29 02:00", NULL },
	{ BERLIN, "15 -2 -1 -1 -1", "2026-03-29 00:59", "2026-03-29 01:00", "2026-03-29 01:00" },
	/* … but not what runs more often */
	{ BERLIN, "30 -1 -1 -1 -1", "2026-03-29 00:59", "2026-03-29 01:00", NULL },
	{ BERLIN, "-10 2 -1 -1 -1", "2026-03-29 00:59", "2026-03-29 01:30", NULL },
	{ BERLIN, "-1 -2 -1 -1 -1", "2026-03-29 00:59", "2026-03-29 01:00", NULL },
	{ BERLIN, "-10 -1 -1 -1 -1", "2026-03-29 00:59", "2026-03-29 01:00", "2026-03-29 01:00" },
	/* found by a walk that begins hours before */
	{ BERLIN, "30 2 -1 -1 -1", "2026-03-28 20:10", "2026-03-29 09:00", "2026-03-29 01:00" },
	{ BERLIN, "30 2 -1 -1 -1", "2026-03-28 01:31", "2026-03-29 00:59", NULL },
	/* Berlin, 02:00 to 02:59 CEST, then CET: the first time */
	{ BERLIN, "30 2 -1 -1 -1", "2026-10-25 00:29", "2026-10-25 00:30", "2026-10-25 00:30" },
	{ BERLIN, "30 2 -1 -1 -1", "2026-10-25 00:30", "2026-10-25 02:30", NULL },
	{ BERLIN, "0 2 -1 -1 -1", "2026-10-25 00:00", "2026-10-25 01:00", NULL },
	{ BERLIN, "59 2 -1 -1 -1", "2026-10-25 00:59", "2026-10-25 01:59", NULL },
	{ BERLIN, "0 3 -1 -1 -1", "2026-10-25 00:00", "2026-10-25 02:00", "2026-10-25 02:00" },
	{ BERLIN, "30 -2 -1 -1 -1", "2026-10-25 00:30", "2026-10-25 02:30", NULL },
	{ BERLIN, "30 2 -1 -1 -1", "2026-10-26 01:29", "2026-10-26 01:30", "2026-10-26 01:30" },
	/* … and both times for what runs more often */
	{ BERLIN, "30 -1 -1 -1 -1", "2026-10-25 00:59", "2026-10-25 01:30", "2026-10-25 01:30" },
	{ BERLIN, "-10 2 -1 -1 -1", "2026-10-25 00:59", "2026-10-25 01:00", "2026-10-25 01:00" },
	/* other zones */
	{ LORD_HOWE, "10 2 -1 -1 -1", "2026-10-03 15:29", "2026-10-03 15:30", "2026-10-03 15:30" },
	{ LORD_HOWE, "30 2 -1 -1 -1", "2026-10-03 15:29", "2026-10-03 15:30", "2026-10-03 15:30" },
	{ LORD_HOWE, "45 1 -1 -1 -1", "2026-04-04 14:44", "2026-04-04 14:45", "2026-04-04 14:45" },
	{ LORD_HOWE, "45 1 -1 -1 -1", "2026-04-04 14:45", "2026-04-04 15:30", NULL },
	{ SANTIAGO, "0 0 -1 -1 -1", "2026-09-06 03:59", "2026-09-06 04:00", "2026-09-06 04:00" },
	{ SANTIAGO, "30 23 -1 -1 -1", "2026-04-05 02:30", "2026-04-05 03:30", NULL },
	{ ST_JOHNS, "0 1 -1 -1 -1", "2026-04-04 20:00", "2026-04-05 06:00", "2026-04-05 03:31" },
	{ ST_JOHNS, "0 1 -1 -1 -1", "2026-04-05 03:31", "2026-04-05 06:00", NULL },
	/* more than 3 hours are no summer time */
	{ A_DAY_LESS, "0 12 -1 -1 -1", "2026-12-31 09:59", "2026-12-31 10:01", NULL },
	{ A_DAY_MORE, "30 0 -1 -1 -1", "2026-04-09 10:29", "2026-04-09 10:30", "2026-04-09 10:30" },
};

static void test_what_is_due(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof due_rows / sizeof *due_rows; i++) {
		const struct row *r = &due_rows[i];
		const struct crontime c = entry_of(r->entry);
		const struct crontime_span span = { .after = minute_of(r->after),
						    .until = minute_of(r->until),
						    .done = minute_of(r->after) };
		int64_t due = 0;

		use_zone(r->zone);
		bool is_due = crontime_is_due(&c, &span, &due);

		if (is_due != !!r->due || (is_due && due != minute_of(r->due)))
			fail_msg("%s: %s, %s .. %s: %lld", r->zone, r->entry, r->after, r->until,
				 is_due ? (long long)(due - span.after) : -1LL);
	}
}

/* Each minute of a year, looked at one by one: what is due each day is due 365 times. */
static void test_once_a_day_is_365_times_a_year(void **unused)
{
	static const char *const zones[] = { BERLIN, LORD_HOWE, SANTIAGO, "UTC" };
	static const char *const times[] = { "0 0 -1 -1 -1", "15 1 -1 -1 -1", "30 2 -1 -1 -1",
					     "0 3 -1 -1 -1", "30 23 -1 -1 -1" };
	const int64_t begin = minute_of("2026-01-02 12:00");

	(void)unused;
	for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
		use_zone(zones[z]);
		for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
			const struct crontime c = entry_of(times[i]);
			struct crontime_span span = { .after = begin - 1, .done = begin - 1 };
			int64_t due;
			int count = 0;

			span.until = begin + 365LL * 24 * 60 - 1;
			while (crontime_is_due(&c, &span, &due)) {
				count++;
				span.after = span.done = due;
			}
			assert_int_equal(count, 365);
		}
	}
}

/* ---- clocks ---- */

enum { EVERY, FIXED, HOURLY, ENTRIES };

/* A bit for each entry that is due. */
static int look(struct crontime_clock *clock, const char *now, int64_t passed)
{
	const struct crontime entries[] = {
		[EVERY] = entry_of("-1 -1 -1 -1 -1"),
		[FIXED] = entry_of("30 12 -1 -1 -1"),
		[HOURLY] = entry_of("30 -1 -1 -1 -1"),
	};
	const struct crontime_span span = crontime_look(clock, minute_of(now), passed);
	int64_t due;
	int found = 0;

	for (int i = 0; i < ENTRIES; i++)
		found |= crontime_is_due(&entries[i], &span, &due) << i;
	return found;
}

static struct crontime_clock clock_at(const char *time)
{
	use_zone("UTC");
	return (struct crontime_clock){ minute_of(time), minute_of(time) };
}

#define NONE 0
#define ONLY(entry) (1 << (entry))
#define BOTH (ONLY(EVERY) | ONLY(FIXED))
#define ALL (BOTH | ONLY(HOURLY))

static void test_minute_by_minute(void **unused)
{
	struct crontime_clock clock = clock_at("2026-11-26 12:28");

	(void)unused;
	assert_int_equal(look(&clock, "2026-11-26 12:28", 0), NONE);
	assert_int_equal(look(&clock, "2026-11-26 12:29", 1), ONLY(EVERY));
	assert_int_equal(look(&clock, "2026-11-26 12:30", 1), ALL);
	assert_int_equal(look(&clock, "2026-11-26 12:30", 0), NONE);
	assert_int_equal(look(&clock, "2026-11-26 12:31", 1), ONLY(EVERY));
}

static void test_a_late_look_leaves_nothing_out(void **unused)
{
	struct crontime_clock clock = clock_at("2026-11-26 12:28");

	(void)unused;
	assert_int_equal(look(&clock, "2026-11-26 12:35", 7), ALL);
	assert_int_equal(look(&clock, "2026-11-26 12:36", 1), ONLY(EVERY));
}

static void test_after_sleep_each_runs_once(void **unused)
{
	struct crontime_clock clock = clock_at("2026-11-26 11:00");

	(void)unused;
	assert_int_equal(look(&clock, "2026-11-29 14:00", 3 * 24 * 60 + 180), ALL);
	assert_int_equal(look(&clock, "2026-11-29 14:01", 1), ONLY(EVERY));
}

static void test_a_clock_that_is_set_forward(void **unused)
{
	struct crontime_clock clock = clock_at("2026-11-26 11:00");

	(void)unused;
	/* by 2 hours: what was left out is due, but not what runs each hour */
	assert_int_equal(look(&clock, "2026-11-26 13:01", 1), BOTH);
	/* by 24: it is not, but for this minute */
	assert_int_equal(look(&clock, "2026-11-27 13:02", 1), ONLY(EVERY));
	assert_int_equal(look(&clock, "2026-11-28 12:30", 1), ALL);
}

static void test_a_clock_that_is_set_back(void **unused)
{
	struct crontime_clock clock = clock_at("2026-11-26 12:29");

	(void)unused;
	assert_int_equal(look(&clock, "2026-11-26 12:30", 1), ALL);
	/* by an hour: not twice */
	assert_int_equal(look(&clock, "2026-11-26 11:31", 1), ONLY(EVERY));
	assert_int_equal(look(&clock, "2026-11-26 12:30", 59), ONLY(EVERY) | ONLY(HOURLY));
	assert_int_equal(look(&clock, "2026-11-26 12:31", 1), ONLY(EVERY));
	/* by a day: the new time counts */
	assert_int_equal(look(&clock, "2026-11-25 12:30", 1), ALL);
	assert_int_equal(look(&clock, "2026-11-26 12:30", 24 * 60), ALL);
}

/* ---- words ---- */

static void test_words(void **unused)
{
	static const struct {
		const char *text, *command; /* NULL: refused */
	} rows[] = {
		{ "59 2 -1 -1 -1 /usr/bin/backup  --all", "/usr/bin/backup  --all" },
		{ "  1\t2 3   4 5   x y ", "x y " },
		{ "0 0 31 12 7 x", "x" },
		{ "-59 -23 -31 -12 -7 x", "x" },
		{ "60 2 -1 -1 -1 x", NULL },
		{ "-60 2 -1 -1 -1 x", NULL },
		{ "1 24 -1 -1 -1 x", NULL },
		{ "1 1 0 -1 -1 x", NULL },
		{ "1 1 32 -1 -1 x", NULL },
		{ "1 1 1 0 -1 x", NULL },
		{ "1 1 1 13 -1 x", NULL },
		{ "1 1 1 1 8 x", NULL },
		{ "* * * * * x", NULL },
		{ "1 1 1 1 x", NULL },
		{ "1 1 1 1 1", NULL },
		{ "1 1 1 1 1 ", NULL },
		{ "", NULL },
		{ "1x 1 1 1 1 x", NULL },
		{ "11111111111111111111111111111 1 1 1 1 x", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct crontime c;
		const char *command;
		struct error e;
		int result = crontime_read(&c, rows[i].text, &command, &e);

		assert_int_equal(result, rows[i].command ? 0 : -1);
		if (result == 0)
			assert_string_equal(command, rows[i].command);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_due),
		cmocka_unit_test(test_once_a_day_is_365_times_a_year),
		cmocka_unit_test(test_minute_by_minute),
		cmocka_unit_test(test_a_late_look_leaves_nothing_out),
		cmocka_unit_test(test_after_sleep_each_runs_once),
		cmocka_unit_test(test_a_clock_that_is_set_forward),
		cmocka_unit_test(test_a_clock_that_is_set_back),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
