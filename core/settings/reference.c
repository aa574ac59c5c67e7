/* SPDX-License-Identifier: MIT */
/* reference.c: the reference page of all options, on standard output, in Markdown.  `make docs`
 * writes it to a file, and a test compares the two. */
#include "settings/reference.h"

#include "settings/describe.h"
#include "settings/option.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of a description list; nothing for an empty text. */
static void print_fact(const char *name, const struct text *t)
{
	if (t->n && !t->failed)
		printf("- %s: %.*s\n", name, (int)t->n, t->p);
}

/* A sentence as a paragraph begins and ends with it. */
static void print_sentence(const char *help)
{
	printf("%c%s.\n\n", toupper((unsigned char)help[0]), help + 1);
}

static void print_row(const struct option_table *table, const struct option *row)
{
	struct text type = { 0 }, initial = { 0 }, names = { 0 }, example = { 0 };
	const char *value = describe_example(row);

	printf("### %s\n\n", row->name);
	if (row->help)
		print_sentence(row->help);
	describe_type(&type, row);
	describe_default(&initial, row);
	describe_aliases(&names, table, row, "`", "`, ");
	if (names.n)
		text_addf(&names, "`");
	if (row->letter)
		text_addf(&names, "%s`-%c`", names.n ? ", " : "", row->letter);
	text_addf(&example, "`%s = %s`", row->name, value);
	print_fact("type", &type);
	print_fact("default", &initial);
	print_fact("example", &example);
	print_fact("also", &names);
	if (row->differs)
		printf("- uWSGI: %s\n", row->differs);
	putchar('\n');
	free(type.p);
	free(initial.p);
	free(names.p);
	free(example.p);
}

static void print_table(const struct option_table *table)
{
	printf("## Options of %s\n\n", table->module);
	for (size_t i = 0; i < table->count; i++)
		if (!table->rows[i].same_as)
			print_row(table, &table->rows[i]);
}

/* The subjects of this kind: what they are or what to use instead, and the names. */
static void print_subjects(enum subject_status status)
{
	for (size_t i = 0; i < uwsgi_subject_count; i++) {
		const struct subject *s = &uwsgi_subjects[i];
		struct text names = { 0 };

		if (s->status != status || !*s->options)
			continue;
		describe_subject(&names, s, "`", "`, ");
		printf("- %s%s%s: %.*s`\n", s->title ? s->title : "",
		       s->title && *s->text ? "; " : "", s->text,
		       names.failed ? 0 : (int)names.n, names.p);
		free(names.p);
	}
}

void reference_print(const struct option_table *const *tables, size_t count)
{
	printf("# Options\n\n"
	       "Made by `make docs` from the tables in the source. An option is written\n"
	       "`name = value` in the `[uwsgi]` section of an ini file, `--name value` on the\n"
	       "command line, or `UWSGI_NAME=value` in the environment. A `#` or `;` after white\n"
	       "space ends a value, unless it is said that they belong to it.\n\n");
	for (size_t t = 0; t < count; t++)
		if (tables[t]->count)
			print_table(tables[t]);
	printf("## Accepted, and always so\n\n");
	print_subjects(SUBJECT_ALWAYS);
	printf("\n## Accepted, and without effect yet\n\n"
	       "The log names them at start.\n\n");
	print_subjects(SUBJECT_PLANNED);
	printf("\n## Left to others\n\n"
	       "The log names these too; with `strict` they are errors.\n\n");
	print_subjects(SUBJECT_ELSEWHERE);
}
