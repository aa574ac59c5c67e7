/* SPDX-License-Identifier: MIT */
/* keys.c: cuts a value of the form KEY=VALUE,KEY=VALUE, and stores each as the table of its option says. */
#include "settings/keys.h"

#include "base/signalname.h"
#include "base/slice.h"
#include "settings/config.h"
#include "settings/nearest.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEYS_MAX = 32 };

int key_text(const struct key *key, void *to, const char *value, struct error *e)
{
	(void)e;
	*(const char **)((char *)to + key->offset) = value;
	return 0;
}

/* As uWSGI reads it. */
int key_flag(const struct key *key, void *to, const char *value, struct error *e)
{
	(void)e;
	*(bool *)((char *)to + key->offset) =
		strcmp(value, "0") != 0 && strcasecmp(value, "false") != 0;
	return 0;
}

static int set_number(const struct key *key, void *to, const char *value, long long most,
		      const char *unit, struct error *e)
{
	char *end;
	long long n = strtoll(value, &end, 10); /* "+5" and " 5", too, as uWSGI reads it */

	if (end == value || *end || n < 0 || n > most)
		return uwsgi_error_set(e, "%s: \"%.64s\" is no number of %s", key->name, value,
				       unit);
	*(long long *)((char *)to + key->offset) = n;
	return 0;
}

int key_seconds(const struct key *key, void *to, const char *value, struct error *e)
{
	return set_number(key, to, value, 86400LL * 365, "seconds", e);
}

int key_bytes(const struct key *key, void *to, const char *value, struct error *e)
{
	return set_number(key, to, value, LLONG_MAX, "bytes", e);
}

int key_signal(const struct key *key, void *to, const char *value, struct error *e)
{
	return signalname_read(value, (int *)((char *)to + key->offset), e);
}

static const struct key *find(const struct keys *keys, struct slice name, struct error *e)
{
	const char *names[KEYS_MAX];

	assert(keys->count <= KEYS_MAX);
	for (size_t i = 0; i < keys->count; i++) {
		names[i] = keys->rows[i].name;
		if (slice_is(name, names[i]))
			return &keys->rows[i];
	}
	nearest_refuse("key", name, names, keys->count, e);
	return NULL;
}

/* Ends the pair that begins at text, takes out its backslashes, and returns the next one; NULL: it is the
 * last. */
static char *cut_pair(char *text)
{
	char *to = text;

	for (; *text && *text != ','; text++) {
		if (text[0] == '\\' && text[1] == ',')
			text++;
		*to++ = *text;
	}
	char *next = *text ? text + 1 : NULL;

	*to = '\0';
	return next;
}

int keys_read(const struct keys *keys, char *text, void *to, struct error *e)
{
	for (char *pair = text, *next; pair; pair = next) {
		next = cut_pair(pair);
		if (!*pair) /* uWSGI passes over a comma too many */
			continue;
		char *equals = strchr(pair, '=');

		if (equals)
			*equals = '\0';
		const struct key *key = find(keys, slice_of(pair), e);

		if (!key || (key->set && key->set(key, to, equals ? equals + 1 : "1", e)))
			return -1;
	}
	return 0;
}

void keys_doubt(const struct keys *keys, struct slice text, const struct config *cfg,
		struct report *report, const char *option, const char *item, const char *why)
{
	char *copy = strndup(text.p, text.n);

	for (char *pair = copy, *next; pair; pair = next) {
		next = cut_pair(pair);
		pair[strcspn(pair, "=")] = '\0';
		for (size_t i = 0; i < keys->count; i++)
			if (!keys->rows[i].set && strcmp(pair, keys->rows[i].name) == 0)
				uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, option, item,
							"the key %s does nothing here%s", pair,
							why);
	}
	free(copy);
}
