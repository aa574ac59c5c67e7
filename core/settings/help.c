/* SPDX-License-Identifier: MIT */
/* help.c: prints what the option tables say: for people, and for programs as one JSON document, of which
 * buildconf/documents.py makes the reference page, the manual page and what shells complete.  The short
 * help is a choice, made by what public ini files use; everything else is as the tables have it. */
#include "settings/help.h"

#include "settings/catalogue.h"
#include "settings/command_line.h"
#include "settings/logic.h"
#include "settings/option.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- rows in words ---- */

/* A row of an option table, in words. */
struct description {
	char type[256];      /* "whole number, from 1 to 4096" */
	char also[512];      /* its other names; "": none */
	const char *initial; /* the default: "64k", "none" */
	const char *example; /* a value as somebody may write it */
};

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
	if (row->type == OPT_SPAN)
		n /= 1000;
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
		[OPT_SPAN] = "seconds, also with a fraction",
	};

	ADD(d->type, "%s", types[row->type]);
	if (row->type == OPT_INT && row->unit)
		ADD(d->type, " of %s", row->unit);
	if (row->type == OPT_INT || row->type == OPT_SIZE || row->type == OPT_SECONDS ||
	    row->type == OPT_SPAN)
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
		[OPT_CHOICE] = "...", [OPT_SPAN] = "30",
	};
	bool told = row->initial && *row->initial && strcmp(row->initial, "0") != 0 &&
		    row->type != OPT_FLAG;

	if (row->example)
		return row->example;
	if (row->type == OPT_CHOICE)
		return row->choices[0];
	return told ? row->initial : usual[row->type];
}

/* dashes stand before each other name: "--", or "". */
static void describe(struct description *d, const struct option_table *table,
		     const struct option *row, const char *dashes)
{
	*d = (struct description){ .initial = default_of(row), .example = example_of(row) };
	add_type(d, row);
	for (size_t i = 0; i < table->count; i++)
		if (is_alias(&table->rows[i], row))
			ADD(d->also, "%s%s%s", *d->also ? ", " : "", dashes, table->rows[i].name);
}

/* ---- for people: the choice ---- */

enum { WIDTH = 80, INDENT = 36 };

static const struct chosen {
	const char *subject; /* NULL: the same as above */
	const char *name, *help;
} chosen[] = {
	{ "Application", "module", "package.module:callable" },
	{ NULL, "wsgi-file", "a Python file, instead of module" },
	{ NULL, "callable", "the application's name in it" },
	{ NULL, "chdir", "where it lives" },
	{ NULL, "home", "its virtualenv" },
	{ NULL, "pythonpath", "where to look for modules, too" },
	{ NULL, "env", "a variable of its environment" },
	{ NULL, "mount", "one more application below a path" },
	{ "Sockets", "socket", "uwsgi packets, for nginx's uwsgi_pass" },
	{ NULL, "http-socket", "HTTP, for proxies and browsers" },
	{ NULL, "fastcgi-socket", "FastCGI" },
	{ NULL, "chmod-socket", "access mode of UNIX sockets" },
	{ NULL, "listen", "length of the queue of connections" },
	{ NULL, "buffer-size", "the most that a request's head may take" },
	{ "Processes", "processes", "number of workers" },
	{ NULL, "threads", "requests at a time in each" },
	{ NULL, "uid", "the user to run as" },
	{ NULL, "lazy-apps", "import in each worker" },
	{ NULL, "need-app", "no start without the application" },
	{ NULL, "pidfile", "for --reload and --stop" },
	{ NULL, "daemonize", "go to the background, log to this file" },
	{ NULL, "vacuum", "remove UNIX sockets at the end" },
	{ "Limits", "harakiri", "end requests that run longer" },
	{ NULL, "max-requests", "replace a worker after so many" },
	{ NULL, "reload-on-rss", "replace a worker that grew to so many MB" },
	{ NULL, "limit-post", "the largest body of a request" },
	{ NULL, "reload-mercy", "time to finish requests at reload and stop" },
	{ NULL, "touch-reload", "reload when this file is touched" },
	{ "Log", "logto", "log to this file" },
	{ NULL, "disable-logging", "log no requests" },
	{ NULL, "log-format", "the line of a request" },
	{ NULL, "log-maxsize", "begin a new file when it is larger" },
	{ "Configuration", "ini", "read this file: file.ini, file.ini:section" },
	{ NULL, "set-placeholder", "name=value, for %(name)" },
	{ NULL, "strict", "unknown options are errors" },
};

/* The words of text from column INDENT to WIDTH; the cursor stands at column `at`. */
static void print_wrapped(size_t at, const char *text)
{
	bool fresh = at + 1 > INDENT;

	printf(fresh ? "\n%*s" : "%*s", (int)(fresh ? INDENT : INDENT - at), "");
	at = INDENT;
	while (*text) {
		size_t n = strcspn(text, " ");

		if (at > INDENT && at + 1 + n > WIDTH) {
			printf("\n%*s", INDENT, "");
			at = INDENT;
		} else if (at > INDENT) {
			putchar(' ');
			at++;
		}
		fwrite(text, 1, n, stdout);
		at += n;
		text += n + (text[n] == ' ');
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

/* name: it, or another name of the row. */
static size_t print_option(const char *name, const struct option *row)
{
	return print_name(row->letter, name, option_word(row),
			  catalogue_arity(row) == ARITY_OPTIONAL);
}

static void print_commands(bool all)
{
	printf("\nCommands:\n");
	for (size_t i = 0; i < command_row_count; i++) {
		const struct command_row *row = &command_rows[i];

		if (row->rare && !all)
			continue;
		size_t at = print_name(row->letter, row->name, "", false);
		at += (size_t)printf("%s%s", !*row->word || row->word[1] == '=' ? "" : " ",
				     row->word);
		print_wrapped(at, row->help);
	}
}

static void print_usage(void)
{
	printf("Usage: uwsgi [option ...] [file.ini[:section] | file.py]\n\n"
	       "An option is --name value here, \"name = value\" in the [uwsgi] section of an\n"
	       "ini file, and UWSGI_NAME=value in the environment.\n");
}

void help_print(const struct option_table *const *tables, size_t count)
{
	const struct catalogue c = { .tables = tables, .count = count };
	struct option_at at;

	print_usage();
	print_commands(false);
	for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
		const struct chosen *row = &chosen[i];

		if (!catalogue_find(&c, row->name, &at))
			continue;
		if (row->subject)
			printf("\n%s:\n", row->subject);
		print_wrapped(print_option(row->name, at.row), row->help);
	}
	printf("\n--help OPTION explains one; --help-all lists them all.\n");
}

/* ---- all options ---- */

static void print_row(const struct option_table *table, const struct option *row)
{
	struct description d;
	char text[2048];

	describe(&d, table, row, "--");
	bool told = row->initial && *row->initial && row->type != OPT_FLAG;
	snprintf(text, sizeof text, "%s%s%s%s%s", row->help, told ? "; default " : "",
		 told ? d.initial : "", *d.also ? "; also " : "", d.also);
	print_wrapped(print_option(row->name, row), text);
}

static void print_table(const struct option_table *table)
{
	printf("\nOptions of %s:\n", table->module);
	for (size_t i = 0; i < table->count; i++)
		if (!table->rows[i].same_as)
			print_row(table, &table->rows[i]);
}

/* The names of a subject, and of what is planned the subsystem that they belong to. */
static void print_subject(const struct subject *subject)
{
	const char *dashes = subject->title ? "" : "--", *names = subject->options;
	char text[1 << 14] = "";
	struct uwsgi_name name;

	for (size_t n = 0; uwsgi_names_next(&names, &name); n = strlen(text))
		snprintf(text + n, sizeof text - n, "%s%s%s", n ? ", " : "", dashes, name.name);
	if (subject->title) {
		printf("\n  %s\n", subject->title);
		print_wrapped(0, text);
	} else {
		print_wrapped((size_t)printf("  %s", text), subject->text);
	}
}

static void print_subjects(enum subject_status status, const char *title)
{
	printf("\n%s:\n", title);
	for (size_t i = 0; i < uwsgi_subject_count; i++)
		if (uwsgi_subjects[i].status == status)
			print_subject(&uwsgi_subjects[i]);
}

void help_print_all(const struct option_table *const *tables, size_t count)
{
	print_usage();
	print_commands(true);
	for (size_t t = 0; t < count; t++)
		if (tables[t]->count)
			print_table(tables[t]);
	print_subjects(SUBJECT_ALWAYS, "Accepted, and always so");
	print_subjects(SUBJECT_PLANNED, "Accepted, and without effect yet");
}

/* ---- one option ---- */

static void print_fact(const char *name, const char *text)
{
	if (text && *text)
		printf("  %-14s%s\n", name, text);
}

static void print_variable(const char *name, const char *value)
{
	printf("  %-14sUWSGI_", "environment");
	for (; *name; name++)
		putchar(*name == '-' ? '_' : toupper((unsigned char)*name));
	printf("=%s\n", value);
}

static void print_ways(const struct option *row, const char *value)
{
	bool plain = row->type == OPT_FLAG;

	printf("  %-14s%s = %s\n", "in a file", row->name, value);
	printf("  %-14s--%s%s", "as a word", row->name, plain ? "" : " ");
	if (!plain)
		printf(strpbrk(value, " ;#%$") ? "'%s'" : "%s", value);
	putchar('\n');
	print_variable(row->name, value);
}

static int print_explained(const struct option_table *table, const struct option *row)
{
	struct description d;

	describe(&d, table, row, "");
	print_option(row->name, row);
	printf("\n");
	if (row->help)
		printf("  %s\n", row->help);
	printf("\n");
	print_fact("type", d.type);
	print_fact("default", d.initial);
	print_ways(row, d.example);
	print_fact("also", d.also);
	print_fact("uWSGI", row->differs);
	return EXIT_SUCCESS;
}

/* An option of uWSGI that has no row. */
static int print_known(const char *name, const struct subject *subject)
{
	switch (subject->status) {
	case SUBJECT_ALWAYS:
		print_name(uwsgi_names_letter(name), name, "", false);
		printf("\n  %s\n\n  It is accepted, and always so.\n", subject->text);
		return EXIT_SUCCESS;
	case SUBJECT_PLANNED:
		print_name(uwsgi_names_letter(name), name, "", false);
		printf("\n\n  It is accepted and has no effect yet (%s)%s%s.\n", subject->title,
		       *subject->text ? "; " : "", subject->text);
		return EXIT_SUCCESS;
	case SUBJECT_ELSEWHERE:
		fprintf(stderr, "option \"%s\" of uWSGI is not supported here: %s\n", name,
			subject->text);
		return EXIT_FAILURE;
	case SUBJECT_HERE:
		break;
	}
	printf("  %s\n  a word of the ini language (docs/ini-language.md)\n", name);
	return EXIT_SUCCESS;
}

int help_explain(const struct option_table *const *tables, size_t count, const char *name)
{
	const struct catalogue c = { .tables = tables, .count = count };
	struct option_at at;
	struct named named;
	char hint[256];

	name += strspn(name, "-");
	if (!catalogue_name(&c, name, &named) &&
	    (!name[0] || name[1] || !catalogue_name_letter(&c, name[0], &named))) {
		catalogue_hint(&c, name, logic_is_word, hint, sizeof hint);
		fprintf(stderr, "unknown option \"%s\"%s\n", name, hint);
		return EXIT_FAILURE;
	}
	if (catalogue_find(&c, named.name, &at))
		return print_explained(tables[at.table], at.row);
	return print_known(named.name, uwsgi_names_find(named.name, NULL));
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
		json_array_append_new(options,
				      json_pack("{s:s, s:o, s:s}", "name", name.name, "letter",
						letter_or_null(uwsgi_names_letter(name.name)),
						"takes", arity_words[name.arity]));
	return json_pack("{s:s, s:s?, s:s, s:o}", "status", words[subject->status], "title",
			 subject->title, "text", subject->text, "options", options);
}

void help_print_json(const struct option_table *const *tables, size_t count)
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
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}
