/* SPDX-License-Identifier: MIT */
/* key_cache.c: the names of variables as Python strings, and with each its last short value: most
 * variables are the same from request to request, and cost no new string.  One for the process,
 * under the GIL.  Names that every web server sends are there for good.  Clients choose the others:
 * a new one takes the place of an old one, so that names which nobody sends twice get nowhere. */
#include "internal.h"

#include <stdlib.h>

enum { SETS = 256, WAYS = 4, NAME_LONGEST = 128, VALUE_MAX = 64 };

/* What CGI, nginx's *_params files, browsers and proxies name. */
static const char *const usual[] = {
	"AUTH_TYPE",
	"CONTENT_LENGTH",
	"CONTENT_TYPE",
	"DOCUMENT_ROOT",
	"DOCUMENT_URI",
	"FCGI_ROLE",
	"GATEWAY_INTERFACE",
	"HTTPS",
	"HTTP_ACCEPT",
	"HTTP_ACCEPT_ENCODING",
	"HTTP_ACCEPT_LANGUAGE",
	"HTTP_AUTHORIZATION",
	"HTTP_CACHE_CONTROL",
	"HTTP_CONNECTION",
	"HTTP_COOKIE",
	"HTTP_DNT",
	"HTTP_EXPECT",
	"HTTP_FORWARDED",
	"HTTP_HOST",
	"HTTP_IF_MODIFIED_SINCE",
	"HTTP_IF_NONE_MATCH",
	"HTTP_KEEP_ALIVE",
	"HTTP_ORIGIN",
	"HTTP_PRAGMA",
	"HTTP_PRIORITY",
	"HTTP_RANGE",
	"HTTP_REFERER",
	"HTTP_SEC_CH_UA",
	"HTTP_SEC_CH_UA_MOBILE",
	"HTTP_SEC_CH_UA_PLATFORM",
	"HTTP_SEC_FETCH_DEST",
	"HTTP_SEC_FETCH_MODE",
	"HTTP_SEC_FETCH_SITE",
	"HTTP_SEC_FETCH_USER",
	"HTTP_TE",
	"HTTP_TRACEPARENT",
	"HTTP_UPGRADE_INSECURE_REQUESTS",
	"HTTP_USER_AGENT",
	"HTTP_VIA",
	"HTTP_X_CSRFTOKEN",
	"HTTP_X_FORWARDED_FOR",
	"HTTP_X_FORWARDED_HOST",
	"HTTP_X_FORWARDED_PORT",
	"HTTP_X_FORWARDED_PROTO",
	"HTTP_X_REAL_IP",
	"HTTP_X_REQUESTED_WITH",
	"HTTP_X_REQUEST_ID",
	"PATH_INFO",
	"QUERY_STRING",
	"REDIRECT_STATUS",
	"REMOTE_ADDR",
	"REMOTE_PORT",
	"REMOTE_USER",
	"REQUEST_METHOD",
	"REQUEST_SCHEME",
	"REQUEST_URI",
	"SCRIPT_FILENAME",
	"SCRIPT_NAME",
	"SERVER_ADDR",
	"SERVER_NAME",
	"SERVER_PORT",
	"SERVER_PROTOCOL",
	"SERVER_SOFTWARE",
	"UWSGI_SCHEME",
};

/* The hash of a name says in which set it may be, if anywhere. */
struct set {
	struct kept at[WAYS];
	unsigned char usual; /* the first so many are there for good */
	unsigned char next;  /* counts the others that came */
};

struct key_cache {
	uint64_t seed;
	struct set sets[SETS];
};

static PyObject *latin1(struct slice s)
{
	return PyUnicode_DecodeLatin1(s.p, (Py_ssize_t)s.n, NULL);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

/* It only has to spread what is usual: names made to meet in one set drive each other out of it. */
static struct set *set_of(struct key_cache *cache, struct slice name)
{
	uint64_t hash = cache->seed ^ name.n, word = 0;
	const char *p = name.p;
	size_t left = name.n;

	for (; left >= sizeof word; p += sizeof word, left -= sizeof word) {
		memcpy(&word, p, sizeof word);
		hash = mix(hash, word);
	}
	if (name.n >= sizeof word) {
		memcpy(&word, name.p + name.n - sizeof word, sizeof word);
	} else {
		for (word = 0; left > 0; left--)
			word = word << 8 | (unsigned char)*p++;
	}
	return &cache->sets[mix(hash, word) % SETS];
}

static int keep_usual(struct key_cache *cache)
{
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		struct set *set = set_of(cache, (struct slice){ usual[i], strlen(usual[i]) });
		PyObject *name = PyUnicode_InternFromString(usual[i]);

		if (!name)
			return -1;
		if (set->usual == WAYS) {
			Py_DECREF(name); /* made anew each time, as others that find no place */
			continue;
		}
		set->at[set->usual++].name = name;
	}
	return 0;
}

struct key_cache *key_cache_new(void)
{
	struct key_cache *cache = calloc(1, sizeof *cache);
	/* As random as Python's own hashes, and like them constant with PYTHONHASHSEED. */
	PyObject *text = PyUnicode_FromString("key_cache");

	if (cache && text) {
		cache->seed = (uint64_t)PyObject_Hash(text);
		if (keep_usual(cache)) {
			free(cache);
			cache = NULL;
		}
	}
	Py_XDECREF(text);
	return cache;
}

static struct kept *find(struct set *set, struct slice name)
{
	for (size_t i = 0; i < WAYS && set->at[i].name; i++)
		if (latin1_is(set->at[i].name, name))
			return &set->at[i];
	return NULL;
}

/* Not interned: some Pythons never let go of such strings. */
static struct kept *keep(struct set *set, struct slice name)
{
	PyObject *made = latin1(name);

	if (!made)
		return NULL;
	struct kept *kept = &set->at[set->usual + set->next++ % (WAYS - set->usual)];
	Py_XSETREF(kept->name, made);
	Py_CLEAR(kept->value);
	return kept;
}

int put_new(PyObject *dict, PyObject *name, PyObject *value)
{
	int failed = !name || !value || PyDict_SetItem(dict, name, value);

	Py_XDECREF(value);
	return failed;
}

static int set_new(PyObject *dict, const struct var *v)
{
	PyObject *name = latin1(v->name);
	int failed = put_new(dict, name, latin1(v->value));

	Py_XDECREF(name);
	return failed;
}

const struct kept *key_cache_find(struct key_cache *cache, struct slice name)
{
	return find(set_of(cache, name), name);
}

int key_cache_set(struct key_cache *cache, PyObject *dict, const struct var *v)
{
	struct set *set = set_of(cache, v->name);
	struct kept *kept = find(set, v->name);

	if (!kept && environ_drops(v->name))
		return 0;
	if (!kept && (set->usual == WAYS || v->name.n > NAME_LONGEST))
		return set_new(dict, v);
	if (!kept)
		kept = keep(set, v->name);
	if (!kept)
		return -1;
	if (kept->value && latin1_is(kept->value, v->value))
		return PyDict_SetItem(dict, kept->name, kept->value);
	PyObject *value = latin1(v->value);
	if (value && v->value.n <= VALUE_MAX) {
		Py_INCREF(value);
		Py_XSETREF(kept->value, value);
	}
	return put_new(dict, kept->name, value);
}
