/* SPDX-License-Identifier: MIT */
/* stray.c: the end of a child that the application has forked and that did not end by itself: as a
 * Python program ends, but without the exit functions (atexit), which are the worker's. */
#include "internal.h"

#include <stdlib.h>
#include <unistd.h>

/* Consumes the exception.  SystemExit without a code is 0, with a number that number; any other code
 * is printed. */
static int exit_code_of(PyObject *exception)
{
	PyObject *code = PyObject_GetAttrString(exception, "code");
	int number = EXIT_FAILURE;

	if (!code || code == Py_None) {
		number = EXIT_SUCCESS;
	} else if (PyLong_Check(code)) {
		number = (int)PyLong_AsLong(code);
	} else {
		PyObject *text = PyObject_Str(code);

		if (text)
			PySys_FormatStderr("%U\n", text);
		Py_XDECREF(text);
	}
	PyErr_Clear();
	Py_XDECREF(code);
	Py_DECREF(exception);
	return number;
}

void stray_leave(void)
{
	int code = EXIT_SUCCESS;

	if (!uwsgi_is_stray())
		return;
	if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_SystemExit)) {
		code = exit_code_of(compat_take_exception());
	} else if (PyErr_Occurred()) {
		PyErr_Print();
		code = EXIT_FAILURE;
	}
	/* Threads of its own that are no daemons may end first, as in any program. */
	if (interpreter_call("threading", "_shutdown"))
		PyErr_Clear();
	interpreter_flush();
	_exit(code);
}
