/* SPDX-License-Identifier: MIT */
/* failure.c: tells of Python exceptions.  The whole traceback goes to the log in one piece, so
 * that those of several processes do not mix.  A stray ends by its exception instead. */
#include "internal.h"

#include <string.h>

/* "" for what has no UTF-8: it is none of the lines that are looked for. */
static const char *text_of(PyObject *line)
{
	const char *text = PyUnicode_AsUTF8(line);

	PyErr_Clear();
	return text ? text : "";
}

static bool begins_with(PyObject *line, const char *words)
{
	return strncmp(text_of(line), words, strlen(words)) == 0;
}

/* The lines without those of the import system, and without a heading that nothing is left
 * below. */
static PyObject *leave_out_importlib(PyObject *lines)
{
	PyObject *kept = PyList_New(0), *heading = NULL;

	for (Py_ssize_t i = 0; kept && i < PyList_GET_SIZE(lines); i++) {
		PyObject *line = PyList_GET_ITEM(lines, i);

		if (begins_with(line, "  File \"<frozen importlib."))
			continue;
		if (begins_with(line, "Traceback (")) {
			heading = line;
			continue;
		}
		/* The place of a syntax error looks like a frame, but is in no function. */
		if (heading && strstr(text_of(line), ", in "))
			PyList_Append(kept, heading);
		heading = NULL;
		PyList_Append(kept, line);
	}
	return kept;
}

/* The log ends a message at a NUL, which the words of a client may have. */
static PyObject *without_nul(PyObject *text)
{
	PyObject *nul = PyUnicode_FromStringAndSize("", 1), *escape = PyUnicode_FromString("\\x00");
	PyObject *without = nul && escape ? PyUnicode_Replace(text, nul, escape, -1) : NULL;

	Py_XDECREF(nul);
	Py_XDECREF(escape);
	Py_DECREF(text);
	return without;
}

/* "".join(traceback.format_exception(type, e, e.__traceback__)) in UTF-8; NULL when even that
 * fails. */
static PyObject *format_exception(PyObject *exception)
{
	PyObject *module = PyImport_ImportModule("traceback");
	PyObject *traceback = PyException_GetTraceback(exception);
	PyObject *lines = NULL, *kept = NULL, *empty = NULL, *text = NULL, *bytes = NULL;

	if (module)
		lines = PyObject_CallMethod(module, "format_exception", "OOO", Py_TYPE(exception),
					    exception, traceback ? traceback : Py_None);
	if (lines)
		kept = leave_out_importlib(lines);
	if (kept)
		empty = PyUnicode_FromString("");
	if (empty)
		text = PyUnicode_Join(empty, kept);
	if (text)
		text = without_nul(text);
	if (text)
		bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
	Py_XDECREF(module);
	Py_XDECREF(traceback);
	Py_XDECREF(lines);
	Py_XDECREF(kept);
	Py_XDECREF(empty);
	Py_XDECREF(text);
	PyErr_Clear();
	return bytes;
}

/* " GET /path" */
static void request_line(const struct request *rq, char *line, size_t size)
{
	char method[64], uri[1536];

	uwsgi_escape(method, sizeof method, uwsgi_request_find(rq, SLICE("REQUEST_METHOD")));
	uwsgi_escape(uri, sizeof uri, uwsgi_request_find(rq, SLICE("REQUEST_URI")));
	snprintf(line, size, " %s %s", method, uri);
}

/* The traceback as bytes, or NULL. */
static PyObject *log_exception(PyObject *exception, const char *what, const struct request *rq)
{
	PyObject *bytes = format_exception(exception);
	const char *text = bytes ? PyBytes_AS_STRING(bytes) : Py_TYPE(exception)->tp_name;
	size_t n = bytes ? (size_t)PyBytes_GET_SIZE(bytes) : strlen(text);
	char line[2048] = "";

	if (rq)
		request_line(rq, line, sizeof line);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	uwsgi_log(UWSGI_ERROR, "%s%s:\n%.*s", what, line, (int)n, text);
	if (rq)
		costly_judge(exception, rq);
	return bytes;
}

PyObject *failure_log_and_keep(const char *what, const struct request *rq)
{
	stray_leave();

	PyObject *exception = compat_take_exception();
	PyObject *text = exception ? log_exception(exception, what, rq) : NULL;

	Py_XDECREF(exception);
	PyErr_Clear(); /* what the end of the exception may have raised */
	return text;
}

void failure_log(const char *what, const struct request *rq)
{
	Py_XDECREF(failure_log_and_keep(what, rq));
}

int failure_report(struct error *e, const char *what)
{
	stray_leave();

	PyObject *exception = compat_take_exception();

	if (!exception)
		return uwsgi_error_set(e, "%s", what);
	Py_XDECREF(log_exception(exception, what, NULL));
	PyObject *text = PyObject_Str(exception);
	const char *p = text ? PyUnicode_AsUTF8(text) : NULL;

	uwsgi_error_set(e, "%s: %s%s%s", what, Py_TYPE(exception)->tp_name, p && *p ? ": " : "",
			p ? p : "");
	Py_XDECREF(text);
	Py_DECREF(exception);
	PyErr_Clear();
	return -1;
}
