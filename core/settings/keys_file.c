/* SPDX-License-Identifier: MIT */
/* keys_file.c: reads one section of one ini file into keys: comments behind values, one-letter
 * variables, conditions, and the files that it includes.  keys.c and its own includes call it.
 * It does not know what the keys mean, but for those that are free text. */
#include "settings/keys_file.h"

#include "settings/early.h"
#include "settings/inifile.h"
#include "settings/jsonfile.h"
#include "settings/magic.h"
#include "settings/option.h"
#include "settings/otherfile.h"
#include "settings/source.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INCLUDES_MAX = 256 };

struct file {
	struct reader *reader;
	const struct file *outer; /* includes this one; NULL: none */
	struct place place;
	const char *section; /* the one that is read */
	bool json, optional; /* optional: the section may be missing */
	bool found, stray;  /* its heading was seen; a line before all headings was */
	struct text others; /* the headings that were not asked for */
	struct logic logic;
};

UWSGI_PRINTF(4, 5)
static void warn(const struct file *f, int line, enum severity severity, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	report_add(f->reader->context->report, severity, (struct origin){ f->place.given, line },
		   "%s", text);
}

/* ---- lines ---- */

/* False: the line is no setting, and was spoken of. */
static bool looks_like_a_setting(const struct file *f, const struct ini_line *line)
{
	if (strncmp(line->name, "<<<<<<<", 7) == 0 || strncmp(line->name, ">>>>>>>", 7) == 0 ||
	    (!*line->name && line->value && strncmp(line->value, "======", 6) == 0)) {
		warn(f, line->number, UWSGI_WARNING, "a mark of a merge conflict; ignored");
		return false;
	}
	if (!*line->name) {
		warn(f, line->number, UWSGI_WARNING, "there is no name before the =; ignored");
		return false;
	}
	return true;
}

/* The text with one-letter variables replaced; NULL when memory is out. */
static const char *expand_letters(const struct file *f, const char *text, int line)
{
	char unknown = '\0';
	const char *expanded = magic_expand(f->reader->context->arena, text, &f->place, &unknown);

	if (unknown)
		warn(f, line, UWSGI_WARNING,
		     "%%%c means nothing and is dropped; write %%%%%c for a percent sign", unknown,
		     unknown);
	return expanded;
}

/* Quotation marks around all of a value are kept, as uWSGI keeps them; in a path or around
 * NAME=value nobody means them. */
static void doubt_quotes(const struct file *f, const struct option *row, const char *value,
			 int line)
{
	size_t n = strlen(value);
	bool quoted = n > 2 && (*value == '"' || *value == '\'') && value[n - 1] == *value &&
		      !memchr(value + 1, *value, n - 2);

	if (quoted && (!row->text || strcmp(row->name, "env") == 0))
		warn(f, line, UWSGI_WARNING,
		     "%s = %s: the quotation marks are part of the value; write %s = %.*s",
		     row->name, value, row->name, (int)(n - 2), value + 1);
}

/* A number ends where its digits do in uWSGI, too; a flag is true unless it is exactly false. */
static void note_comment(const struct file *f, const struct option *row, const char *cut,
			 const char *whole, int line)
{
	bool is_false = row->type == OPT_FLAG && option_boolean(cut) == 0;
	bool is_text = row->type == OPT_STRING || row->type == OPT_LIST || row->type == OPT_CHOICE;

	if (is_false)
		warn(f, line, UWSGI_NOTE,
		     "%s: the comment is left out; uWSGI has none behind values, and reads \"%s\" "
		     "as "
		     "true",
		     row->name, whole);
	else if (is_text)
		warn(f, line, UWSGI_NOTE,
		     "%s: the comment is left out; uWSGI has none behind values, and takes all of "
		     "\"%s\"",
		     row->name, whole);
}

/* The value as far as it can be understood now; NULL when there is none. */
static const char *read_value(struct file *f, const char *name, const struct ini_line *line)
{
	struct arena *arena = f->reader->context->arena;
	struct option_at at;
	const char *value = line->value;
	bool known = catalogue_find(f->reader->context->catalogue, name, &at);
	bool text = known && at.row->text;

	if (!value)
		return NULL;
	size_t n = text || f->json ? strlen(value) : inifile_comment_at(value);
	char *cut = arena_alloc(arena, n + 1);
	if (!cut)
		return NULL;
	memcpy(cut, value, n);
	cut[n] = '\0';
	if (known && value[n] && f->reader->context->report->thorough)
		note_comment(f, at.row, cut, value, line->number);
	if (known && !f->json)
		doubt_quotes(f, at.row, cut, line->number);
	value = expand_letters(f, cut, line->number);
	return value && *value ? value : NULL;
}

static void take_setting(struct file *f, const struct ini_line *line)
{
	struct reader *r = f->reader;
	const char *name = expand_letters(f, line->name, line->number);

	if (name == line->name)
		name = arena_copy(r->context->arena, (struct slice){ name, strlen(name) + 1 }).p;
	if (name)
		keys_take(r, &f->logic,
			  &(struct key){ .name = name,
					 .value = read_value(f, name, line),
					 .at = { f->place.given, line->number },
					 .source = KEY_FILE });
}

static void take_heading(struct file *f, const char *section)
{
	char heading[64];
	int n = snprintf(heading, sizeof heading, "[%s]", section);

	if (n >= (int)sizeof heading)
		n = sizeof heading - 1;
	if (strcmp(section, f->section) == 0)
		f->found = true;
	else if (!f->others.n || !memmem(f->others.p, f->others.n, heading, (size_t)n))
		text_addf(&f->others, "%s%s", f->others.n ? ", " : "", heading);
}

static void take_line(void *user, const struct ini_line *line)
{
	struct file *f = user;

	if (!line->name) {
		take_heading(f, line->section);
		return;
	}
	if (!*line->section && !f->stray) {
		f->stray = true;
		warn(f, line->number, UWSGI_WARNING,
		     "lines before the first [section] are ignored");
	}
	if (strcmp(line->section, f->section) == 0 && looks_like_a_setting(f, line))
		take_setting(f, line);
}

/* ---- files ---- */

static void say_section_missing(struct file *f, struct origin at)
{
	const char *others = f->others.n ? text_take(&f->others, f->reader->context->arena) : NULL;

	if (others)
		report_add(f->reader->context->report, UWSGI_ERROR, at,
			   "%s has no section [%s], only %s: name one as %s:section",
			   f->place.given, f->section, others, f->place.given);
	else
		report_add(f->reader->context->report, UWSGI_ERROR, at, "%s has no section [%s]",
			   f->place.given, f->section);
}

/* Relative names are seen from where the server was started, which surprises in an include. */
static void say_unreadable(struct reader *r, const char *given, struct origin at,
			   const struct error *e)
{
	const char *path = NULL, *including = r->file ? r->file->place.path : NULL;
	const char *slash = including && *given != '/' ? strrchr(including, '/') : NULL;
	struct text beside = { 0 };

	if (slash) {
		text_addf(&beside, "%.*s/%s", (int)(slash - including), including, given);
		path = text_take(&beside, r->context->arena);
	}
	if (path && access(path, R_OK) == 0)
		report_add(r->context->report, UWSGI_ERROR, at,
			   "cannot read %s: %s in %s; for the one beside this file write %%d%s",
			   given, e->text, r->context->invocation->cwd, given);
	else
		report_add(r->context->report, UWSGI_ERROR, at, "cannot read %s: %s", given,
			   e->text);
}

/* Not in a circle, and not without end: a chain of sections that each name the next one twice
 * would never be done. */
static bool may_include(const struct file *f, struct origin at)
{
	struct reader *r = f->reader;

	for (const struct file *open = f->outer; open; open = open->outer)
		if (strcmp(open->place.path, f->place.path) == 0 &&
		    strcmp(open->section, f->section) == 0) {
			report_add(r->context->report, UWSGI_ERROR, at,
				   "section [%s] of %s includes itself", f->section,
				   f->place.given);
			return false;
		}
	if (r->files++ < INCLUDES_MAX)
		return true;
	if (r->files == INCLUDES_MAX + 1)
		report_add(r->context->report, UWSGI_ERROR, at, "more than %d files and sections",
			   INCLUDES_MAX);
	return false;
}

static void say_other_format(struct reader *r, const char *format, const char *given,
			     struct slice bytes, struct origin at)
{
	struct text lines = { 0 };

	otherfile_as_ini(bytes, &lines);
	report_add(r->context->report, UWSGI_ERROR, at,
		   "%s: %s is not read here, ini and JSON are; write an ini file with [uwsgi] in "
		   "its first line%s%.*s",
		   given, format, lines.n ? " and then: " : "", (int)lines.n,
		   lines.p ? lines.p : "");
	free(lines.p);
}

static void read_bytes(struct file *f, struct slice bytes, struct origin at)
{
	struct error e;
	int line;

	if ((f->json ? jsonfile_read : inifile_read)(bytes, take_line, f, &line, &e))
		warn(f, line, UWSGI_ERROR, "%s", e.text);
	else if (!f->found && !f->optional)
		say_section_missing(f, at);
	if (!logic_end(&f->logic, &line, &e))
		warn(f, line, UWSGI_WARNING, "%s", e.text);
}

/* Standard input can be read once; the invocation has kept it. */
static char *read_source(struct reader *r, const char *given, const char *path, size_t *n,
			 struct error *e)
{
	const struct slice input = r->context->invocation->input;

	if (strcmp(given, "-") != 0)
		return source_read(path, n, e);
	char *bytes = input.p ? malloc(input.n + 1) : NULL;
	if (bytes)
		memcpy(bytes, input.p, input.n);
	else
		uwsgi_error_set(e, "standard input is read for the command line only");
	*n = input.n;
	return bytes;
}

static void read_section(struct reader *r, const char *given, const char *section,
			 enum file_format format, struct origin at)
{
	struct file f = { .reader = r, .outer = r->file, .section = *section ? section : "uwsgi" };
	const char *other = format == FILE_BY_NAME ? otherfile_of_path(given) : NULL;
	const char *dot = strrchr(given, '.');
	struct error e;
	size_t n;

	f.optional = format == FILE_PASTE;
	f.json = format == FILE_JSON ||
		 (format == FILE_BY_NAME && dot && (!strcmp(dot, ".json") || !strcmp(dot, ".js")));
	f.place = (struct place){ .given = given,
				  .path = source_absolute(r->context->arena,
							  r->context->invocation->cwd, given),
				  .section = section,
				  .cwd = r->context->invocation->cwd,
				  .first = &f.place };
	if (!f.place.path || !may_include(&f, at))
		return;
	char *bytes = read_source(r, given, f.place.path, &n, &e);
	if (!bytes) {
		say_unreadable(r, given, at, &e);
		return;
	}
	if (!r->keys->file)
		r->keys->file = given;
	if (f.outer)
		f.place.first = f.outer->place.first;
	f.logic.arena = r->context->arena;
	r->file = &f;
	if (format == FILE_XML || format == FILE_YAML || other)
		say_other_format(r,
				 other                ? other
				 : format == FILE_XML ? "XML"
						      : "YAML",
				 given, (struct slice){ bytes, n }, at);
	else
		read_bytes(&f, (struct slice){ bytes, n }, at);
	r->file = f.outer;
	free(f.others.p);
	free(bytes);
}

void keys_file_read(struct reader *r, const char *name, enum file_format format, struct origin at)
{
	struct stat st;
	const char *colon = strrchr(name, ':');
	struct slice file = { name, colon ? (size_t)(colon - name) : strlen(name) };

	if (colon && file.n && stat(name, &st) == 0) {
		file.n = strlen(name); /* the colon is part of the file's name */
		colon = NULL;
	}
	if (strstr(name, "://")) {
		report_add(r->context->report, UWSGI_ERROR, at,
			   "%s: a configuration is read from a file; fetch it before the start",
			   name);
		return;
	}
	if (file.n == 0 && !r->file) {
		report_add(r->context->report, UWSGI_ERROR, at,
			   "ini = %s: no file is being read here, name one before the colon", name);
		return;
	}
	struct text given = { 0 };

	text_add(&given, file);
	const char *path = file.n ? text_take(&given, r->context->arena) : r->file->place.given;
	if (path)
		read_section(r, path, colon ? colon + 1 : "", format, at);
}

void keys_file_include(struct reader *r, const struct key *key, enum file_format format)
{
	if (key->value)
		keys_file_read(r, early_value(r, key->value), format, key->at);
}
