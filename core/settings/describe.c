/* SPDX-License-Identifier: MIT */
/* describe.c: rows of option tables in words.  It prints nothing. */
#include "settings/describe.h"

#include "settings/option.h"

#include <string.h>

static void add_number(struct text *t, const struct option *row, long long n)
{
	static const char suffix[] = "kmgt";
	int i = -1;

	while (row->type == OPT_SIZE && n && n % 1024 == 0 && suffix[i + 1]) {
		n /= 1024;
		i++;
	}
	text_addf(t, "%lld", n);
	if (i >= 0)
		text_add(t, (struct slice){ &suffix[i], 1 });
}

/* A bound that only keeps nonsense out is not worth a reader's time. */
static void add_bounds(struct text *t, const struct option *row)
{
	bool upper = row->max > row->min && row->max <= 1LL << 24;

	if (upper || row->min) {
		text_addf(t, upper ? ", from " : ", at least ");
		add_number(t, row, row->min);
	}
	if (upper) {
		text_addf(t, " to ");
		add_number(t, row, row->max);
	}
}

void describe_type(struct text *t, const struct option *row)
{
	switch (row->type) {
	case OPT_FLAG:
		text_addf(t, "true or false");
		break;
	case OPT_INT:
		text_addf(t, row->unit ? "whole number of %s" : "whole number", row->unit);
		add_bounds(t, row);
		break;
	case OPT_SIZE:
		text_addf(t, "bytes; k, m and g are understood");
		add_bounds(t, row);
		break;
	case OPT_SECONDS:
		text_addf(t, "seconds");
		add_bounds(t, row);
		break;
	case OPT_CHOICE:
		for (int i = 0; row->choices[i]; i++)
			text_addf(t, "%s%s", i ? ", " : "one of: ", row->choices[i]);
		break;
	case OPT_STRING:
		text_addf(t, "text");
		break;
	case OPT_LIST:
		text_addf(t, "text, may be repeated");
		break;
	}
	if (row->text)
		text_addf(t, "; # and ; belong to it");
}

void describe_default(struct text *t, const struct option *row)
{
	if (row->type == OPT_FLAG)
		text_addf(t, row->initial && option_boolean(row->initial) == 1 ? "true" : "false");
	else if (row->initial && *row->initial)
		text_addf(t, "%s", row->initial);
	else
		text_addf(t, "none");
}

void describe_aliases(struct text *t, const struct option_table *table, const struct option *row,
		      const char *before, const char *between)
{
	bool any = false;

	for (size_t i = 0; i < table->count; i++) {
		const struct option *alias = &table->rows[i];

		if (!alias->same_as || strcmp(alias->same_as, row->name) != 0)
			continue;
		text_addf(t, "%s%s%s", any ? between : "", before, alias->name);
		any = true;
	}
}

void describe_subject(struct text *t, const struct subject *subject, const char *before,
		      const char *between)
{
	const char *names = subject->options;
	struct uwsgi_name name;
	bool any = false;

	for (; uwsgi_names_next(&names, &name); any = true)
		text_addf(t, "%s%s%s", any ? between : "", before, name.name);
}

const char *describe_example(const struct option *row)
{
	static const char *const usual[] = {
		[OPT_FLAG] = "true",  [OPT_INT] = "4",       [OPT_SIZE] = "64k",
		[OPT_SECONDS] = "60", [OPT_STRING] = "...",  [OPT_LIST] = "...",
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
