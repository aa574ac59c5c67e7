/* SPDX-License-Identifier: MIT */
/* describe.c: rows of option tables in words.  It prints nothing. */
#include "settings/describe.h"

#include "settings/catalogue.h"
#include "settings/option.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What is described are constants of ours: they fit. */
UWSGI_PRINTF(3, 4) static void add(char *text, size_t size, const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	int added = vsnprintf(text + n, size - n, fmt, ap);
	va_end(ap);
	assert(added >= 0 && (size_t)added < size - n);
}
#define ADD(array, ...) add(array, sizeof(array), __VA_ARGS__)

static void add_number(struct description *d, const struct option *row, long long n)
{
	static const char *const suffixes[] = { "", "k", "m", "g", "t" };
	size_t i = 0;

	for (; row->type == OPT_SIZE && n && n % 1024 == 0 && i < 4; i++)
		n /= 1024;
	ADD(d->type, "%lld%s", n, suffixes[i]);
}

/* A bound that only keeps nonsense out is not worth a reader's time. */
static void add_bounds(struct description *d, const struct option *row)
{
	bool upper = row->max > row->min && row->max <= 1LL << 24;

	if (upper || row->min) {
		ADD(d->type, upper ? ", from " : ", at least ");
		add_number(d, row, row->min);
	}
	if (upper) {
		ADD(d->type, " to ");
		add_number(d, row, row->max);
	}
}

static void add_type(struct description *d, const struct option *row)
{
	static const char *const types[] = {
		[OPT_FLAG] = "true or false",
		[OPT_INT] = "whole number",
		[OPT_SIZE] = "bytes; k, m and g are understood",
		[OPT_SECONDS] = "seconds",
		[OPT_CHOICE] = "one of: ",
		[OPT_STRING] = "text",
		[OPT_LIST] = "text, may be repeated",
	};

	ADD(d->type, "%s", types[row->type]);
	if (row->type == OPT_INT && row->unit)
		ADD(d->type, " of %s", row->unit);
	if (row->type == OPT_INT || row->type == OPT_SIZE || row->type == OPT_SECONDS)
		add_bounds(d, row);
	for (int i = 0; row->type == OPT_CHOICE && row->choices[i]; i++)
		ADD(d->type, "%s%s", i ? ", " : "", row->choices[i]);
	if (row->text)
		ADD(d->type, "; # and ; belong to it");
}

static const char *default_of(const struct option *row)
{
	if (row->type == OPT_FLAG)
		return row->initial && option_boolean(row->initial) == 1 ? "true" : "false";
	return row->initial && *row->initial ? row->initial : "none";
}

static const char *example_of(const struct option *row)
{
	static const char *const usual[] = {
		[OPT_FLAG] = "true",  [OPT_INT] = "4",      [OPT_SIZE] = "64k",
		[OPT_SECONDS] = "60", [OPT_STRING] = "...", [OPT_LIST] = "...",
		[OPT_CHOICE] = "...",
	};
	bool told = row->initial && *row->initial && strcmp(row->initial, "0") != 0 &&
		    row->type != OPT_FLAG;

	if (row->example)
		return row->example;
	if (row->type == OPT_CHOICE)
		return row->choices[0];
	return told ? row->initial : usual[row->type];
}

void describe(struct description *d, const struct option_table *table, const struct option *row,
	      const char *before, const char *behind)
{
	*d = (struct description){ .optional = catalogue_arity(row) == ARITY_OPTIONAL,
				   .example = example_of(row) };
	ADD(d->word, "%s", option_word(row));
	add_type(d, row);
	ADD(d->initial, "%s", default_of(row));
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].same_as && strcmp(table->rows[i].same_as, row->name) == 0)
			ADD(d->also, "%s%s%s%s", *d->also ? ", " : "", before, table->rows[i].name,
			    behind);
}

void describe_subject(struct names *n, const struct subject *subject, const char *before,
		      const char *behind)
{
	const char *names = subject->options;
	struct uwsgi_name name;

	n->text[0] = '\0';
	while (uwsgi_names_next(&names, &name))
		ADD(n->text, "%s%s%s%s", *n->text ? ", " : "", before, name.name, behind);
}
