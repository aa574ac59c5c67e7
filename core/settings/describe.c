/* SPDX-License-Identifier: MIT */
/* describe.c: rows of option tables in words, one for people's help and all of them as a JSON document,
 * of which buildconf/documents.py makes the reference page, the manual page and what shells
 * complete. */
#include "settings/describe.h"

#include "settings/catalogue.h"
#include "settings/command_line.h"
#include "settings/option.h"

#include <assert.h>
#include <jansson.h>
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

static bool is_alias(const struct option *of, const struct option *row)
{
	return of->same_as && strcmp(of->same_as, row->name) == 0;
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
	      const char *dashes)
{
	*d = (struct description){ .initial = default_of(row), .example = example_of(row) };
	add_type(d, row);
	for (size_t i = 0; i < table->count; i++)
		if (is_alias(&table->rows[i], row))
			ADD(d->also, "%s%s%s", *d->also ? ", " : "", dashes, table->rows[i].name);
}

/* ---- for programs ---- */

static json_t *letter_or_null(char letter)
{
	return letter ? json_stringn(&letter, 1) : json_null();
}

static json_t *describe_command(const struct command_row *row)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:s}", "name", row->name, "letter",
			 letter_or_null(row->letter), "takes", arity_words[row->arity], "value",
			 row->word, "help", row->help);
}

static json_t *describe_option(const struct option_table *table, const struct option *row)
{
	json_t *also = json_array(), *choices = json_array();
	struct description d;

	describe(&d, table, row, "");
	for (size_t i = 0; i < table->count; i++)
		if (is_alias(&table->rows[i], row))
			json_array_append_new(also, json_string(table->rows[i].name));
	for (int i = 0; row->type == OPT_CHOICE && row->choices[i]; i++)
		json_array_append_new(choices, json_string(row->choices[i]));
	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s?}", "name",
			 row->name, "letter", letter_or_null(row->letter), "also", also, "help",
			 row->help ? row->help : "", "takes", arity_words[catalogue_arity(row)],
			 "value", option_word(row), "type", d.type, "default", d.initial, "choices",
			 choices, "example", d.example, "uwsgi", row->differs);
}

static json_t *describe_module(const struct option_table *table)
{
	json_t *options = json_array();

	for (size_t i = 0; i < table->count; i++)
		if (!table->rows[i].same_as)
			json_array_append_new(options, describe_option(table, &table->rows[i]));
	return json_pack("{s:s, s:o}", "name", table->module, "options", options);
}

static json_t *describe_subject(const struct subject *subject)
{
	static const char *const words[] = {
		[SUBJECT_HERE] = "here",
		[SUBJECT_ALWAYS] = "always",
		[SUBJECT_PLANNED] = "planned",
		[SUBJECT_ELSEWHERE] = "elsewhere",
	};
	json_t *options = json_array();
	const char *names = subject->options;
	struct uwsgi_name name;

	while (uwsgi_names_next(&names, &name))
		json_array_append_new(options, json_pack("{s:s, s:s}", "name", name.name, "takes",
							 arity_words[name.arity]));
	return json_pack("{s:s, s:s?, s:s, s:o}", "status", words[subject->status], "title",
			 subject->title, "text", subject->text, "options", options);
}

void describe_all(const struct option_table *const *tables, size_t count, FILE *f)
{
	json_t *commands = json_array(), *modules = json_array(), *subjects = json_array();

	for (size_t i = 0; i < command_row_count; i++)
		json_array_append_new(commands, describe_command(&command_rows[i]));
	for (size_t t = 0; t < count; t++)
		if (tables[t]->count)
			json_array_append_new(modules, describe_module(tables[t]));
	for (size_t i = 0; i < uwsgi_subject_count; i++)
		json_array_append_new(subjects, describe_subject(&uwsgi_subjects[i]));
	json_t *all = json_pack("{s:o, s:o, s:o}", "commands", commands, "modules", modules,
				"subjects", subjects);
	json_dumpf(all, f, JSON_INDENT(1));
	fputc('\n', f);
	json_decref(all);
}
