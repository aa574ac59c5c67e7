/* SPDX-License-Identifier: MIT */
/* environ.c: the environ of PEP 3333: a copy of a template with the request's variables.  Keys
 * that have been seen are kept, so that a common request makes no key strings. */
#include "internal.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A hash table by name, filled as names come, never emptied.  Clients choose names: when it is
 * three quarters full it stays as it is. */
#define KEYS 512u
static PyObject *keys[KEYS];
static size_t key_count;

/* FNV-1a. */
static uint32_t hash(struct slice s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h;
}

static bool is_key(PyObject *key, struct slice name)
{
	return (size_t)PyUnicode_GET_LENGTH(key) == name.n &&
	       !memcmp(PyUnicode_1BYTE_DATA(key), name.p, name.n);
}

/* A new reference. */
static PyObject *key_of(struct slice name)
{
	uint32_t i = hash(name) % KEYS;

	while (keys[i] && !is_key(keys[i], name))
		i = (i + 1) % KEYS;
	if (!keys[i]) {
		PyObject *key = PyUnicode_DecodeLatin1(name.p, (Py_ssize_t)name.n, NULL);

		if (!key || key_count >= KEYS / 4 * 3)
			return key;
		PyUnicode_InternInPlace(&key);
		keys[i] = key;
		key_count++;
	}
	Py_INCREF(keys[i]);
	return keys[i];
}

static int set_new(PyObject *dict, const char *name, PyObject *value)
{
	int failed = !value || PyDict_SetItemString(dict, name, value);

	Py_XDECREF(value);
	return failed;
}

static int set_file_wrapper(PyObject *dict)
{
	return !python.settings->no_file_wrapper &&
	       PyDict_SetItemString(dict, "wsgi.file_wrapper", (PyObject *)&file_wrapper_type);
}

int environ_prepare(void)
{
	PyObject *t = PyDict_New(), *errors = PySys_GetObject("stderr"); /* borrowed */
	char host[256] = "";

	gethostname(host, sizeof host - 1);
	if (!t || PyType_Ready(&input_type) || PyType_Ready(&start_response_type) ||
	    PyType_Ready(&file_wrapper_type) ||
	    set_new(t, "SCRIPT_NAME", PyUnicode_FromString("")) ||
	    set_new(t, "PATH_INFO", PyUnicode_FromString("")) ||
	    set_new(t, "wsgi.version", Py_BuildValue("(ii)", 1, 0)) ||
	    (errors && PyDict_SetItemString(t, "wsgi.errors", errors)) ||
	    set_new(t, "wsgi.multithread", PyBool_FromLong(python.info->threads > 1)) ||
	    set_new(t, "wsgi.multiprocess", PyBool_FromLong(python.info->processes > 1)) ||
	    set_new(t, "wsgi.run_once", PyBool_FromLong(0)) ||
	    set_new(t, "wsgi.input_terminated", PyBool_FromLong(1)) ||
	    set_new(t, "wsgi.url_scheme", PyUnicode_FromString("http")) ||
	    set_new(t, "uwsgi.version", PyBytes_FromString(BEHAVES_AS)) ||
	    set_new(t, "uwsgi.node", PyBytes_FromString(host)) || set_file_wrapper(t)) {
		Py_XDECREF(t);
		return -1;
	}
	python.environ_template = t;
	return 0;
}

/* CGI has these without HTTP_; nginx sends both, and PEP 3333 wants the latter absent. */
static bool is_doubled(struct slice name)
{
	return (name.n == 17 && !memcmp(name.p, "HTTP_CONTENT_TYPE", 17)) ||
	       (name.n == 19 && !memcmp(name.p, "HTTP_CONTENT_LENGTH", 19));
}

static int set_variable(PyObject *environ, const struct var *v)
{
	PyObject *key = key_of(v->name);
	PyObject *value = PyUnicode_DecodeLatin1(v->value.p, (Py_ssize_t)v->value.n, NULL);
	int failed = !key || !value || PyDict_SetItem(environ, key, value);

	Py_XDECREF(key);
	Py_XDECREF(value);
	return failed;
}

/* UWSGI_SCHEME, else whether HTTPS is on; REQUEST_SCHEME says nothing, as in uWSGI. */
static int set_scheme(PyObject *environ, const struct request *rq)
{
	struct slice scheme = uwsgi_request_find(rq, SLICE("UWSGI_SCHEME"));
	struct slice https = uwsgi_request_find(rq, SLICE("HTTPS"));
	bool secure = (https.n == 2 && !strncasecmp(https.p, "on", 2)) ||
		      (https.n == 1 && *https.p == '1');

	if (scheme.n == 0 && secure)
		scheme = SLICE("https");
	if (scheme.n == 0)
		return 0;
	return set_new(environ, "wsgi.url_scheme",
		       PyUnicode_DecodeLatin1(scheme.p, (Py_ssize_t)scheme.n, NULL));
}

PyObject *environ_new(const struct request *rq, PyObject *input)
{
	PyObject *environ = PyDict_Copy(python.environ_template);
	size_t count;
	const struct var *vars = uwsgi_request_vars(rq, &count);
	int failed = !environ || PyDict_SetItemString(environ, "wsgi.input", input);

	for (size_t i = 0; !failed && i < count; i++)
		failed = !is_doubled(vars[i].name) && set_variable(environ, &vars[i]);
	if (failed || set_scheme(environ, rq))
		Py_CLEAR(environ);
	return environ;
}
