/* SPDX-License-Identifier: MIT */
/* reference.c: the reference page of all options, on standard output, in Markdown.  `make docs`
 * writes it to a file, and a test compares the two. */
#include "settings/reference.h"

#include "settings/describe.h"

#include <ctype.h>
#include <stdio.h>

/* A sentence as a paragraph begins and ends with it. */
static void print_sentence(const char *help)
{
	printf("%c%s.\n\n", toupper((unsigned char)help[0]), help + 1);
}

static void print_row(const struct option_table *table, const struct option *row)
{
	struct description d;

	describe(&d, table, row, "`", "`");
	printf("### %s\n\n", row->name);
	if (row->help)
		print_sentence(row->help);
	printf("- type: %s\n- default: %s\n- example: `%s = %s`\n", d.type, d.initial, row->name,
	       d.example);
	if (*d.also || row->letter)
		printf("- also: %s", d.also);
	if (row->letter)
		printf("%s`-%c`", *d.also ? ", " : "", row->letter);
	if (*d.also || row->letter)
		putchar('\n');
	if (row->differs)
		printf("- uWSGI: %s\n", row->differs);
	putchar('\n');
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
		struct names names;

		if (s->status != status || !*s->options)
			continue;
		describe_subject(&names, s, "`", "`");
		printf("- %s%s%s: %s\n", s->title ? s->title : "", s->title && *s->text ? "; " : "",
		       s->text, names.text);
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
