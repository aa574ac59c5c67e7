/* SPDX-License-Identifier: MIT */
/* crontime.h: the five numbers of a cron entry, and whether it is due.  Pure but for the time zone,
 * which is the process's. */
#ifndef UWSGI_CRONTIME_H
#define UWSGI_CRONTIME_H

#include <uwsgi/plugin.h>

/* -1: any; -N: those that N divides; else that one. */
struct crontime {
	int minute, hour, day, month, week; /* month: 1.., week: Sunday is 0 and 7 */
};

enum crontime_field {
	CRONTIME_MINUTE,
	CRONTIME_HOUR,
	CRONTIME_DAY,
	CRONTIME_MONTH,
	CRONTIME_WEEK,
	CRONTIME_FIELDS
};

/* Where the looks at a clock have come to; minutes since 1970. */
struct crontime_clock {
	int64_t looked; /* the last look */
	int64_t done; /* the latest minute of all looks: more than `looked` when it was set back */
};

/* What is looked at now: the minutes behind `after` up to `until`, which is the present. */
struct crontime_span {
	int64_t after, until,
		done; /* until `done` was looked at before, with the clock as it was then */
	bool was_set; /* forward: nobody has lived through these minutes */
};

/* Any time. */
void crontime_init(struct crontime *);
/* Returns -1 with the reason. */
int crontime_set(struct crontime *, enum crontime_field, const char *number, struct error *);
/* "59 2 -1 -1 -1 COMMAND".  *command: what stands behind the numbers, inside of text.  Returns -1 with
 * the reason. */
int crontime_read(struct crontime *, const char *text, const char **command, struct error *);
/* What there is to look at in this minute, when so many have passed since the last look by a clock that
 * nobody can set. */
struct crontime_span crontime_look(struct crontime_clock *, int64_t minute, int64_t passed);
/* Whether it is to run now: once, however often it was due.  *due: the first minute of those.  Summer time
 * is as in cron(8): an entry whose time was left out is due right behind the gap, and one whose time comes
 * twice is due the first time.  Both hold for entries with a minute and an hour, or every so many hours;
 * whatever runs each hour or more often goes by the hands of the clock.  A clock that is set by at most 3
 * hours is treated in the same way, beyond that the new time counts at once.  Time that has really passed,
 * as on a machine that slept, is not left out. */
bool crontime_is_due(const struct crontime *, const struct crontime_span *, int64_t *due);

#endif
