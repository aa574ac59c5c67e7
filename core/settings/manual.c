/* SPDX-License-Identifier: MIT */
/* manual.c: the manual page uwsgi(1), on standard output, in mdoc(7).  `make install` keeps what
 * it prints. */
#include "settings/manual.h"

#include "settings/command_line.h"
#include "settings/describe.h"
#include "settings/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The day on which the words below were last changed: the page must not depend on who builds it. */
#define CHANGED "November 25, 2026"

static const char before_commands[] =
	".Dd " CHANGED "\n"
	".Dt UWSGI 1\n"
	".Os\n"
	".nh\n"
	".Sh NAME\n"
	".Nm uwsgi\n"
	".Nd application server for Python\n"
	".Sh SYNOPSIS\n"
	".Nm\n"
	".Op Ar option ...\n"
	".Op Ar file.ini Ns Op : Ns Ar section | Ar file.py\n"
	".Nm\n"
	".Fl Fl check Ns | Ns Fl Fl check\\-app Ns | Ns Fl Fl show\\-config\n"
	".Ar file.ini\n"
	".Nm\n"
	".Fl Fl reload Ns | Ns Fl Fl stop\n"
	".Ar pidfile\n"
	".Sh DESCRIPTION\n"
	".Nm\n"
	"serves a Python application (WSGI) over the uwsgi protocol, HTTP and FastCGI.\n"
	"A master process opens the sockets and keeps worker processes running.\n"
	".Pp\n"
	"An option is written\n"
	".Ql name = value\n"
	"in the\n"
	".Ql [uwsgi]\n"
	"section of an ini file,\n"
	".Fl Fl name Ar value\n"
	"on the command line, or\n"
	".Ev UWSGI_NAME Ns = Ns Ar value\n"
	"in the environment.\n"
	".Sh COMMANDS\n"
	".Bl -tag -width Ds\n";

static const char behind_options[] =
	".Sh SIGNALS\n"
	"To the master process:\n"
	".Bl -tag -width SIGTERM\n"
	".It Dv SIGHUP\n"
	"Reload: a new generation is started beside the old one, which serves on\n"
	"until the new one does, or goes on serving if that fails.\n"
	".It Dv SIGTERM\n"
	"Finish the requests that run, then end.\n"
	".It Dv SIGINT , SIGQUIT\n"
	"End at once.\n"
	".It Dv SIGUSR1\n"
	"Write a line for each worker to the log.\n"
	".El\n"
	".Sh EXIT STATUS\n"
	".Bl -tag -width Ds\n"
	".It 0\n"
	"The server ended because it was asked to.\n"
	".It 22\n"
	"The application cannot be imported, and\n"
	".Fl Fl need\\-app\n"
	"is set.\n"
	".It other\n"
	"The server could not start or not go on; the last lines of the log say why.\n"
	".El\n"
	".Sh EXAMPLES\n"
	"Serve the object\n"
	".Ql app\n"
	"of\n"
	".Pa app.py\n"
	"to a browser on this machine:\n"
	".Pp\n"
	".Dl uwsgi \\-\\-http\\-socket 127.0.0.1:8080 \\-\\-module app:app\n"
	".Pp\n"
	"See what is wrong with a configuration, without starting anything:\n"
	".Pp\n"
	".Dl uwsgi \\-\\-check /etc/myapp/uwsgi.ini\n"
	".Pp\n"
	"Put a new release of the application into service:\n"
	".Pp\n"
	".Dl uwsgi \\-\\-reload /run/myapp/uwsgi.pid\n"
	".Sh SEE ALSO\n"
	".Xr systemd.service 5 ,\n"
	".Xr nginx 8\n";

/* Text of the tables: none of it is markup. */
static void print_escaped(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			fputs("\\e", stdout);
		else if (s.p[i] == '(')
			fputs("\\&(", stdout); /* write() is a word here, no reference */
		else if (s.p[i] == '-')
			fputs("\\-", stdout);
		else
			putchar(s.p[i]);
	}
}

/* As text lines, which must not begin as a macro does, and stay below 80 bytes. */
static void print_wrapped(const char *text)
{
	struct slice s = { text, strlen(text) };
	enum { WIDTH = 64 };
	size_t at = 0;

	while (s.n) {
		const char *blank = memchr(s.p, ' ', s.n);
		struct slice word = { s.p, blank ? (size_t)(blank - s.p) : s.n };

		if (at && at + 1 + word.n > WIDTH) {
			putchar('\n');
			at = 0;
		} else if (at) {
			putchar(' ');
		}
		if (!at && word.n && strchr(".'", *word.p))
			fputs("\\&", stdout);
		print_escaped(word);
		at += 1 + word.n;
		s.p += word.n + (blank != NULL);
		s.n -= word.n + (blank != NULL);
	}
	putchar('\n');
}

/* One argument of a macro, whatever is in it. */
static void print_argument(const char *text)
{
	printf(" \"\\&");
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		print_escaped((struct slice){ text, 1 });
	}
	putchar('"');
}

static void print_name(char letter, const char *name, const char *word, bool attached)
{
	printf(".It");
	if (letter)
		printf(" Fl %c ,", letter);
	printf(" Fl Fl");
	print_argument(name);
	if (*word) {
		printf("%s Ar", attached ? " Ns" : "");
		print_argument(word);
	}
	putchar('\n');
}

static void print_commands(void)
{
	for (size_t i = 0; i < command_row_count; i++) {
		const struct command_row *row = &command_rows[i];

		print_name(row->letter, row->name, row->word,
			   *row->word == '[' && row->word[1] == '=');
		print_wrapped(row->help);
	}
	printf(".El\n");
}

static void print_fact(const char *name, const char *text)
{
	if (*text) {
		printf(".br\n%s:\n", name);
		print_wrapped(text);
	}
}

static void print_row(const struct option_table *table, const struct option *row)
{
	struct description d;
	char word[sizeof d.word + 4];

	describe(&d, table, row, "", "");
	snprintf(word, sizeof word, d.optional && *d.word ? "[=%s]" : "%s", d.word);
	print_name(row->letter, row->name, word, d.optional);
	print_wrapped(row->help);
	print_fact("Type", d.type);
	print_fact("Default", d.initial);
	print_fact("Also", d.also);
}

static void print_table(const struct option_table *table)
{
	printf(".Ss Options of %s\n.Bl -tag -width Ds\n", table->module);
	for (size_t i = 0; i < table->count; i++)
		if (!table->rows[i].same_as)
			print_row(table, &table->rows[i]);
	printf(".El\n");
}

/* Names below what they have in common. */
static void print_subjects(enum subject_status status, const char *title)
{
	printf(".Ss %s\n.Bl -tag -width Ds\n", title);
	for (size_t i = 0; i < uwsgi_subject_count; i++) {
		const struct subject *s = &uwsgi_subjects[i];
		struct names names;

		if (s->status != status)
			continue;
		describe_subject(&names, s, "", "");
		printf(".It");
		print_argument(s->title ? s->title : s->text);
		putchar('\n');
		print_wrapped(names.text);
	}
	printf(".El\n");
}

void manual_print(const struct option_table *const *tables, size_t count)
{
	fputs(before_commands, stdout);
	print_commands();
	printf(".Sh OPTIONS\n");
	for (size_t t = 0; t < count; t++)
		if (tables[t]->count)
			print_table(tables[t]);
	print_subjects(SUBJECT_ALWAYS, "Accepted, and always so");
	print_subjects(SUBJECT_PLANNED, "Accepted, and without effect yet");
	fputs(behind_options, stdout);
}
