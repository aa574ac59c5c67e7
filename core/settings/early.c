/* SPDX-License-Identifier: MIT */
/* early.c: what must be known before all keys are read: the name of an included file, what a
 * condition asks.  keys.c and keys_file.c call it.  It looks at the keys that are there so far
 * and adds none. */
#include "settings/early.h"

#include "settings/expand.h"
#include "settings/source.h"

#include <string.h>

enum { NAME_TRIES = 8 };

struct early {
	struct reader *reader;
	int tries; /* ends circles */
};

static const char *replace(struct early *early, const char *value);

static const char *find(void *user, const char *name)
{
	struct early *early = user;

	if (early->tries-- <= 0)
		return NULL;
	struct key *key = keys_find(early->reader->keys, name);
	if (!key)
		return NULL;
	key->used = true;
	return key->value ? replace(early, key->value) : "";
}

static const char *replace(struct early *early, const char *value)
{
	const struct keys_context *context = early->reader->context;

	value = expand_environment(context->arena, value, context->invocation->environ_, NULL);
	return value ? expand_names(context->arena, value, find, early, NULL) : NULL;
}

const char *early_value(struct reader *r, const char *value)
{
	struct early early = { r, NAME_TRIES };
	const char *known = replace(&early, value);

	return known ? known : value;
}

/* ---- what conditions and loops ask ---- */

static const char *ask_known(void *user, const char *text)
{
	return early_value(user, text);
}

static const char *ask_variable(void *user, const char *name)
{
	struct reader *r = user;
	size_t n = strlen(name);

	for (char **v = r->context->invocation->environ_; v && *v; v++)
		if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
			return *v + n + 1;
	return NULL;
}

static bool ask_key(void *user, const char *name, const char *value)
{
	struct reader *r = user;

	struct key *key = keys_find(r->keys, name);

	if (key)
		key->used = true;
	for (; key; key = keys_next(r->keys, key))
		if (!value || (key->value && strcmp(early_value(r, key->value), value) == 0))
			return true;
	return false;
}

static bool ask_plugin(void *user, const char *name)
{
	const struct invocation *invocation = ((struct reader *)user)->context->invocation;

	return invocation->has_plugin && invocation->has_plugin(invocation->plugins, name);
}

static char *ask_file(void *user, const char *path, size_t *n, struct error *e)
{
	struct reader *r = user;
	const char *absolute =
		source_absolute(r->context->arena, r->context->invocation->cwd, path);

	if (!absolute) {
		uwsgi_error_set(e, "out of memory");
		return NULL;
	}
	return source_read(absolute, n, e);
}

struct logic_facts early_facts(struct reader *r)
{
	return (struct logic_facts){ .variable = ask_variable,
				     .is_set = ask_key,
				     .has_plugin = ask_plugin,
				     .read = ask_file,
				     .known = ask_known,
				     .cwd = r->context->invocation->cwd,
				     .is_reload = r->context->invocation->is_reload,
				     .user = r };
}
