/* SPDX-License-Identifier: MIT */
/* logvar.c: uwsgi.set_logvar() and get_logvar(): words of the application for the line that the
 * running request leaves in the log.  The core keeps them, with the request. */
#include "internal.h"

/* The request that this thread runs, if any: these functions are not told which. */
static _Thread_local struct request *running;

void logvar_begin(struct request *rq)
{
	running = rq;
}

void logvar_end(void)
{
	running = NULL;
}

static bool check_running(void)
{
	if (!running)
		PyErr_SetString(PyExc_RuntimeError, "this thread runs no request");
	return running != NULL;
}

PyObject *logvar_set(PyObject *self, PyObject *arguments)
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
	uwsgi_request_set_logvar(running, name, value);
	Py_RETURN_NONE;
}

PyObject *logvar_get(PyObject *self, PyObject *arguments)
{
	struct slice name;
	Py_ssize_t length;

	(void)self;
	if (!PyArg_ParseTuple(arguments, "s#:get_logvar", &name.p, &length) || !check_running())
		return NULL;
	name.n = (size_t)length;
	struct slice value = uwsgi_request_logvar(running, name);
	if (!value.p)
		Py_RETURN_NONE;
	return PyBytes_FromStringAndSize(value.p, (Py_ssize_t)value.n);
}
