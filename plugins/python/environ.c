/* SPDX-License-Identifier: MIT */
/* environ.c: the environ of PEP 3333: a copy of a lane's template with the request's variables, or
 * of one that has their names already (shape.c).  Its strings are those of key_cache.c. */
#include "internal.h"

#include <unistd.h>

static bool begins(struct slice name, struct slice with)
{
	return name.n >= with.n && !memcmp(name.p, with.p, with.n);
}

/* What no web server has a say in: the server's own keys; HTTP_PROXY, which a client sends as Proxy
 * and libraries take for the environment's.  And what CGI has without HTTP_: nginx sends both, and
 * PEP 3333 wants these absent. */
bool environ_drops(struct slice name)
{
	switch (name.n) {
	case 10:
		if (!memcmp(name.p, "HTTP_PROXY", 10))
			return true;
		break;
	case 17:
		if (!memcmp(name.p, "HTTP_CONTENT_TYPE", 17))
			return true;
		break;
	case 19:
		if (!memcmp(name.p, "HTTP_CONTENT_LENGTH", 19))
			return true;
		break;
	}
	return begins(name, SLICE("wsgi.")) || begins(name, SLICE("uwsgi."));
}

static bool is_on(const struct request *rq, struct slice name)
{
	struct slice value = uwsgi_request_find(rq, name);

	return uwsgi_same_name(value, SLICE("on")) || uwsgi_same_name(value, SLICE("1"));
}

/* UWSGI_SCHEME, which the web server sets; else whether its HTTPS is on; else what a proxy in front
 * of it says, if that one is believed.  REQUEST_SCHEME says nothing, as in uWSGI. */
static bool is_https(const struct request *rq)
{
	struct slice scheme = uwsgi_request_find(rq, SLICE("UWSGI_SCHEME"));

	if (uwsgi_same_name(scheme, SLICE("http")) || uwsgi_same_name(scheme, SLICE("https")))
		return scheme.n == 5;
	if (is_on(rq, SLICE("HTTPS")))
		return true;
	scheme = uwsgi_request_find(rq, SLICE("HTTP_X_FORWARDED_PROTO"));
	if (uwsgi_same_name(scheme, SLICE("http")))
		return false;
	return (uwsgi_same_name(scheme, SLICE("https")) ||
		is_on(rq, SLICE("HTTP_X_FORWARDED_SSL"))) &&
	       uwsgi_request_trusts_forwarded(rq);
}

bool environ_is_telling(struct slice name)
{
	return uwsgi_same_name(name, SLICE("UWSGI_SCHEME")) ||
	       uwsgi_same_name(name, SLICE("HTTPS")) ||
	       uwsgi_same_name(name, SLICE("HTTP_TRACEPARENT")) ||
	       uwsgi_same_name(name, SLICE("HTTP_X_FORWARDED_PROTO")) ||
	       uwsgi_same_name(name, SLICE("HTTP_X_FORWARDED_SSL"));
}

static PyObject *make(const struct lane *lane, const struct var *vars, size_t count)
{
	PyObject *env = PyDict_Copy(lane->template);
	int failed = !env;

	for (size_t i = 0; !failed && i < count; i++)
		failed = key_cache_set(lane->python->keys, env, &vars[i]);
	if (failed)
		Py_CLEAR(env);
	return env;
}

/* What follows from variables that are telling. */
static int set_meanings(PyObject *env, const struct names *names, const struct request *rq)
{
	struct slice trace = uwsgi_request_trace_id(rq);

	if (trace.p && put_new(env, names->trace_id,
			       PyUnicode_FromStringAndSize(trace.p, (Py_ssize_t)trace.n)))
		return -1;
	return is_https(rq) ? PyDict_SetItem(env, names->url_scheme, names->https) : 0;
}

PyObject *environ_new(const struct lane *lane, const struct request *rq)
{
	const struct names *names = &lane->python->names;
	size_t count;
	const struct var *vars = uwsgi_request_vars(rq, &count);
	bool plain = false;
	PyObject *env = shape_environ(lane, vars, count, &plain);

	if (!env && !PyErr_Occurred())
		env = make(lane, vars, count);
	if (env && (PyDict_SetItem(env, names->input, lane->input) ||
		    (!plain && set_meanings(env, names, rq))))
		Py_CLEAR(env);
	return env;
}

/* ---- the template ---- */

static int add(PyObject *dict, const char *name, PyObject *value)
{
	PyObject *key = value ? PyUnicode_InternFromString(name) : NULL;
	int failed = put_new(dict, key, value);

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
	    !add_borrowed(t, "wsgi.input", Py_None) && /* each request has its own */
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
	     !add_borrowed(t, "wsgi.file_wrapper", (PyObject *)py->types.file_wrapper)))
		return t;
	Py_XDECREF(t);
	return NULL;
}
