/* SPDX-License-Identifier: MIT */
/* inifile.c: an ini file in memory, read through libinih.  reader.c calls it.  inih splits lines
 * by rules of its own (':' also ends a name, an indented line continues the one before, a
 * heading without names goes unmentioned), some of which cannot be switched off; so it is fed
 * line by line with what it would misread put into a neutral form.  Opens no file. */
#include "settings/inifile.h"

#include <ctype.h>
#include <ini.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Stand in the fed lines for what inih gives a meaning that uWSGI does not. */
enum {
	HEADING = 0x1d,   /* a name that inih sees behind every heading, so that it is told */
	SEMICOLON = 0x1e, /* would begin a comment behind a blank */
	COLON = 0x1f,     /* would end a name */
};
enum { SECTION_MAX = 49 }; /* inih keeps no more */

struct feed {
	const char *p, *end; /* what was not yet read */
	int line;
	bool alone;   /* the line had no '=' */
	bool heading; /* the line was a heading: announce it */
	char *ready;  /* the line in inih's form */
	size_t at, length;
	char *name; /* of the line, back in the file's form; its value follows */
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

static void set_ready(struct feed *f, struct slice s)
{
	memcpy(f->ready, s.p, s.n);
	f->ready[s.n] = '\n';
	f->at = 0;
	f->length = s.n + 1;
}

static int prepare_heading(struct feed *f, struct slice s)
{
	const char *close = memchr(s.p, ']', s.n);

	if (!close)
		return uwsgi_error_set(f->e, "a heading has to end with ]");
	if (close - s.p - 1 > SECTION_MAX)
		return uwsgi_error_set(f->e, "the name of a section has at most %d bytes",
				       SECTION_MAX);
	set_ready(f, s);
	f->heading = true;
	return 0;
}

static void prepare_name(struct feed *f, struct slice s)
{
	const char *equals = memchr(s.p, '=', s.n);
	size_t name = equals ? (size_t)(equals - s.p) : s.n;

	set_ready(f, s);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ';')
			f->ready[i] = SEMICOLON;
		else if (s.p[i] == ':' && i < name)
			f->ready[i] = COLON;
	}
	f->alone = !equals;
	if (f->alone) {
		f->ready[s.n] = '=';
		f->ready[s.n + 1] = '\n';
		f->length++;
	}
}

static int prepare(struct feed *f)
{
	const char *newline = memchr(f->p, '\n', (size_t)(f->end - f->p));
	const char *end = newline ? newline : f->end;
	struct slice s = trim((struct slice){ f->p, (size_t)(end - f->p) });

	f->p = newline ? newline + 1 : f->end;
	f->line++;
	f->alone = f->heading = false;
	if (s.n == 0 || *s.p == '#' || *s.p == ';') {
		set_ready(f, SLICE(""));
		return 0;
	}
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || (s.p[i] >= HEADING && s.p[i] <= COLON))
			return uwsgi_error_set(f->e, "byte 0x%02x: this is not a text file",
					       (unsigned)s.p[i]);
	if (*s.p == '[')
		return prepare_heading(f, s);
	prepare_name(f, s);
	return 0;
}

/* fgets() for inih: as much of the line as fits; inih asks again where it can grow. */
static char *feed_line(char *to, int size, void *user)
{
	static const char announcement[] = { HEADING, '=' };
	struct feed *f = user;

	if (f->failed || size < 2)
		return NULL;
	if (f->at == f->length) {
		if (f->heading) {
			set_ready(f, (struct slice){ announcement, sizeof announcement });
			f->heading = false;
		} else if (f->p == f->end) {
			return NULL;
		} else if (prepare(f)) {
			f->failed = true;
			return NULL;
		}
	}
	size_t n = f->length - f->at;
	if (n > (size_t)size - 1) {
		n = (size_t)size - 1;
#if !INIH_SWITCHES
		uwsgi_error_set(f->e,
				"longer than the %d bytes that the inih library of this "
				"system was built for",
				size - 2);
		f->failed = true;
		return NULL;
#endif
	}
	memcpy(to, f->ready + f->at, n);
	to[n] = '\0';
	f->at += n;
	return to;
}

static char *restore(char *to, const char *from)
{
	for (; *from; from++)
		*to++ = *from == SEMICOLON ? ';' : *from == COLON ? ':' : *from;
	*to++ = '\0';
	return to;
}

static int take_pair(void *user, const char *section, const char *name, const char *value)
{
	struct feed *f = user;
	struct ini_line line = { .section = section, .number = f->line };

	if (*name != HEADING) {
		char *to = restore(f->name, name);

		restore(to, value);
		line.name = f->name;
		line.value = f->alone ? NULL : to;
	}
	f->visit(f->user, &line);
	return 1;
}

/* The only place that touches the library's switches; they are of the process.  Those of its
 * rules that feed_line() keeps lines clear of stay as they are. */
static void set_switches(void)
{
#if INIH_SWITCHES
	ini_use_stack = false;
	ini_allow_realloc = true;
	ini_max_line = INT_MAX;
	ini_stop_on_first_error = false;
#endif
}

int inifile_read(struct slice bytes, void (*visit)(void *user, const struct ini_line *), void *user,
		 int *line, struct error *e)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct feed f = { .visit = visit, .user = user, .e = e };

	*line = 0;
	if (bytes.n > INT_MAX / 4)
		return uwsgi_error_set(e, "too large for a configuration");
	if (bytes.n >= sizeof bom - 1 && memcmp(bytes.p, bom, sizeof bom - 1) == 0)
		bytes = (struct slice){ bytes.p + sizeof bom - 1, bytes.n - (sizeof bom - 1) };
	f.p = bytes.p;
	f.end = bytes.p + bytes.n;
	f.ready = malloc(bytes.n + 4); /* a line grows by '=' and a newline */
	f.name = malloc(bytes.n + 4);  /* and name and value end each with a NUL */
	set_switches();
	if (!f.ready || !f.name || ini_parse_stream(feed_line, &f, take_pair, &f) < 0) {
		uwsgi_error_set(e, "out of memory");
		f.failed = true;
	}
	*line = f.line;
	free(f.ready);
	free(f.name);
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
