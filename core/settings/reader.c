/* SPDX-License-Identifier: MIT */
/* reader.c: reads what a user set: first UWSGI_* of the environment, then the command line, with
 * each file in the place where it is named, then files named without an option, then those that
 * inherit = names.  config.c calls it and judges the directives; here only those are understood
 * that bring more of them: conditions and loops, files, set. */
#include "settings/reader.h"

#include "base/text.h"
#include "settings/command_line.h"
#include "settings/expand.h"
#include "settings/inifile.h"
#include "settings/jsonfile.h"
#include "settings/logic.h"
#include "settings/option.h"
#include "settings/source.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INCLUDES_MAX = 256 };

enum file_format {
	FILE_BY_NAME, /* as the name ends; ini when that says nothing */
	FILE_INI,
	FILE_JSON,
	FILE_PASTE, /* ini of PasteDeploy, which may have a section for the server */
	FILE_XML,   /* not read here */
	FILE_YAML,
};

static void read_file(struct reading *, const char *name, enum file_format, struct origin at);

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static const struct ending {
	const char *text;
	enum file_format format;
} endings[] = {
	{ ".ini", FILE_INI }, { ".json", FILE_JSON }, { ".js", FILE_JSON },
	{ ".xml", FILE_XML }, { ".yml", FILE_YAML },  { ".yaml", FILE_YAML },
};

/* ---- one directive, and what it brings along ---- */

static void add(struct reading *, const struct directive *);

/* set = name=value is that name with that value. */
static void assign(struct reading *r, const struct directive *set, bool placeholder)
{
	const char *equals = set->written ? strchr(set->written, '=') : NULL;
	struct directive d = *set;

	if (!set->written)
		return;
	if (!equals) {
		report_add(r->report, UWSGI_ERROR, set->at, "%s = %s: expected name=value",
			   set->name, set->written);
		return;
	}
	d.name = arena_string(r->arena, set->written, (size_t)(equals - set->written));
	d.written = equals + 1;
	d.placeholder = placeholder;
	if (d.name)
		add(r, &d);
}

static void include(struct reading *r, const struct directive *d, enum file_format format)
{
	if (d->written)
		read_file(r, expand(r, d->written), format, d->at);
}

/* Settings of the server, if there are any, and the application. */
static void include_paste(struct reading *r, const struct directive *d, bool logged)
{
	struct directive paste = *d, logger = *d;
	struct text uri = { 0 };

	if (!d->written)
		return;
	const char *given = expand(r, d->written);
	const char *path = source_absolute(r->arena, r->invocation->cwd, given);
	include(r, d, FILE_PASTE);
	text_addf(&uri, "config:%s", path ? path : given);
	paste.name = "paste";
	paste.written = text_take(&uri, r->arena);
	logger.name = "paste-logger";
	logger.written = NULL;
	if (paste.written)
		add(r, &paste);
	if (logged)
		add(r, &logger);
}

/* name: of the option's row, whatever it is called here. */
static void follow(struct reading *r, const struct directive *d, const char *name)
{
	static const char paste[] = "ini-paste", logged[] = "ini-paste-logged";

	if (strcmp(name, "ini") == 0)
		include(r, d, strcmp(d->name, "ini") == 0 ? FILE_INI : FILE_BY_NAME);
	else if (strcmp(name, "json") == 0)
		include(r, d, FILE_JSON);
	else if (strcmp(name, paste) == 0 || strcmp(name, logged) == 0)
		include_paste(r, d, strcmp(name, logged) == 0);
	else if (strcmp(name, "set") == 0)
		assign(r, d, false);
	else if (strcmp(name, "set-placeholder") == 0)
		assign(r, d, true);
}

/* Options for formats that are not read here; no table has them. */
static bool is_other_format(const char *name, enum file_format *format)
{
	bool xml = strcmp(name, "xml") == 0 || strcmp(name, "xmlconfig") == 0;

	*format = xml ? FILE_XML : FILE_YAML;
	return xml || strcmp(name, "yaml") == 0 || strcmp(name, "yml") == 0;
}

static void add(struct reading *r, const struct directive *given)
{
	enum file_format other;
	struct option_at at;
	bool is_other = !given->placeholder && is_other_format(given->name, &other);
	struct directive d = *given, *added;

	d.placeholder = given->placeholder || is_other; /* what there is to say is said here */
	added = directives_add(r, &d);
	if (!added)
		return;
	d = *added;
	if (is_other)
		include(r, &d, other);
	if (!d.placeholder && catalogue_find(r->catalogue, d.name, &at))
		follow(r, &d, at.row->name);
}

/* As often as it counts, unless it says how often others do. */
static void take(struct logic *logic, const struct directive *given)
{
	struct reading *r = logic->reading;
	struct directive d = *given;

	if (logic_line(logic, given))
		return;
	for (size_t i = 0; i < logic_count(logic) && !r->set->full; i++) {
		d.written = given->written ? logic_expand(logic, i, given->written) : NULL;
		add(r, &d);
	}
}

/* ---- the environment ---- */

/* UWSGI_HTTP_SOCKET is http-socket. */
static void read_variable(struct reading *r, const char *variable)
{
	static const char prefix[] = "UWSGI_";
	char name[128], origin[160];
	const char *from = variable + sizeof prefix - 1, *equals = strchr(variable, '=');

	if (strncmp(variable, prefix, sizeof prefix - 1) != 0 || !equals || equals == from)
		return;
	size_t n = (size_t)(equals - from);
	if (n >= sizeof name)
		return;
	for (size_t i = 0; i < n; i++)
		name[i] = from[i] == '_' ? '-' : (char)tolower((unsigned char)from[i]);
	name[n] = '\0';
	/* uWSGI leaves these two to itself over a reload. */
	if (strcmp(name, "reloads") == 0 || strcmp(name, "original-proc-name") == 0)
		return;
	snprintf(origin, sizeof origin, "environment %.*s", (int)(equals - variable), variable);
	add(r, &(struct directive){ .name = name,
				    .written = equals[1] ? equals + 1 : NULL,
				    .at = { origin, 0 },
				    .from_environment = true });
}

/* ---- the command line ---- */

static const struct origin command_line = { "command line", 0 };

static bool is_configuration(const char *text)
{
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		const char *found = strstr(text, endings[i].text);

		if (ends_with(text, endings[i].text) ||
		    (found && found[strlen(endings[i].text)] == ':'))
			return true;
	}
	return false;
}

/* "package.module:callable" */
static bool is_module(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				      "0123456789.";
	size_t n = strspn(text, letters), m = text[n] == ':' ? strspn(text + n + 1, letters) : 0;

	return n > 0 && m > 0 && !text[n + 1 + m] && !isdigit((unsigned char)text[n + 1]);
}

/* A word that is neither an option nor its value. */
static void read_operand(struct reading *r, const char *text)
{
	if (is_configuration(text))
		read_file(r, text, FILE_BY_NAME, command_line);
	else if (ends_with(text, ".py") || ends_with(text, ".wsgi"))
		add(r, &(struct directive){
			       .name = "wsgi-file", .written = text, .at = command_line });
	else
		report_add(r->report, UWSGI_ERROR, command_line,
			   "\"%s\" is neither an option nor a file that ends in .ini, .json, .py "
			   "or .wsgi%s%s",
			   text, is_module(text) ? "; an application is named with --module " : "",
			   is_module(text) ? text : "");
}

static void read_command_line(struct reading *r, bool operands)
{
	struct logic logic = { .reading = r };
	struct command_line c;
	struct word w;

	command_line_init(&c, r->catalogue, r->invocation->argc, r->invocation->argv);
	while (command_line_next(&c, &w) != WORD_END) {
		if (operands) {
			if (w.kind == WORD_OPERAND)
				read_operand(r, w.value);
		} else if (w.kind == WORD_BAD) {
			report_add(r->report, UWSGI_ERROR, command_line, "%s", w.e.text);
		} else if (w.kind == WORD_OPTION) {
			const char *name = arena_string(r->arena, w.name, strlen(w.name));

			if (name)
				take(&logic, &(struct directive){ .name = name,
								  .written = w.value,
								  .at = command_line });
		}
	}
	logic_end(&logic, command_line.file);
}

/* ---- the lines of a file ---- */

/* A section of a file, while it is read. */
struct file {
	struct reading *reading;
	const struct file *outer; /* includes this one; NULL: none */
	struct place place;
	const char *section; /* the one that is read */
	bool json, optional; /* optional: the section may be missing */
	bool found, stray;   /* its heading was seen; a line before all headings was */
	struct text others;  /* the headings that were not asked for */
	struct logic logic;
};

/* False: the line is no setting, and was spoken of. */
static bool is_setting(const struct ini_line *line, struct report *report, struct origin at)
{
	if (strncmp(line->name, "<<<<<<<", 7) == 0 || strncmp(line->name, ">>>>>>>", 7) == 0 ||
	    (!*line->name && line->value && strncmp(line->value, "======", 6) == 0)) {
		report_add(report, UWSGI_WARNING, at, "a mark of a merge conflict; ignored");
		return false;
	}
	if (!*line->name) {
		report_add(report, UWSGI_WARNING, at, "there is no name before the =; ignored");
		return false;
	}
	return true;
}

/* NULL when memory is out. */
static const char *expand_place(const struct file *f, const char *text, struct origin at)
{
	char unknown = '\0';
	const char *expanded = expand_letters(f->reading->arena, text, &f->place, &unknown);

	if (unknown)
		report_add(f->reading->report, UWSGI_WARNING, at,
			   "%%%c means nothing and is dropped; write %%%%%c for a percent sign",
			   unknown, unknown);
	return expanded;
}

/* Quotation marks around all of a value are kept, as uWSGI keeps them; in a path or around
 * NAME=value nobody means them. */
static void doubt_quotes(struct report *report, const struct option *row, const char *value,
			 struct origin at)
{
	size_t n = strlen(value);
	bool quoted = n > 2 && (*value == '"' || *value == '\'') && value[n - 1] == *value &&
		      !memchr(value + 1, *value, n - 2);

	if (quoted && (!row->text || strcmp(row->name, "env") == 0))
		report_add(report, UWSGI_WARNING, at,
			   "%s = %s: the quotation marks are part of the value; write %s = %.*s",
			   row->name, value, row->name, (int)(n - 2), value + 1);
}

/* A number ends where its digits do in uWSGI, too; a flag is true unless it is exactly false. */
static void note_comment(struct report *report, const struct option *row, const char *cut,
			 const char *whole, struct origin at)
{
	bool is_false = row->type == OPT_FLAG && option_boolean(cut) == 0;
	bool is_text = row->type == OPT_STRING || row->type == OPT_LIST || row->type == OPT_CHOICE;

	if (is_false)
		report_add(report, UWSGI_NOTE, at,
			   "%s: the comment is left out; uWSGI has none behind values, and reads "
			   "\"%s\" as true",
			   row->name, whole);
	else if (is_text)
		report_add(report, UWSGI_NOTE, at,
			   "%s: the comment is left out; uWSGI has none behind values, and takes "
			   "all of \"%s\"",
			   row->name, whole);
}

/* Without its comment, and with the letters replaced; NULL when there is none. */
static const char *read_value(const struct file *f, const char *name, const char *value,
			      struct origin at)
{
	const struct reading *r = f->reading;
	struct option_at option;

	if (!value)
		return NULL;
	bool known = catalogue_find(r->catalogue, name, &option);
	bool keeps_all = f->json || (known && option.row->text);
	size_t n = keeps_all ? strlen(value) : inifile_comment_at(value);
	const char *cut = arena_string(r->arena, value, n);

	if (!cut)
		return NULL;
	if (known && value[n] && r->report->thorough)
		note_comment(r->report, option.row, cut, value, at);
	if (known && !f->json)
		doubt_quotes(r->report, option.row, cut, at);
	value = expand_place(f, cut, at);
	return value && *value ? value : NULL;
}

static void take_setting(struct file *f, const struct ini_line *line, struct origin at)
{
	const char *name = expand_place(f, line->name, at);

	if (name == line->name)
		name = arena_string(f->reading->arena, name, strlen(name));
	if (name)
		take(&f->logic,
		     &(struct directive){ .name = name,
					  .written = read_value(f, name, line->value, at),
					  .at = at });
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
	const struct origin at = { f->place.given, line->number };

	if (!line->name) {
		take_heading(f, line->section);
		return;
	}
	if (!*line->section && !f->stray) {
		f->stray = true;
		report_add(f->reading->report, UWSGI_WARNING, at,
			   "lines before the first [section] are ignored");
	}
	if (strcmp(line->section, f->section) == 0 && is_setting(line, f->reading->report, at))
		take_setting(f, line, at);
}

/* ---- files ---- */

static void say_section_missing(struct file *f, struct origin at)
{
	struct report *report = f->reading->report;
	const char *others = f->others.n ? text_take(&f->others, f->reading->arena) : NULL;

	if (others)
		report_add(report, UWSGI_ERROR, at,
			   "%s has no section [%s], only %s: name one as %s:section",
			   f->place.given, f->section, others, f->place.given);
	else
		report_add(report, UWSGI_ERROR, at,
			   "%s has no section [%s]; write it above the options", f->place.given,
			   f->section);
}

/* Relative names are seen from where the server was started, which surprises in an include. */
static void say_unreadable(const struct reading *r, const char *given, struct origin at,
			   const struct error *e)
{
	const char *path = NULL, *including = r->file ? r->file->place.path : NULL;
	const char *slash = including && *given != '/' ? strrchr(including, '/') : NULL;
	struct text beside = { 0 };

	if (slash) {
		text_addf(&beside, "%.*s/%s", (int)(slash - including), including, given);
		path = text_take(&beside, r->arena);
	}
	if (path && access(path, R_OK) == 0)
		report_add(r->report, UWSGI_ERROR, at,
			   "cannot read %s: %s in %s; for the one beside this file write %%d%s",
			   given, e->text, r->invocation->cwd, given);
	else
		report_add(r->report, UWSGI_ERROR, at, "cannot read %s: %s", given, e->text);
}

/* Not in a circle, and not without end: a chain of sections that each name the next one twice
 * would never be done. */
static bool may_include(const struct file *f, struct origin at)
{
	struct reading *r = f->reading;

	for (const struct file *open = f->outer; open; open = open->outer)
		if (strcmp(open->place.path, f->place.path) == 0 &&
		    strcmp(open->section, f->section) == 0) {
			report_add(r->report, UWSGI_ERROR, at, "section [%s] of %s includes itself",
				   f->section, f->place.given);
			return false;
		}
	if (r->files++ < INCLUDES_MAX)
		return true;
	if (r->files == INCLUDES_MAX + 1)
		report_add(r->report, UWSGI_ERROR, at, "more than %d files and sections",
			   INCLUDES_MAX);
	return false;
}

/* Standard input can be read once; the invocation has kept it. */
static char *read_bytes(const struct reading *r, const struct place *place, size_t *n,
			struct error *e)
{
	const struct slice input = r->invocation->input;

	if (strcmp(place->given, "-") != 0)
		return source_read(place->path, n, e);
	char *bytes = input.p ? malloc(input.n + 1) : NULL;
	if (bytes)
		memcpy(bytes, input.p, input.n);
	else
		uwsgi_error_set(e, "standard input is read for the command line only");
	*n = input.n;
	return bytes;
}

static void read_lines(struct file *f, struct slice bytes, struct origin at)
{
	struct error e;
	int line;

	f->reading->file = f;
	if ((f->json ? jsonfile_read : inifile_read)(bytes, take_line, f, &line, &e))
		report_add(f->reading->report, UWSGI_ERROR, (struct origin){ f->place.given, line },
			   "%s", e.text);
	else if (!f->found && !f->optional)
		say_section_missing(f, at);
	logic_end(&f->logic, f->place.given);
	f->reading->file = f->outer;
	free(f->others.p);
}

static void read_section(struct reading *r, const char *given, const char *section,
			 enum file_format format, struct origin at)
{
	struct file f = { .reading = r,
			  .outer = r->file,
			  .section = *section ? section : "uwsgi",
			  .json = format == FILE_JSON,
			  .optional = format == FILE_PASTE,
			  .logic = { .reading = r } };
	struct error e;
	size_t n;

	f.place = (struct place){ .given = given,
				  .path = source_absolute(r->arena, r->invocation->cwd, given),
				  .section = section,
				  .cwd = r->invocation->cwd,
				  .first = f.outer ? f.outer->place.first : &f.place };
	if (!f.place.path || !may_include(&f, at))
		return;
	char *bytes = read_bytes(r, &f.place, &n, &e);
	if (!bytes) {
		say_unreadable(r, given, at, &e);
		return;
	}
	if (!r->set->file)
		r->set->file = given;
	read_lines(&f, (struct slice){ bytes, n }, at);
	free(bytes);
}

static enum file_format format_of(const char *path)
{
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (ends_with(path, endings[i].text))
			return endings[i].format;
	return FILE_INI;
}

/* "file", "file:section" or ":section" of the file being read; at is who asks for it. */
static void read_file(struct reading *r, const char *name, enum file_format format,
		      struct origin at)
{
	struct stat st;
	const char *colon = strrchr(name, ':');
	size_t n = colon ? (size_t)(colon - name) : strlen(name);

	const char *whole = colon && n ? source_absolute(r->arena, r->invocation->cwd, name) : NULL;
	if (whole && stat(whole, &st) == 0) {
		n = strlen(name); /* the colon is part of the file's name */
		colon = NULL;
	}
	if (strstr(name, "://")) {
		report_add(r->report, UWSGI_ERROR, at,
			   "%s: a configuration is read from a file; fetch it before the start",
			   name);
		return;
	}
	if (n == 0 && !r->file) {
		report_add(r->report, UWSGI_ERROR, at,
			   "ini = %s: no file is being read here, name one before the colon", name);
		return;
	}
	const char *path = n ? arena_string(r->arena, name, n) : r->file->place.given;
	if (!path)
		return;
	if (format == FILE_BY_NAME)
		format = format_of(path);
	if (format == FILE_XML || format == FILE_YAML)
		report_add(r->report, UWSGI_ERROR, at,
			   "%s: %s is not read here, ini and JSON are; uwsgi --migrate %s makes an "
			   "ini file of it",
			   path, format == FILE_XML ? "XML" : "YAML", path);
	else
		read_section(r, path, colon ? colon + 1 : "", format, at);
}

/* Templates are read behind everything else, as in uWSGI; they may have templates. */
static void read_templates(struct reading *r)
{
	for (size_t i = 0; i < r->set->count; i++) {
		const struct directive d = r->set->items[i];
		struct text name = { 0 };

		if (strcmp(d.name, "inherit") != 0 || !d.written || d.placeholder)
			continue;
		text_addf(&name, "%s%s", *d.written == ':' && d.at.file ? d.at.file : "",
			  expand(r, d.written));
		const char *path = text_take(&name, r->arena);
		if (path)
			read_file(r, path, FILE_BY_NAME, d.at);
	}
}

/* As they were when another program had read them. */
static void take_given(struct reading *r)
{
	const struct directives *given = r->invocation->given;

	r->set->file = given->file ? arena_string(r->arena, given->file, strlen(given->file)) : NULL;
	for (size_t i = 0; i < given->count; i++) {
		struct directive d = given->items[i];

		d.written = d.value;
		struct directive *added = directives_add(r, &d);
		if (!added)
			return;
		added->used = given->items[i].used;
	}
}

void reader_run(struct reading *r)
{
	if (r->invocation->given) {
		take_given(r);
		return;
	}
	for (char **v = r->invocation->environ_; v && *v; v++)
		read_variable(r, *v);
	read_command_line(r, false);
	read_command_line(r, true);
	read_templates(r);
	expand_all(r);
}
