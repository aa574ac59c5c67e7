/* SPDX-License-Identifier: MIT */
/* running.c: the functions of `import uwsgi` that are about the request which runs: words for its
 * line in the log, which the core keeps with it, and its body in blocks. */
#include "internal.h"

/* The lane whose request this thread runs, if any: these functions are not told which. */
static _Thread_local const struct lane *running;

void running_begin(const struct lane *lane)
{
	running = lane;
}

void running_end(void)
{
	running = NULL;
}

static bool check_running(void)
{
	if (!running)
		PyErr_SetString(PyExc_RuntimeError, "this thread runs no request");
	return running != NULL;
}

PyObject *running_set_logvar(PyObject *self, PyObject *arguments)
{
	struct slice name, value;
	Py_ssize_t name_length, value_length;

	(void)self;
	if (!PyArg_ParseTuple(arguments, "s#s#:set_logvar", &name.p, &name_length, &value.p,
			      &value_length) ||
	    !check_running())
		return NULL;
	name.n = (size_t)name_length;
	value.n = (size_t)value_length;
	uwsgi_request_set_logvar(running->rq, name, value);
	Py_RETURN_NONE;
}

PyObject *running_get_logvar(PyObject *self, PyObject *arguments)
{
	struct slice name;
	Py_ssize_t length;

	(void)self;
	if (!PyArg_ParseTuple(arguments, "s#:get_logvar", &name.p, &length) || !check_running())
		return NULL;
	name.n = (size_t)length;
	struct slice value = uwsgi_request_logvar(running->rq, name);
	if (!value.p)
		Py_RETURN_NONE;
	return PyBytes_FromStringAndSize(value.p, (Py_ssize_t)value.n);
}

/* As harakiri, whatever that is; a thread of the application's own has no request to end. */
PyObject *running_set_user_harakiri(PyObject *self, PyObject *seconds)
{
	double s = PyFloat_AsDouble(seconds);

	(void)self;
	if ((s == -1 && PyErr_Occurred()) || !check_running())
		return NULL;
	if (!(s >= 0 && s < 1e9)) {
		PyErr_SetString(PyExc_ValueError, "set_user_harakiri() takes seconds; 0: no limit");
		return NULL;
	}
	where_prepare();
	uwsgi_request_limit(running->rq, s > 0 && s < 0.001 ? 1 : (int64_t)(s * 1000));
	Py_RETURN_NONE;
}

/* The body is here already, so there is no time to wait; what the chunks were is forgotten. */
PyObject *running_chunked_read(PyObject *self, PyObject *arguments)
{
	int timeout_s;

	(void)self;
	if (!PyArg_ParseTuple(arguments, "|i:chunked_read", &timeout_s) || !check_running())
		return NULL;
	return input_block(running->input);
}

PyObject *running_chunked_read_nb(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return check_running() ? input_block(running->input) : NULL;
}
