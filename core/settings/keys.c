/* SPDX-License-Identifier: MIT */
/* keys.c: collects what a user set: first UWSGI_* of the environment, then the command line,
 * with each ini file in the place where it is named, then files named without an option.
 * config.c calls it and judges the keys; here only those are understood that bring more keys
 * (ini, set).  Then $(NAME) and %(name) are replaced, over all keys, so that a name may be used
 * before it is set. */
#include "settings/keys.h"

#include "settings/command_line.h"
#include "settings/early.h"
#include "settings/expand.h"
#include "settings/fetch.h"
#include "settings/keys_file.h"
#include "settings/otherfile.h"
#include "settings/source.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEYS_MAX = 200000, /* loops in loops end here */
	DEPTH_MAX = 1000,
};

void keys_fini(struct keys *k)
{
	free(k->items);
	lookup_fini(&k->names);
	*k = (struct keys){ 0 };
}

struct key *keys_find(const struct keys *k, const char *name)
{
	size_t first = lookup_find(&k->names, name);

	return first == LOOKUP_NONE ? NULL : &k->items[first];
}

struct key *keys_next(const struct keys *k, const struct key *key)
{
	return key->next ? &k->items[key->next] : NULL;
}

/* To the others of its name.  One that is said to be a placeholder makes all of them used. */
static bool link_key(struct keys *k, size_t at)
{
	struct key *key = &k->items[at], *first = keys_find(k, key->name);

	key->next = 0;
	if (!first) {
		key->last = at;
		key->used = key->placeholder;
		return lookup_add(&k->names, key->name, at);
	}
	k->items[first->last].next = at;
	first->last = at;
	first->used = first->used || key->placeholder;
	return true;
}

static struct key *push(struct reader *r, const struct key *key)
{
	struct keys *k = r->keys;

	if (k->count == KEYS_MAX) {
		if (!r->full)
			report_add(r->context->report, UWSGI_ERROR, key->at,
				   "more than %d settings", KEYS_MAX);
		r->full = true;
		return NULL;
	}
	if (k->count == k->capacity) {
		size_t wanted = k->capacity ? k->capacity * 2 : 64;
		struct key *grown = reallocarray(k->items, wanted, sizeof *grown);

		if (!grown) {
			r->context->arena->failed = true;
			return NULL;
		}
		k->items = grown;
		k->capacity = wanted;
	}
	k->items[k->count] = *key;
	if (!link_key(k, k->count)) {
		r->context->arena->failed = true;
		return NULL;
	}
	return &k->items[k->count++];
}

static const char *copy(struct reader *r, const char *text)
{
	return text ? arena_copy(r->context->arena, (struct slice){ text, strlen(text) + 1 }).p
		    : NULL;
}

/* set = key=value is the key with the value. */
static void add_assignment(struct reader *r, const struct key *set, bool placeholder)
{
	struct key key = *set;
	const char *equals = set->value ? strchr(set->value, '=') : NULL;

	if (!set->value)
		return;
	if (!equals) {
		report_add(r->context->report, UWSGI_ERROR, set->at, "%s = %s: expected name=value",
			   set->name, set->value);
		return;
	}
	char *name = (char *)(uintptr_t)copy(r, set->value);
	if (!name)
		return;
	name[equals - set->value] = '\0';
	key.name = name;
	key.value = equals + 1;
	key.placeholder = placeholder;
	keys_add(r, &key);
}

/* Settings of the server, if there are any, and the application. */
static void include_paste(struct reader *r, const struct key *key, bool logged)
{
	struct arena *arena = r->context->arena;
	const char *given = key->value ? early_value(r, key->value) : NULL;
	struct key paste = *key, logger = *key;
	struct text uri = { 0 };

	if (!given)
		return;
	keys_file_read(r, given, FILE_PASTE, key->at);
	const char *path = source_absolute(arena, r->context->invocation->cwd, given);
	text_addf(&uri, "config:%s", path ? path : given);
	paste.name = "paste";
	paste.value = text_take(&uri, arena);
	logger.name = "paste-logger";
	logger.value = NULL;
	if (paste.value)
		keys_add(r, &paste);
	if (logged)
		keys_add(r, &logger);
}

void keys_add(struct reader *r, const struct key *given)
{
	struct option_at at;
	struct key key = *given;
	const char *name;

	key.name = copy(r, given->name);
	key.value = copy(r, given->value);
	key.at.file = copy(r, given->at.file);
	const char *other = key.name && !key.placeholder ? otherfile_of_option(key.name) : NULL;
	key.placeholder = key.placeholder || other; /* what there is to say is said here */
	if (!key.name || (given->value && !key.value) || !push(r, &key))
		return;
	if (other)
		keys_file_include(r, &key, strcmp(other, "XML") ? FILE_YAML : FILE_XML);
	if (key.placeholder)
		return;
	if (!catalogue_find(r->context->catalogue, key.name, &at))
		return;
	name = at.row->name;
	if (strcmp(name, "ini") == 0)
		keys_file_include(r, &key, strcmp(key.name, "ini") ? FILE_BY_NAME : FILE_INI);
	else if (strcmp(name, "json") == 0)
		keys_file_include(r, &key, FILE_JSON);
	else if (strncmp(name, "ini-paste", 9) == 0)
		include_paste(r, &key, name[9]);
	else if (strcmp(name, "set") == 0)
		add_assignment(r, &key, false);
	else if (strcmp(name, "set-placeholder") == 0)
		add_assignment(r, &key, true);
}

void keys_take(struct reader *r, struct logic *logic, const struct key *given)
{
	const struct logic_facts facts = early_facts(r);
	struct key key = *given;
	struct error e;

	switch (logic_line(logic, &facts, key.name, key.value ? key.value : "", key.at.line, &e)) {
	case LOGIC_WRONG:
		report_add(r->context->report, UWSGI_ERROR, key.at, "%s", e.text);
		return;
	case LOGIC_DOUBTFUL:
		report_add(r->context->report, UWSGI_WARNING, key.at, "%s", e.text);
		return;
	case LOGIC_DONE:
		return;
	case LOGIC_NONE:
		break;
	}
	for (size_t i = 0; i < logic_count(logic) && !r->full; i++) {
		key.value = given->value ? logic_expand(logic, i, given->value) : NULL;
		keys_add(r, &key);
	}
}

/* ---- the environment ---- */

/* UWSGI_HTTP_SOCKET is http-socket. */
static void read_variable(struct reader *r, const char *variable)
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
	keys_add(r, &(struct key){ .name = name,
				   .value = equals[1] ? equals + 1 : NULL,
				   .at = { origin, 0 },
				   .source = KEY_ENVIRONMENT });
}

/* ---- the command line ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_configuration(const char *text)
{
	static const char *const ends[] = { ".ini", ".json", ".js", ".xml", ".yml", ".yaml" };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		const char *found = strstr(text, ends[i]);

		if (ends_with(text, ends[i]) || (found && found[strlen(ends[i])] == ':'))
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
static void read_operand(struct reader *r, const char *text)
{
	const struct origin at = { "command line", 0 };

	if (is_configuration(text)) {
		keys_file_read(r, text, FILE_BY_NAME, at);
		return;
	}
	if (ends_with(text, ".py") || ends_with(text, ".wsgi")) {
		keys_add(r, &(struct key){ .name = "wsgi-file",
					   .value = text,
					   .at = at,
					   .source = KEY_COMMAND_LINE });
		return;
	}
	report_add(r->context->report, UWSGI_ERROR, at,
		   "\"%s\" is neither an option nor a file that ends in .ini, .json, .py or .wsgi"
		   "%s%s",
		   text, is_module(text) ? "; an application is named with --module " : "",
		   is_module(text) ? text : "");
}

static void read_command_line(struct reader *r, bool operands)
{
	const struct invocation *invocation = r->context->invocation;
	const struct origin at = { "command line", 0 };
	struct logic logic = { .arena = r->context->arena };
	struct command_line c;
	struct error e;
	struct word w;
	int line;

	command_line_init(&c, r->context->catalogue, invocation->argc, invocation->argv);
	while (command_line_next(&c, &w) != WORD_END) {
		if (operands) {
			if (w.kind == WORD_OPERAND)
				read_operand(r, w.value);
		} else if (w.kind == WORD_BAD) {
			report_add(r->context->report, UWSGI_ERROR, at, "%s", w.e.text);
		} else if (w.kind == WORD_OPTION) {
			keys_take(r, &logic,
				  &(struct key){ .name = copy(r, w.name),
						 .value = w.value,
						 .at = at,
						 .source = KEY_COMMAND_LINE });
		}
	}
	if (!logic_end(&logic, &line, &e))
		report_add(r->context->report, UWSGI_WARNING, at, "%s", e.text);
}

/* ---- expansion ---- */

static bool is_text(const struct reader *r, const struct key *key)
{
	struct option_at at;

	return catalogue_find(r->context->catalogue, key->name, &at)
		       ? at.row->text
		       : uwsgi_names_find(key->name) != NULL;
}

/* In free text, and in what is not ours, the same notation may mean something else. */
static void doubt_missing(struct reader *r, const struct key *key, const char *missing)
{
	if (missing && key->source != KEY_ENVIRONMENT && !is_text(r, key))
		report_add(r->context->report, UWSGI_WARNING, key->at,
			   "%s: nothing defines %s; it stays as it is written", key->name, missing);
}

static const char *find_and_expand(void *user, const char *name);

static void expand_key(struct reader *r, struct key *key)
{
	const char *missing = NULL;

	if (key->state != KEY_RAW || !key->value)
		return;
	key->state = KEY_UNDER_WAY;
	const char *value =
		expand_names(r->context->arena, key->value, find_and_expand, r, &missing);
	key->state = KEY_EXPANDED;
	if (!value) {
		report_add(r->context->report, UWSGI_ERROR, key->at,
			   "%s: the value is too long once its names are replaced", key->name);
		return;
	}
	key->value = value;
	doubt_missing(r, key, missing);
}

/* The first one to set a name is its meaning, as in uWSGI.  A name that leads back to itself
 * means nothing. */
static const char *find_and_expand(void *user, const char *name)
{
	struct reader *r = user;

	struct key *key = keys_find(r->keys, name);

	if (!key || key->state == KEY_UNDER_WAY)
		return NULL;
	key->used = true;
	if (r->depth == DEPTH_MAX) {
		report_add(r->context->report, UWSGI_ERROR, key->at,
			   "%s: more than %d names lead to one another", key->name, DEPTH_MAX);
		return NULL;
	}
	r->depth++;
	expand_key(r, key);
	r->depth--;
	return key->value ? key->value : "";
}

/* Templates are read behind everything else, as in uWSGI; they may have templates. */
static void read_templates(struct reader *r)
{
	for (size_t i = 0; i < r->keys->count; i++) {
		const struct key key = r->keys->items[i];
		struct text name = { 0 };

		if (strcmp(key.name, "inherit") != 0 || !key.value || key.placeholder)
			continue;
		text_addf(&name, "%s%s", *key.value == ':' && key.at.file ? key.at.file : "",
			  early_value(r, key.value));
		const char *path = text_take(&name, r->context->arena);
		if (path)
			keys_file_read(r, path, FILE_BY_NAME, key.at);
	}
}

struct place_of_source {
	struct reader *reader;
	const struct key *key;
};

static const char *find_source(void *user, const char *what)
{
	const struct place_of_source *place = user;
	const struct keys_context *context = place->reader->context;
	struct error e;

	if (fetch_is_command(what) && (context->preview || context->invocation->no_commands))
		return NULL;
	const char *text = fetch(context->arena, context->invocation->cwd, what, &e);
	if (!text)
		report_add(context->report, UWSGI_ERROR, place->key->at, "%s: @(%s): %s",
			   place->key->name, what, e.text);
	return text;
}

static void expand_key_sources(struct reader *r, struct key *key)
{
	struct place_of_source place = { r, key };
	const char *value = expand_sources(r->context->arena, key->value, find_source, &place);

	if (value)
		key->value = value;
	else
		report_add(r->context->report, UWSGI_ERROR, key->at, "%s: the value is too long",
			   key->name);
}

static void expand_all(struct reader *r)
{
	for (size_t i = 0; i < r->keys->count; i++) {
		struct key *key = &r->keys->items[i];
		const char *missing = NULL, *value;

		if (!key->value)
			continue;
		value = expand_environment(r->context->arena, key->value,
					   r->context->invocation->environ_, &missing);
		if (value)
			key->value = value;
		doubt_missing(r, key, missing);
		expand_key_sources(r, key);
	}
	for (size_t i = 0; i < r->keys->count; i++)
		expand_key(r, &r->keys->items[i]);
}

void keys_read(struct keys *k, const struct keys_context *context)
{
	struct reader r = { .keys = k, .context = context };

	*k = (struct keys){ 0 };
	for (char **v = context->invocation->environ_; v && *v; v++)
		read_variable(&r, *v);
	read_command_line(&r, false);
	read_command_line(&r, true);
	read_templates(&r);
	expand_all(&r);
}
