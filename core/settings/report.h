/* SPDX-License-Identifier: MIT */
/* report.h: what is to be said about a configuration, collected while it is read and printed
 * once by the caller. */
#ifndef UWSGI_REPORT_H
#define UWSGI_REPORT_H

#include "base/arena.h"
#include <uwsgi/plugin.h>

/* Where a setting was written.  line 0: the place has no lines ("command line"). */
struct origin {
	const char *file; /* borrowed */
	int line;
};

struct diagnostic {
	enum severity severity;
	struct origin at;   /* file NULL: no place can be named */
	size_t group;       /* the number of the first one that speaks of this file */
	size_t number;      /* in the order they were found */
	const char *option; /* that it is about; NULL: none */
	const char *text;
};

struct report {
	struct diagnostic *items;
	size_t count, capacity;
	size_t errors; /* how many of them are errors; also counts what memory had no room for */
	bool thorough; /* set it for --check, before loading */
	bool again;    /* set it for a reload: what was said at the start is known */
	struct arena arena;
};

void report_init(struct report *);
void report_fini(struct report *);
/* Copies all it is given, so the report may outlive what it speaks of. */
void report_add(struct report *, enum severity, struct origin, const char *fmt, ...)
	UWSGI_PRINTF(4, 5);
/* The same, about an option. */
void report_say(struct report *, enum severity, struct origin, const char *option, const char *fmt,
		...) UWSGI_PRINTF(5, 6);
/* By file, in the order in which they were first spoken of, and by line. */
void report_sort(struct report *);
/* Errors first, then warnings, then notes. */
void report_sort_by_severity(struct report *);
/* One log line each: "app.ini:7: error: sentence".  Notes only of a thorough one. */
void report_print(const struct report *);
/* All of it as one JSON document on standard output. */
void report_print_json(const struct report *);
/* Text of a file, which may be in any encoding, for JSON, which is UTF-8; NULL: null. */
struct json_t *report_json_text(const char *);
size_t report_count(const struct report *, enum severity);

#endif
