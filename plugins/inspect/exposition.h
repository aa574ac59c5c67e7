/* SPDX-License-Identifier: MIT */
/* exposition.h: numbers with names and labels, in the two formats that Prometheus reads. */
#ifndef INSPECT_EXPOSITION_H
#define INSPECT_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* In OpenMetrics 1.0 a counter is named without the _total that its value has; in Prometheus' own text
 * format 0.0.4 it is the same name. */
struct exposition {
	FILE *to;
	bool open_metrics;
};

enum kind { GAUGE, COUNTER };

/* One name.  Values are whole numbers; of seconds they are microseconds. */
struct family {
	const char *name, *unit, *help;
	enum kind kind;
};

/* type: "histogram", for example; unit NULL: it has none. */
void exposition_family(const struct exposition *, const char *name, const char *type,
		       const char *unit, const char *help);
/* The same of this family. */
void exposition_begin(const struct exposition *, const struct family *);
/* labels: "{…}" or "".  Of seconds it is microseconds, and not negative. */
void exposition_value(const struct exposition *, const struct family *, const char *labels,
		      long long value);
/* A text for the value of a label: what that cannot hold becomes a question mark. */
void exposition_label(char *to, size_t size, const char *text);

/* Things that each have a value in every family. */
struct row {
	char labels[256];
	unsigned long long *values; /* [width of the rows] */
};
struct rows {
	size_t count, width;
	struct row *items;
	bool failed; /* no memory */
};

/* Zeroes to be filled, and room for its labels; NULL: no memory. */
unsigned long long *rows_add(struct rows *, char **labels);
/* All families, one after the other; the rows are freed.  False: no memory, also in rows_add(). */
bool rows_say(const struct exposition *, struct rows *, const struct family *families);

#endif
