/* SPDX-License-Identifier: MIT */
/* config.c: one generation's settings.  reader.c says what the user set, the option tables say
 * what there is to set; here each directive finds its row, each module's struct is filled, and what
 * fits nothing is reported.  A config owns all its memory in one arena and has no effect on
 * anything, so it may be loaded, compared and dropped at will. */
#include "settings/config.h"

#include "settings/directives.h"
#include "settings/logic.h"
#include "settings/option.h"
#include "settings/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whoever errs more often errs in the file, not in a letter. */
enum { HINTS_MAX = 50 };

struct config {
	struct arena arena;
	struct catalogue catalogue;
	struct directives directives;
	unsigned hints;  /* how many names were compared with all others */
	void **settings; /* for each table; NULL when the directives were only read */
	const struct directive ***last; /* for each table and row, the last directive that set it */
};

struct config_settings {
	bool strict, show, show_secrets;
	const char *exit, *paste, *paste_logged;
	struct option_list print, ini, json, inherit, set, placeholders, declared;
};

#define AT(member) offsetof(struct config_settings, member)
static const struct option rows[] = {
	{ .name = "ini",
	  .type = OPT_LIST,
	  .offset = AT(ini),
	  .unit = "FILE",
	  .help = "read this file; file:section and :section (of the same file) name a section "
		  "other than [uwsgi]",
	  .example = "/etc/shop.ini:production" },
	{ .name = "include", .same_as = "ini" },
	{ .name = "config", .same_as = "ini" },
	{ .name = "json",
	  .letter = 'j',
	  .type = OPT_LIST,
	  .offset = AT(json),
	  .unit = "FILE",
	  .help = "read this JSON file: {\"uwsgi\": {\"option\": \"value\", \"list\": [\"a\", "
		  "\"b\"]}}",
	  .example = "/etc/shop.json" },
	{ .name = "js", .same_as = "json" },
	{ .name = "ini-paste",
	  .type = OPT_STRING,
	  .offset = AT(paste),
	  .unit = "FILE",
	  .help = "serve the application of this PasteDeploy file, as paste does, and read its "
		  "[uwsgi] section if it has one",
	  .example = "/srv/shop/production.ini" },
	{ .name = "ini-paste-logged",
	  .type = OPT_STRING,
	  .offset = AT(paste_logged),
	  .unit = "FILE",
	  .help = "as ini-paste, with paste-logger",
	  .example = "/srv/shop/production.ini" },
	{ .name = "print",
	  .type = OPT_LIST,
	  .offset = AT(print),
	  .text = true,
	  .unit = "TEXT",
	  .help = "log this text whenever the configuration is read",
	  .example = "serving %(project)" },
	{ .name = "iprint", .same_as = "print" },
	{ .name = "exit",
	  .type = OPT_STRING,
	  .offset = AT(exit),
	  .bare = "0",
	  .unit = "CODE",
	  .help = "do not start, and end with this exit code; of use inside a condition",
	  .example = "3" },
	{ .name = "inherit",
	  .type = OPT_LIST,
	  .offset = AT(inherit),
	  .unit = "FILE",
	  .help = "read this file behind all others",
	  .example = "/etc/uwsgi/common.ini" },
	{ .name = "strict",
	  .type = OPT_FLAG,
	  .offset = AT(strict),
	  .initial = "false",
	  .help = "unknown options, and those of uWSGI that will have no effect here, are errors; "
		  "those "
		  "that are still to come are not" },
	{ .name = "show-config",
	  .type = OPT_FLAG,
	  .offset = AT(show),
	  .initial = "false",
	  .help = "print what is set, and where, to the log at start" },
	{ .name = "show-secrets",
	  .type = OPT_FLAG,
	  .offset = AT(show_secrets),
	  .initial = "false",
	  .help = "let show-config print values that look like secrets, too: those of names with "
		  "PASSWORD, SECRET, TOKEN or KEY, and passwords in URLs" },
	{ .name = "set",
	  .letter = 'S',
	  .type = OPT_LIST,
	  .offset = AT(set),
	  .unit = "NAME=VALUE",
	  .help = "set an option or a placeholder",
	  .example = "harakiri=60" },
	{ .name = "set-placeholder",
	  .type = OPT_LIST,
	  .offset = AT(placeholders),
	  .unit = "NAME=VALUE",
	  .help = "set a name for use as %(name)",
	  .example = "name=shop" },
	{ .name = "set-ph", .same_as = "set-placeholder" },
	{ .name = "declare-option",
	  .type = OPT_LIST,
	  .offset = AT(declared),
	  .unit = "NAME=$1",
	  .help = "this name is no typing error, but a placeholder for use as %(name)",
	  .example = "site=$1",
	  .differs = "it may also stand for other options" },
};
#undef AT

/* What else it could mean in uWSGI is not understood here. */
static void check_declarations(const struct config *c, struct report *report)
{
	const struct config_settings *s = uwsgi_options(c, &config_table);

	for (size_t i = 0; i < s->declared.count; i++) {
		const char *equals = strchr(s->declared.items[i], '=');

		if (!equals || strcmp(equals, "=$1") != 0)
			uwsgi_config_doubt_item(c, report, UWSGI_WARNING, "declare-option",
						s->declared.items[i],
						"only NAME=$1 is understood, which makes a "
						"placeholder; \"%s\" is ignored",
						s->declared.items[i]);
	}
}

const struct option_table config_table = {
	.module = "configuration",
	.size = sizeof(struct config_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check_declarations,
};

void config_free(struct config *c)
{
	if (!c)
		return;
	directives_fini(&c->directives);
	catalogue_fini(&c->catalogue);
	arena_fini(&c->arena);
	free(c);
}

/* The tables' list may be the caller's own and short-lived; the tables are constants. */
static bool copy_tables(struct config *c, const struct option_table *const *tables, size_t count)
{
	const struct slice list = { (const char *)tables, count * sizeof *tables };

	c->catalogue.tables = (const void *)arena_copy(&c->arena, list).p;
	c->catalogue.count = count;
	return c->catalogue.tables && catalogue_index(&c->catalogue);
}

static struct config *read_directives(const struct invocation *invocation,
				      const struct option_table *const *tables, size_t table_count,
				      bool preview, struct report *report)
{
	struct config *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	arena_init(&c->arena);
	if (!copy_tables(c, tables, table_count)) {
		config_free(c);
		return NULL;
	}
	struct reading reading = { .invocation = invocation,
				   .catalogue = &c->catalogue,
				   .arena = &c->arena,
				   .report = report,
				   .set = &c->directives,
				   .preview = preview };
	reader_run(&reading);
	if (c->arena.failed) {
		config_free(c);
		return NULL;
	}
	return c;
}

struct config *config_read(const struct invocation *invocation,
			   const struct option_table *const *tables, size_t table_count,
			   struct report *report)
{
	return read_directives(invocation, tables, table_count, true, report);
}

/* ---- from directives to settings ---- */

static void *alloc_zeroed(struct arena *a, size_t n)
{
	void *p = arena_alloc(a, n);

	return p ? memset(p, 0, n) : NULL;
}

static bool fill_initials(struct config *c)
{
	c->settings = alloc_zeroed(&c->arena, c->catalogue.count * sizeof *c->settings);
	c->last = alloc_zeroed(&c->arena, c->catalogue.count * sizeof *c->last);
	for (size_t t = 0; c->settings && c->last && t < c->catalogue.count; t++) {
		const struct option_table *table = c->catalogue.tables[t];

		c->last[t] = alloc_zeroed(&c->arena, (table->count + 1) * sizeof **c->last);
		if (table->size) /* else these are only names, of a plugin that is not loaded */
			c->settings[t] = alloc_zeroed(&c->arena, table->size);
		for (size_t i = 0; c->settings[t] && i < table->count; i++)
			if (!table->rows[i].same_as)
				option_store_initial(&table->rows[i], c->settings[t], &c->arena);
	}
	return !c->arena.failed;
}

/* processes = 10 and, further down, workers = 8: whoever changes the first wonders.  A file that
 * sets anew what another one says is meant to. */
static void doubt_second_name(const struct directive *first, const struct directive *d,
			      const struct option *row, struct report *report)
{
	if (!first || !first->value || !d->value || !first->at.file || !d->at.file ||
	    row->type == OPT_LIST || strcmp(first->name, d->name) == 0 ||
	    strcmp(first->value, d->value) == 0 || strcmp(first->at.file, d->at.file) != 0)
		return;
	report_add(report, UWSGI_WARNING, d->at,
		   "%s = %.64s: the same option as %s = %.64s of line %d, which has no effect",
		   d->name, d->value, first->name, first->value, first->at.line);
}

static void store_directive(struct config *c, const struct directive *d, const struct option_at *at,
			    struct report *report)
{
	const struct option_table *table = c->catalogue.tables[at->table];
	void *settings = c->settings[at->table];
	struct error e;

	const struct directive **last = &c->last[at->table][at->row - table->rows];
	/* The first value takes the place of the default. */
	if (!*last && at->row->type == OPT_LIST && at->row->initial)
		option_clear_list(at->row, settings);
	doubt_second_name(*last, d, at->row, report);
	*last = d;
	switch (option_store(at->row, settings, d->name, d->value, &c->arena, &e)) {
	case OPTION_STORED:
		break;
	case OPTION_DOUBTFUL:
		report_say(report, UWSGI_WARNING, d->at, d->name, "%s", e.text);
		break;
	case OPTION_REFUSED:
		report_say(report, UWSGI_ERROR, d->at, d->name, "%s", e.text);
		break;
	}
}

static bool declares(const char *declaration, const char *name)
{
	size_t n = strlen(name);

	return declaration && strncmp(declaration, name, n) == 0 && declaration[n] == '=';
}

/* A name that is set twice is used as a whole, though only its first value counts.  Many set a
 * name for log lines of the application, which reads it as uwsgi.opt["name"]. */
static bool is_placeholder(const struct config *c, const struct directive *d)
{
	const struct directive *declaration = directives_find(&c->directives, "declare-option");

	while (declaration && !declares(declaration->value, d->name))
		declaration = directives_next(&c->directives, declaration);
	return declaration || strcmp(d->name, "name") == 0 ||
	       directives_find(&c->directives, d->name)->used;
}

/* An option of uWSGI that may be set, without effect.  What is to come and switched off is not
 * missed. */
static void note_accepted(const struct directive *d, const struct subject *s, struct report *report)
{
	bool off = d->value && option_boolean(d->value) == 0;

	if (s->status == SUBJECT_ALWAYS && off)
		report_say(report, UWSGI_WARNING, d->at, d->name,
			   "%s = %s: always on here; ignored", d->name, d->value);
	if (s->status == SUBJECT_PLANNED && !off)
		report_say(report, UWSGI_WARNING, d->at, d->name,
			   "%s: not supported yet, ignored (%s)%s%s", d->name, s->title,
			   *s->text ? "; " : "", s->text);
}

/* No table has it.  The environment may hold UWSGI_ names that are the application's. */
static void report_rowless(struct config *c, const struct directive *d, bool strict,
			   struct report *report)
{
	const struct subject *s = uwsgi_names_find(d->name, NULL);
	enum severity severity = strict ? UWSGI_ERROR : UWSGI_WARNING;
	const char *ignored = strict ? "" : ", ignored";
	struct option_at at;
	char hint[256] = "";

	if (s && (s->status == SUBJECT_ALWAYS || s->status == SUBJECT_PLANNED)) {
		note_accepted(d, s, report);
	} else if (d->from_environment || is_placeholder(c, d)) {
		return;
	} else if (s && s->status == SUBJECT_ELSEWHERE) {
		report_say(report, severity, d->at, d->name,
			   "option \"%s\" of uWSGI is not supported here%s: %s", d->name, ignored,
			   s->text);
	} else if (catalogue_find(&c->catalogue, d->name, &at)) {
		report_say(report, severity, d->at, d->name,
			   "option \"%s\" is in no plugin that is loaded%s", d->name, ignored);
	} else {
		if (c->hints++ < HINTS_MAX)
			catalogue_hint(&c->catalogue, d->name, logic_is_word, hint, sizeof hint);
		report_say(report, severity, d->at, d->name, "unknown option \"%.128s\"%s%s",
			   d->name, ignored, hint);
	}
}

static void run_checks(const struct config *c, struct report *report)
{
	for (size_t t = 0; t < c->catalogue.count; t++)
		if (c->catalogue.tables[t]->check)
			c->catalogue.tables[t]->check(c, report);
}

/* False for the names of a plugin that is not loaded, too. */
static bool find_here(const struct config *c, const char *name, struct option_at *at)
{
	return catalogue_find(&c->catalogue, name, at) && c->settings[at->table];
}

/* Unknown names are judged when it is known whether that is to be strict. */
static void settle(struct config *c, struct report *report)
{
	const struct directives *set = &c->directives;
	const struct config_settings *s = uwsgi_options(c, &config_table);
	struct option_at at;

	for (size_t i = 0; i < set->count; i++)
		if (!set->items[i].placeholder && find_here(c, set->items[i].name, &at))
			store_directive(c, &set->items[i], &at, report);
	for (size_t i = 0; i < set->count; i++)
		if (!set->items[i].placeholder && !find_here(c, set->items[i].name, &at))
			report_rowless(c, &set->items[i], s && s->strict, report);
	run_checks(c, report);
}

struct config *config_load(const struct invocation *invocation,
			   const struct option_table *const *tables, size_t table_count,
			   struct report *report)
{
	struct config *c = read_directives(invocation, tables, table_count, false, report);

	if (c && fill_initials(c))
		settle(c, report);
	bool whole = c && !c->arena.failed;
	if (!whole)
		report_add(report, UWSGI_ERROR, (struct origin){ 0 }, "out of memory");
	report_sort(report);
	if (whole)
		return c;
	config_free(c);
	return NULL;
}

/* ---- readers ---- */

void config_print(const struct config *c)
{
	const struct config_settings *s = uwsgi_options(c, &config_table);

	for (size_t i = 0; s && i < s->print.count; i++)
		uwsgi_log(UWSGI_NOTE, "%s", s->print.items[i]);
}

int config_exit(const struct config *c)
{
	const struct config_settings *s = uwsgi_options(c, &config_table);

	return s && s->exit ? (int)(strtol(s->exit, NULL, 10) & 0xff) : -1;
}

const void *uwsgi_options(const struct config *c, const struct option_table *table)
{
	for (size_t t = 0; c->settings && t < c->catalogue.count; t++)
		if (c->catalogue.tables[t] == table)
			return c->settings[t];
	return NULL;
}

bool uwsgi_config_next(const struct config *c, size_t *i, const char **name, const char **value)
{
	if (*i >= c->directives.count)
		return false;
	const struct directive *d = &c->directives.items[(*i)++];

	*name = d->name;
	*value = d->value ? d->value : "";
	return true;
}

/* An action stands at the beginning or behind a blank, with a colon. */
static bool has_action(const char *value, struct slice action)
{
	for (const char *at = value; *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (!strncmp(at, action.p, action.n) && at[action.n] == ':')
			return true;
	return false;
}

bool uwsgi_config_has_action(const struct config *c, struct slice action)
{
	const char *name, *value;

	for (size_t i = 0; uwsgi_config_next(c, &i, &name, &value);)
		if (has_action(value, action))
			return true;
	return false;
}

const struct directives *config_directives(const struct config *c)
{
	return &c->directives;
}

const struct catalogue *config_catalogue(const struct config *c)
{
	return &c->catalogue;
}

static const void *find_setting(const struct config *c, const char *option, struct option_at *at)
{
	if (!find_here(c, option, at))
		return NULL;
	return (const char *)c->settings[at->table] + at->row->offset;
}

const void *uwsgi_config_setting(const struct config *c, const char *option)
{
	struct option_at at;

	return find_setting(c, option, &at);
}

bool uwsgi_config_has(const struct config *c, const char *option)
{
	struct option_at at;
	const void *value = find_setting(c, option, &at);
	const char *text;

	if (!value)
		return false;
	switch (at.row->type) {
	case OPT_FLAG:
		return *(const bool *)value;
	case OPT_CHOICE:
		return *(const int *)value != 0;
	case OPT_STRING:
		text = *(const char *const *)value;
		return text && *text;
	case OPT_LIST:
		return ((const struct option_list *)value)->count > 0;
	default:
		return *(const long long *)value != 0;
	}
}

const char *config_choice(const struct config *c, const char *option)
{
	struct option_at at;
	const int *choice = find_setting(c, option, &at);

	return choice ? at.row->choices[*choice] : NULL;
}

const struct directive *config_directive(const struct config *c, const char *option)
{
	struct option_at at;

	if (catalogue_find(&c->catalogue, option, &at))
		return c->last ? c->last[at.table][at.row - c->catalogue.tables[at.table]->rows]
			       : NULL;
	const struct directive *last = NULL;
	for (const struct directive *d = directives_find(&c->directives, option); d;
	     d = directives_next(&c->directives, d))
		last = d;
	return last;
}

bool config_wants_showing(const struct config *c)
{
	const struct config_settings *s = uwsgi_options(c, &config_table);

	return s->show;
}

bool config_shows_secrets(const struct config *c)
{
	const struct config_settings *s = uwsgi_options(c, &config_table);

	return s->show_secrets;
}

/* d NULL: the option is not set. */
UWSGI_PRINTF(6, 0)
static void doubt(const struct config *c, struct report *report, enum severity severity,
		  const char *option, const struct directive *d, const char *fmt, va_list ap)
{
	char sentence[1024];

	vsnprintf(sentence, sizeof sentence, fmt, ap);
	report_say(report, severity, d ? d->at : (struct origin){ c->directives.file, 0 }, option,
		   "%s%s%.100s: %s", d ? d->name : option, d && d->value ? " = " : "",
		   d && d->value ? d->value : "", sentence);
}

void uwsgi_config_doubt(const struct config *c, struct report *report, enum severity severity,
			const char *option, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	doubt(c, report, severity, option, config_directive(c, option), fmt, ap);
	va_end(ap);
}

/* Of equal elements the first one. */
static const struct directive *find_item(const struct config *c, const char *option,
					 const char *value)
{
	struct option_at wanted, at;

	if (!catalogue_find(&c->catalogue, option, &wanted))
		return NULL;
	for (size_t i = 0; i < c->directives.count; i++) {
		const struct directive *d = &c->directives.items[i];

		if (!d->placeholder && d->value && strcmp(d->value, value) == 0 &&
		    catalogue_find(&c->catalogue, d->name, &at) && at.row == wanted.row)
			return d;
	}
	return NULL;
}

void uwsgi_config_doubt_item(const struct config *c, struct report *report, enum severity severity,
			     const char *option, const char *value, const char *fmt, ...)
{
	const struct directive *d = find_item(c, option, value);
	va_list ap;

	va_start(ap, fmt);
	doubt(c, report, severity, option, d ? d : config_directive(c, option), fmt, ap);
	va_end(ap);
}

void uwsgi_config_doubt_at(const struct config *c, struct report *report, enum severity severity,
			   size_t i, const char *fmt, ...)
{
	const struct directive *d = &c->directives.items[i - 1];
	va_list ap;

	va_start(ap, fmt);
	doubt(c, report, severity, d->name, d, fmt, ap);
	va_end(ap);
}

bool uwsgi_config_thorough(const struct report *report)
{
	return report->thorough;
}
