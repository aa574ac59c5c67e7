/* SPDX-License-Identifier: MIT */
/* exposition.c: writes families of numbers, each with its name, type and help. */
#include "exposition.h"

#include <stdlib.h>
#include <string.h>

void exposition_family(const struct exposition *x, const char *name, const char *type,
		       const char *unit, const char *help)
{
	const char *total = !x->open_metrics && !strcmp(type, "counter") ? "_total" : "";

	fprintf(x->to, "# HELP uwsgi_%s%s %s.\n# TYPE uwsgi_%s%s %s\n", name, total, help, name,
		total, type);
	if (unit && x->open_metrics)
		fprintf(x->to, "# UNIT uwsgi_%s %s\n", name, unit);
}

void exposition_value(const struct exposition *x, const struct family *f, const char *labels,
		      long long value)
{
	fprintf(x->to, "uwsgi_%s%s%s ", f->name, f->kind == COUNTER ? "_total" : "", labels);
	if (f->unit && !strcmp(f->unit, "seconds"))
		fprintf(x->to, "%lld.%06lld\n", value / 1000000, value % 1000000);
	else
		fprintf(x->to, "%lld\n", value);
}

void exposition_label(char *to, size_t size, const char *text)
{
	size_t n = 0;

	for (; text[n] && n + 1 < size; n++) {
		bool bad = (unsigned char)text[n] < ' ' || text[n] == '"' || text[n] == '\\' ||
			   text[n] == 0x7f;

		to[n] = bad ? '?' : text[n];
	}
	to[n] = '\0';
}

void exposition_begin(const struct exposition *x, const struct family *f)
{
	exposition_family(x, f->name, f->kind == COUNTER ? "counter" : "gauge", f->unit, f->help);
}

unsigned long long *rows_add(struct rows *rows, char **labels)
{
	struct row *items = realloc(rows->items, (rows->count + 1) * sizeof *items);
	unsigned long long *values = calloc(rows->width, sizeof *values);

	if (items)
		rows->items = items;
	if (!items || !values) {
		free(values);
		rows->failed = true;
		return NULL;
	}
	struct row *row = &items[rows->count++];

	row->values = values;
	*labels = row->labels;
	return values;
}

bool rows_say(const struct exposition *x, struct rows *rows, const struct family *families)
{
	for (size_t f = 0; f < rows->width; f++) {
		exposition_begin(x, &families[f]);
		for (size_t i = 0; i < rows->count; i++)
			exposition_value(x, &families[f], rows->items[i].labels,
					 rows->items[i].values[f]);
	}
	for (size_t i = 0; i < rows->count; i++)
		free(rows->items[i].values);
	free(rows->items);
	return !rows->failed;
}
