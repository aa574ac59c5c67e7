/* SPDX-License-Identifier: MIT */
/* failure.c: tells of Python exceptions.  The whole traceback goes to the log in one piece, so
 * that those of several processes do not mix. */
#include "internal.h"

/* "".join(traceback.format_exception(type, e, e.__traceback__)); NULL when even that fails. */
static PyObject *format_exception(PyObject *exception)
{
	PyObject *module = PyImport_ImportModule("traceback");
	PyObject *traceback = PyException_GetTraceback(exception);
	PyObject *lines = NULL, *empty = NULL, *text = NULL;

	if (module)
		lines = PyObject_CallMethod(module, "format_exception", "OOO", Py_TYPE(exception),
					    exception, traceback ? traceback : Py_None);
	if (lines)
		empty = PyUnicode_FromString("");
	if (empty)
		text = PyUnicode_Join(empty, lines);
	Py_XDECREF(module);
	Py_XDECREF(traceback);
	Py_XDECREF(lines);
	Py_XDECREF(empty);
	PyErr_Clear();
	return text;
}

static const char *utf8_of(PyObject *text, Py_ssize_t *n)
{
	const char *p = text ? PyUnicode_AsUTF8AndSize(text, n) : NULL;

	if (p)
		return p;
	PyErr_Clear(); /* lone surrogates, for example */
	*n = 0;
	return NULL;
}

PyObject *failure_log_and_keep(const char *what, const struct request *rq)
{
	PyObject *exception = compat_take_exception();
	struct slice method = { "", 0 }, uri = { "", 0 };
	Py_ssize_t n;

	if (!exception)
		return NULL;
	PyObject *text = format_exception(exception);
	const char *p = utf8_of(text, &n);
	if (rq) {
		method = uwsgi_request_find(rq, SLICE("REQUEST_METHOD"));
		uri = uwsgi_request_find(rq, SLICE("REQUEST_URI"));
	}
	if (!p) {
		p = Py_TYPE(exception)->tp_name;
		n = (Py_ssize_t)strlen(p);
	}
	while (n > 0 && p[n - 1] == '\n')
		n--;
	uwsgi_log(UWSGI_ERROR, "%s%s%.*s%s%.*s:\n%.*s", what, rq ? " " : "", (int)method.n,
		  method.n ? method.p : "", rq ? " " : "", (int)uri.n, uri.n ? uri.p : "", (int)n, p);
	Py_DECREF(exception);
	PyErr_Clear();
	return text;
}

void failure_log(const char *what, const struct request *rq)
{
	Py_XDECREF(failure_log_and_keep(what, rq));
}

int failure_describe(struct error *e, const char *what)
{
	PyObject *exception = compat_take_exception();
	PyObject *text = exception ? PyObject_Str(exception) : NULL;
	Py_ssize_t n;
	const char *p = utf8_of(text, &n);

	uwsgi_error_set(e, "%s: %s: %.*s", what,
			exception ? Py_TYPE(exception)->tp_name : "unknown error", (int)n,
			p ? p : "");
	Py_XDECREF(text);
	Py_XDECREF(exception);
	PyErr_Clear();
	return -1;
}
