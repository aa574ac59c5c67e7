/* SPDX-License-Identifier: MIT */
/* show.c: prints what is set, then what has its default, for --show-config and the option of that
 * name.  The values are the words that were written, with all names replaced; what looks like a
 * secret is hidden, since this output is copied into reports and logs. */
#include "settings/show.h"

#include "settings/catalogue.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The row that a directive sets; NULL: it is a placeholder, or unknown. */
static const struct option *row_of(const struct config *c, const struct directive *d)
{
	struct option_at at;

	return !d->placeholder && catalogue_find(config_catalogue(c), d->name, &at) ? at.row : NULL;
}

/* What a later one has set anew does not count; files and assignments have been followed. */
static bool is_effective(const struct config *c, const struct directive *d,
			 const struct option *row)
{
	static const char *const followed[] = { "ini", "set", "set-placeholder", "json",
						"inherit" };

	for (size_t i = 0; i < sizeof followed / sizeof *followed; i++)
		if (strcmp(row->name, followed[i]) == 0)
			return false;
	return row->type == OPT_LIST || config_directive(c, row->name) == d;
}

/* What a name means that stands alone; NULL: a placeholder of nothing. */
static const char *value_of(const struct option *row, const struct directive *d)
{
	enum arity arity;

	if (d->value)
		return d->value;
	if (row)
		return row->bare ? row->bare : row->type == OPT_FLAG ? "true" : "";
	return uwsgi_names_find(d->name, &arity) && arity == ARITY_NONE ? "true" : NULL;
}

/* ---- secrets ---- */

static const char hidden[] = "(hidden)";

/* KEY as a word of its own, which KEYBOARD and MONKEY have not. */
static bool has_key(struct slice name)
{
	static const char key[] = "key";
	const size_t n = sizeof key - 1;

	for (size_t at = 0; at + n <= name.n; at++)
		if (strncasecmp(name.p + at, key, n) == 0 &&
		    (at == 0 || !isalpha((unsigned char)name.p[at - 1])) &&
		    (at + n == name.n || !isalpha((unsigned char)name.p[at + n])))
			return true;
	return false;
}

/* DB_PASSWORD, secret-key, ApiToken: as people name what nobody else should read. */
static bool is_secret_name(struct slice name)
{
	static const char *const words[] = { "password", "passwd", "passphrase", "secret",
					     "token",    "apikey", "credential", "private" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		for (size_t at = 0; at + strlen(words[i]) <= name.n; at++)
			if (strncasecmp(name.p + at, words[i], strlen(words[i])) == 0)
				return true;
	return has_key(name);
}

/* The password of a URL such as postgres://user:password@host; nothing where there is none. */
static struct slice url_password(const char *value)
{
	const char *begin = strstr(value, "://");
	size_t n = begin ? strcspn(begin + 3, "/?# ") : 0;
	const char *at = n ? memrchr(begin + 3, '@', n) : NULL;
	const char *colon = at ? memchr(begin + 3, ':', (size_t)(at - begin - 3)) : NULL;

	return colon ? (struct slice){ colon + 1, (size_t)(at - colon - 1) } : (struct slice){ 0 };
}

/* The value as it may be shown: itself, or a copy that is the caller's to free in *copy.  One of
 * the application (named by the directive, or by NAME=VALUE) that looks like a secret is hidden. */
static const char *shown(const struct config *c, const struct option *row, const char *name,
			 const char *value, char **copy)
{
	const char *equal = row && row->type == OPT_LIST && value ? strchr(value, '=') : NULL;
	struct slice password;

	*copy = NULL;
	if (!value || !*value || config_shows_secrets(c))
		return value;
	if (!row && is_secret_name((struct slice){ name, strlen(name) }))
		return hidden;
	if (equal && is_secret_name((struct slice){ value, (size_t)(equal - value) })) {
		int n = asprintf(copy, "%.*s=%s", (int)(equal - value), value, hidden);
		return n < 0 ? hidden : *copy;
	}
	password = url_password(value);
	if (!password.n)
		return value;
	int n = asprintf(copy, "%.*s%s%s", (int)(password.p - value), value, hidden,
			 password.p + password.n);
	return n < 0 ? hidden : *copy;
}

/* What is set, as it is shown. */
struct setting {
	const char *name, *value;
	const struct directive *from;
	bool option; /* of this server or of uWSGI; else a placeholder, or unknown */
	char *copy;  /* to be freed; NULL: nothing */
};

/* The next one; *i begins as 0. */
static bool next_setting(const struct config *c, size_t *i, struct setting *s)
{
	const struct directives *set = config_directives(c);

	while (*i < set->count) {
		const struct directive *d = &set->items[(*i)++];
		const struct option *row = row_of(c, d);

		if (row && !is_effective(c, d, row))
			continue;
		s->from = d;
		s->name = row ? row->name : d->name;
		s->value = shown(c, row, s->name, value_of(row, d), &s->copy);
		s->option = row || (!d->placeholder && uwsgi_names_find(d->name, NULL));
		return true;
	}
	return false;
}

/* ---- text ---- */

/* %( and % mean something when the text is read again. */
static void print_escaped(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '%')
			fputc('%', f);
		fputc(*text, f);
	}
}

static void print_line(FILE *f, const char *name, const char *value)
{
	fprintf(f, "%s%s", name, *value ? " = " : "");
	print_escaped(f, value);
	fputc('\n', f);
}

static void print_origin(FILE *f, const struct directive *d)
{
	if (d->at.line > 0)
		fprintf(f, "; %s:%d\n", d->at.file, d->at.line);
	else
		fprintf(f, "; %s\n", d->at.file ? d->at.file : "?");
}

/* The next option that has its default. */
static bool next_default(const struct config *c, struct candidate *n)
{
	while (catalogue_next(config_catalogue(c), n) && n->row)
		if (!n->row->same_as && n->row->initial && !config_directive(c, n->name))
			return true;
	return false;
}

static void print_defaults(const struct config *c, FILE *f)
{
	const struct option_table *titled = NULL;

	for (struct candidate n = { 0 }; next_default(c, &n);) {
		const struct option_table *table = config_catalogue(c)->tables[n.table];

		if (table != titled)
			fprintf(f, "\n; defaults of %s\n", table->module);
		titled = table;
		fputc(';', f);
		print_line(f, n.name, n.row->initial);
	}
}

void show_text(const struct config *c, FILE *f)
{
	struct setting s;

	fprintf(f, "[uwsgi]\n");
	for (size_t i = 0; next_setting(c, &i, &s);) {
		print_origin(f, s.from);
		print_line(f, s.name, s.value ? s.value : "");
		free(s.copy);
	}
	print_defaults(c, f);
}

/* ---- JSON ---- */

static json_t *describe(const char *name, const char *value, const struct directive *d)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "name", report_json_text(name), "value",
			 report_json_text(value), "file", report_json_text(d ? d->at.file : NULL),
			 "line", d && d->at.line > 0 ? json_integer(d->at.line) : json_null());
}

static json_t *describe_defaults(const struct config *c)
{
	json_t *list = json_array();

	for (struct candidate n = { 0 }; next_default(c, &n);)
		json_array_append_new(list, describe(n.name, n.row->initial, NULL));
	return list;
}

void show_json(const struct config *c, FILE *f)
{
	json_t *options = json_array(), *others = json_array(), *all;
	struct setting s;

	for (size_t i = 0; next_setting(c, &i, &s);) {
		json_array_append_new(s.option ? options : others,
				      describe(s.name, s.value, s.from));
		free(s.copy);
	}
	all = json_pack("{s:o, s:o, s:o}", "options", options, "placeholders", others, "defaults",
			describe_defaults(c));
	json_dumpf(all, f, JSON_INDENT(2));
	fputc('\n', f);
	json_decref(all);
}
