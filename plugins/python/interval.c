/* SPDX-License-Identifier: MIT */
/* interval.c: sys.setswitchinterval() for a while.  A child that the application forks meanwhile has
 * its own again. */
#include "internal.h"

/* Of the process, as Python's is: the hook after a fork gets nothing that leads to it.  With the GIL. */
static struct {
	double before, wanted, ours; /* wanted 0: Python's is its own */
	bool hooked;
} interval;

static double get(void)
{
	PyObject *function = PySys_GetObject("getswitchinterval"); /* borrowed */
	PyObject *value = function ? PyObject_CallObject(function, NULL) : NULL;
	double seconds = value ? PyFloat_AsDouble(value) : 0;

	Py_XDECREF(value);
	PyErr_Clear();
	return seconds;
}

static void set(double seconds)
{
	PyObject *function = PySys_GetObject("setswitchinterval"); /* borrowed */
	PyObject *done = function ? PyObject_CallFunction(function, "d", seconds) : NULL;

	Py_XDECREF(done);
	PyErr_Clear();
}

static PyObject *after_fork(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	interval_restore();
	Py_RETURN_NONE;
}

static void hook_forks(void)
{
	static PyMethodDef method = { "restore_switch_interval", after_fork, METH_NOARGS, NULL };
	PyObject *os = PyImport_ImportModule("os");
	PyObject *hook = PyCFunction_New(&method, NULL), *function, *none, *keywords, *done = NULL;

	function = os ? PyObject_GetAttrString(os, "register_at_fork") : NULL;
	none = PyTuple_New(0);
	keywords = hook ? Py_BuildValue("{sO}", "after_in_child", hook) : NULL;
	if (function && none && keywords)
		done = PyObject_Call(function, none, keywords);
	interval.hooked = done != NULL;
	Py_XDECREF(done);
	Py_XDECREF(keywords);
	Py_XDECREF(none);
	Py_XDECREF(function);
	Py_XDECREF(hook);
	Py_XDECREF(os);
	PyErr_Clear();
}

void interval_set(double seconds)
{
	if (interval.wanted == seconds)
		return;
	if (!interval.hooked)
		hook_forks();
	if (interval.wanted == 0)
		interval.before = get();
	interval.wanted = seconds;
	/* One that is shorter anyway is left alone. */
	set(seconds < interval.before ? seconds : interval.before);
	interval.ours = get();
}

/* The application may have set it meanwhile. */
void interval_restore(void)
{
	if (interval.wanted != 0 && get() == interval.ours)
		set(interval.before);
	interval.wanted = 0;
}
