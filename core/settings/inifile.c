/* SPDX-License-Identifier: MIT */
/* inifile.c: the lines of an ini file in memory.  reader.c calls it; it opens no file.
 *
 * libinih is this project's reader of ini files, and is made to do one thing: to tell which section
 * a line stands in.  Its lines are not uWSGI's: in inih a ':' also ends a name, " ;" ends a value,
 * an indented line continues the one before it, a heading without names goes unmentioned, and where
 * the system has built it so, lines are cut at 200 bytes; not all of that can be switched off.  So
 * lines are split here, at their first '='.  inih gets each heading as it is, and for each heading
 * and each name a line "here=", at which it calls back with the section. */
#include "settings/inifile.h"

#include <ctype.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SECTION_MAX = 49, /* inih keeps no more of a section's name */
	HEADING_MAX = SECTION_MAX + 2,
};

struct feed {
	struct slice left, line; /* what was not read yet; the line under way, trimmed */
	int number;              /* of that line */
	bool announced;          /* inih has the heading, and was not told "here=" yet */
	char *copy;              /* of a line's name and value, each with a NUL */
	void (*visit)(void *user, const struct ini_line *);
	void *user;
	bool failed;
	struct error *e;
};

static struct slice trim(struct slice s)
{
	while (s.n && isspace((unsigned char)*s.p)) {
		s.p++;
		s.n--;
	}
	while (s.n && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

/* The next line that says something; false: there is none. */
static bool next_line(struct feed *f)
{
	while (f->left.n) {
		const char *newline = memchr(f->left.p, '\n', f->left.n);
		size_t n = newline ? (size_t)(newline - f->left.p) : f->left.n;

		f->line = trim((struct slice){ f->left.p, n });
		f->number++;
		n += newline != NULL;
		f->left = (struct slice){ f->left.p + n, f->left.n - n };
		if (f->line.n && *f->line.p != '#' && *f->line.p != ';')
			return true;
	}
	return false;
}

static int check_line(const struct feed *f)
{
	const char *close = memchr(f->line.p, ']', f->line.n);
	size_t n = close ? (size_t)(close - f->line.p) : 0;

	if (memchr(f->line.p, '\0', f->line.n))
		return uwsgi_error_set(f->e, "byte 0x00: this is not a text file");
	if (*f->line.p != '[')
		return 0;
	if (!close)
		return uwsgi_error_set(f->e, "a heading has to end with ]");
	if (n - 1 > SECTION_MAX || memchr(f->line.p, ';', n))
		return uwsgi_error_set(
			f->e, "the name of a section has at most %d bytes, and no semicolon",
			SECTION_MAX);
	return 0;
}

/* fgets() for inih. */
static char *feed_line(char *to, int size, void *user)
{
	struct feed *f = user;

	if (!f->announced) {
		if (f->failed || !next_line(f))
			return NULL;
		f->failed = check_line(f) != 0;
		if (f->failed)
			return NULL;
		f->announced = *f->line.p == '[';
		if (f->announced) {
			int n = f->line.n < HEADING_MAX ? (int)f->line.n : HEADING_MAX;

			snprintf(to, (size_t)size, "%.*s", n, f->line.p);
			return to;
		}
	}
	f->announced = false;
	snprintf(to, (size_t)size, "here=");
	return to;
}

static char *put(char *to, struct slice s)
{
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return to + s.n + 1;
}

/* inih was told "here=". */
static int take_line(void *user, const char *section, const char *here, const char *nothing)
{
	struct feed *f = user;
	const char *p = f->line.p, *end = p + f->line.n, *equals = memchr(p, '=', f->line.n);
	struct ini_line line = { .section = section, .number = f->number };

	(void)here;
	(void)nothing;
	if (*p != '[') {
		struct slice name = { p, (size_t)((equals ? equals : end) - p) };
		char *value = put(f->copy, trim(name));

		line.name = f->copy;
		if (equals) {
			put(value, trim((struct slice){ equals + 1, (size_t)(end - equals - 1) }));
			line.value = value;
		}
	}
	f->visit(f->user, &line);
	return 1;
}

int inifile_read(struct slice bytes, void (*visit)(void *user, const struct ini_line *), void *user,
		 int *line, struct error *e)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct feed f = { .visit = visit, .user = user, .e = e };

	if (bytes.n >= sizeof bom - 1 && memcmp(bytes.p, bom, sizeof bom - 1) == 0)
		bytes = (struct slice){ bytes.p + sizeof bom - 1, bytes.n - (sizeof bom - 1) };
	f.left = bytes;
	f.copy = malloc(bytes.n + 2);
	if (!f.copy || ini_parse_stream(feed_line, &f, take_line, &f) < 0)
		f.failed = uwsgi_error_set(e, "out of memory");
	*line = f.number;
	free(f.copy);
	return f.failed ? -1 : 0;
}

size_t inifile_comment_at(const char *value)
{
	size_t end = strlen(value);

	for (size_t i = 0; value[i]; i++) {
		bool begins = i == 0 || value[i - 1] == ' ' || value[i - 1] == '\t';

		if (begins && (value[i] == '#' || value[i] == ';')) {
			end = i;
			break;
		}
	}
	while (end && isspace((unsigned char)value[end - 1]))
		end--;
	return end;
}
