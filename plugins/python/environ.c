/* SPDX-License-Identifier: MIT */
/* environ.c: the environ of PEP 3333: a copy of a lane's template with the request's variables.
 * Names that have been seen are kept as strings, and with each the last short value: most
 * variables are the same from request to request, and cost no new string. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Clients choose names, so the table does not grow: when it is three quarters full, names that
 * it does not hold are made anew each time. */
enum { KEYS = 512, KEYS_MAX = KEYS / 4 * 3, KEPT_VALUE_MAX = 64 };

/* By name, open addressing.  The strings have one byte a character. */
struct key_cache {
	struct kept {
		PyObject *name, *value; /* NULL: none */
	} at[KEYS];
	size_t count;
};

struct key_cache *environ_keys_new(void)
{
	return calloc(1, sizeof(struct key_cache));
}

static PyObject *latin1(struct slice s)
{
	return PyUnicode_DecodeLatin1(s.p, (Py_ssize_t)s.n, NULL);
}

static bool is_same(PyObject *text, struct slice s)
{
	return (size_t)PyUnicode_GET_LENGTH(text) == s.n &&
	       (s.n == 0 || !memcmp(PyUnicode_1BYTE_DATA(text), s.p, s.n));
}

/* FNV-1a. */
static uint32_t hash(struct slice s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h;
}

/* The name's place, its own or a free one; NULL when there is no room for a new one. */
static struct kept *find(struct key_cache *keys, struct slice name)
{
	uint32_t i = hash(name) % KEYS;

	while (keys->at[i].name && !is_same(keys->at[i].name, name))
		i = (i + 1) % KEYS;
	return keys->at[i].name || keys->count < KEYS_MAX ? &keys->at[i] : NULL;
}

static int keep_name(struct key_cache *keys, struct kept *kept, struct slice name)
{
	PyObject *made = latin1(name);

	if (!made)
		return -1;
	PyUnicode_InternInPlace(&made);
	kept->name = made;
	keys->count++;
	return 0;
}

static int set_and_drop(PyObject *dict, PyObject *name, PyObject *value)
{
	int failed = !name || !value || PyDict_SetItem(dict, name, value);

	Py_XDECREF(value);
	return failed;
}

static int set_variable(struct key_cache *keys, PyObject *env, const struct var *v)
{
	struct kept *kept = find(keys, v->name);

	if (!kept) {
		PyObject *name = latin1(v->name);
		int failed = set_and_drop(env, name, latin1(v->value));

		Py_XDECREF(name);
		return failed;
	}
	if (!kept->name && keep_name(keys, kept, v->name))
		return -1;
	if (kept->value && is_same(kept->value, v->value))
		return PyDict_SetItem(env, kept->name, kept->value);
	PyObject *value = latin1(v->value);
	if (value && v->value.n <= KEPT_VALUE_MAX) {
		Py_INCREF(value);
		Py_XSETREF(kept->value, value);
	}
	return set_and_drop(env, kept->name, value);
}

/* CGI has these without HTTP_; nginx sends both, and PEP 3333 wants the latter absent. */
static bool is_doubled(struct slice name)
{
	return (name.n == 17 && !memcmp(name.p, "HTTP_CONTENT_TYPE", 17)) ||
	       (name.n == 19 && !memcmp(name.p, "HTTP_CONTENT_LENGTH", 19));
}

static bool says(struct slice s, const char *text)
{
	return s.n == strlen(text) && !strncasecmp(s.p, text, s.n);
}

static bool is_on(const struct request *rq, struct slice name)
{
	struct slice value = uwsgi_request_find(rq, name);

	return says(value, "on") || says(value, "1");
}

/* UWSGI_SCHEME, which the web server sets; else what a proxy in front of it says, if that is a
 * scheme at all; else whether HTTPS is on.  REQUEST_SCHEME says nothing, as in uWSGI. */
static int set_scheme(const struct names *names, PyObject *env, const struct request *rq)
{
	struct slice scheme = uwsgi_request_find(rq, SLICE("UWSGI_SCHEME"));
	struct slice forwarded = uwsgi_request_find(rq, SLICE("HTTP_X_FORWARDED_PROTO"));

	if (scheme.n > 0)
		return set_and_drop(env, names->url_scheme, latin1(scheme));
	if (says(forwarded, "http"))
		return 0;
	if (says(forwarded, "https") || is_on(rq, SLICE("HTTPS")) ||
	    is_on(rq, SLICE("HTTP_X_FORWARDED_SSL")))
		return PyDict_SetItem(env, names->url_scheme, names->https);
	return 0;
}

PyObject *environ_new(const struct lane *lane, const struct request *rq)
{
	const struct python *py = lane->python;
	PyObject *env = PyDict_Copy(lane->template);
	size_t count;
	const struct var *vars = uwsgi_request_vars(rq, &count);
	int failed = !env || PyDict_SetItem(env, py->names.input, lane->input);

	for (size_t i = 0; !failed && i < count; i++)
		failed = !is_doubled(vars[i].name) && set_variable(py->keys, env, &vars[i]);
	if (failed || set_scheme(&py->names, env, rq))
		Py_CLEAR(env);
	return env;
}

/* ---- the template ---- */

static int add(PyObject *dict, const char *name, PyObject *value)
{
	PyObject *key = value ? PyUnicode_InternFromString(name) : NULL;
	int failed = set_and_drop(dict, key, value);

	Py_XDECREF(key);
	return failed;
}

static int add_borrowed(PyObject *dict, const char *name, PyObject *value)
{
	Py_XINCREF(value);
	return add(dict, name, value);
}

PyObject *environ_template_new(const struct python *py, int lane)
{
	PyObject *t = PyDict_New(), *errors = PySys_GetObject("stderr"); /* borrowed */
	char host[256] = "";

	gethostname(host, sizeof host - 1);
	if (t && !add(t, "SCRIPT_NAME", PyUnicode_FromString("")) &&
	    !add(t, "PATH_INFO", PyUnicode_FromString("")) &&
	    !add(t, "wsgi.version", Py_BuildValue("(ii)", 1, 0)) &&
	    !add_borrowed(t, "wsgi.errors", errors ? errors : Py_None) &&
	    !add(t, "wsgi.multithread", PyBool_FromLong(py->info->threads > 1)) &&
	    !add(t, "wsgi.multiprocess", PyBool_FromLong(py->info->processes > 1)) &&
	    !add(t, "wsgi.run_once", PyBool_FromLong(0)) &&
	    !add(t, "wsgi.input_terminated", PyBool_FromLong(1)) &&
	    !add(t, "wsgi.url_scheme", PyUnicode_FromString("http")) &&
	    !add(t, "uwsgi.version", PyBytes_FromString(BEHAVES_AS)) &&
	    !add(t, "uwsgi.node", PyBytes_FromString(host)) &&
	    !add(t, "uwsgi.core", PyLong_FromLong(lane)) &&
	    (py->settings->no_file_wrapper ||
	     !add_borrowed(t, "wsgi.file_wrapper", (PyObject *)&file_wrapper_type)))
		return t;
	Py_XDECREF(t);
	return NULL;
}
