/* SPDX-License-Identifier: MIT */
/* help.c: prints the option tables for --help, on standard output, 80 columns wide.  main()
 * calls it.  It knows no option of its own. */
#include "help.h"

#include "catalogue.h"
#include "command_line.h"
#include "option.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80, INDENT = 30 };

/* The words of text from column INDENT to WIDTH; the cursor stands at column `at`. */
static void print_wrapped(size_t at, struct slice text)
{
	const char *p = text.p, *end = text.p + text.n;

	if (at + 1 > INDENT) {
		putchar('\n');
		at = 0;
	}
	printf("%*s", (int)(INDENT - at), "");
	at = INDENT;
	while (p < end) {
		const char *blank = memchr(p, ' ', (size_t)(end - p));
		size_t n = (size_t)((blank ? blank : end) - p);

		if (at > INDENT && at + 1 + n > WIDTH) {
			printf("\n%*s", INDENT, "");
			at = INDENT;
		} else if (at > INDENT) {
			putchar(' ');
			at++;
		}
		fwrite(p, 1, n, stdout);
		at += n;
		p += n + (blank != NULL);
	}
	putchar('\n');
}

static size_t print_name(char letter, const char *name, const char *word, bool optional)
{
	const char *open = !*word ? "" : optional ? "[=" : " ";
	const char *close = *word && optional ? "]" : "";
	char short_form[] = "    ";

	if (letter) {
		short_form[0] = '-';
		short_form[1] = letter;
		short_form[2] = ',';
	}
	int n = printf("  %s--%s%s%s%s", short_form, name, open, word, close);
	return n > 0 ? (size_t)n : 0;
}

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
	else if (row->unit)
		text_addf(t, " %s", row->unit);
}

/* A bound that only keeps nonsense out is not worth a reader's time. */
static void add_bounds(struct text *t, const struct option *row)
{
	bool upper = row->max > row->min && row->max < 1LL << 30;

	if (row->type != OPT_INT && row->type != OPT_SIZE && row->type != OPT_SECONDS)
		return;
	if (upper || row->min) {
		text_addf(t, upper ? "; from " : "; at least ");
		add_number(t, row, row->min);
	}
	if (upper) {
		text_addf(t, " to ");
		add_number(t, row, row->max);
	}
}

static void add_aliases(struct text *t, const struct option_table *table, const struct option *row)
{
	const char *before = "; also --";

	for (size_t i = 0; i < table->count; i++) {
		const struct option *alias = &table->rows[i];

		if (!alias->same_as || strcmp(alias->same_as, row->name) != 0)
			continue;
		text_addf(t, "%s%s", before, alias->name);
		before = ", --";
	}
}

static void print_row(const struct option_table *table, const struct option *row)
{
	struct text t = { 0 };
	size_t at = print_name(row->letter, row->name, option_word(row), row->bare != NULL);

	text_addf(&t, "%s", row->help ? row->help : "");
	for (int i = 0; row->type == OPT_CHOICE && row->choices[i]; i++)
		text_addf(&t, "%s%s", i ? ", " : ": ", row->choices[i]);
	add_bounds(&t, row);
	if (row->type == OPT_ALWAYS)
		text_addf(&t, "; always on");
	else if (row->type == OPT_LIST)
		text_addf(&t, "; may be repeated");
	else if (row->initial && *row->initial && row->type != OPT_FLAG)
		text_addf(&t, "; default %s", row->initial);
	else if (row->type == OPT_FLAG && row->initial && option_boolean(row->initial) == 1)
		text_addf(&t, "; on by default");
	add_aliases(&t, table, row);
	print_wrapped(at, t.failed ? SLICE("") : (struct slice){ t.p, t.n });
	free(t.p);
}

static void print_commands(void)
{
	printf("\nCommands:\n");
	for (size_t i = 0; i < command_row_count; i++) {
		const struct command_row *row = &command_rows[i];
		size_t at = print_name(row->letter, row->name, row->word, false);

		print_wrapped(at, (struct slice){ row->help, strlen(row->help) });
	}
}

static void print_table(const struct option_table *table)
{
	printf("\nOptions of %s:\n", table->module);
	for (size_t i = 0; i < table->count; i++)
		if (!table->rows[i].same_as)
			print_row(table, &table->rows[i]);
}

static int explain(const struct catalogue *c, const char *name)
{
	struct option_at at;
	char hint[256];

	name += strspn(name, "-");
	if (catalogue_find(c, name, &at)) {
		print_row(c->tables[at.table], at.row);
		return EXIT_SUCCESS;
	}
	if (uwsgi_names_find(name)) {
		fprintf(stderr, "option \"%s\" of uWSGI is not supported here\n", name);
		return EXIT_FAILURE;
	}
	catalogue_hint(c, name, hint, sizeof hint);
	fprintf(stderr, "unknown option \"%s\"%s\n", name, hint);
	return EXIT_FAILURE;
}

int help_print(const struct option_table *const *tables, size_t count, const char *option)
{
	const struct catalogue catalogue = { .tables = tables, .count = count };

	if (option)
		return explain(&catalogue, option);
	printf("Usage: uwsgi [option ...] [file.ini[:section] | file.py]\n\n"
	       "An option is written --name value, --name=value, or as \"name = value\" in the\n"
	       "[uwsgi] section of an ini file. Environment variables UWSGI_NAME set options "
	       "too.\n");
	print_commands();
	for (size_t t = 0; t < count; t++)
		print_table(tables[t]);
	return EXIT_SUCCESS;
}
