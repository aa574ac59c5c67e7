/* SPDX-License-Identifier: MIT */
/* compat.h: the differences between the Pythons that this plugin is built for, 3.8 and later.
 * No other file looks at PY_VERSION_HEX. */
#ifndef PYTHON_COMPAT_H
#define PYTHON_COMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x03080000
#error "Python 3.8 or later is needed"
#endif

#if PY_VERSION_HEX < 0x03090000
#define PyObject_Vectorcall _PyObject_Vectorcall
#define Py_TPFLAGS_HAVE_VECTORCALL _Py_TPFLAGS_HAVE_VECTORCALL

static inline PyObject *PyObject_CallNoArgs(PyObject *callable)
{
	return PyObject_CallObject(callable, NULL);
}

static inline PyObject *PyObject_CallMethodNoArgs(PyObject *object, PyObject *name)
{
	return PyObject_CallMethodObjArgs(object, name, NULL);
}

static inline PyObject *PyObject_CallMethodOneArg(PyObject *object, PyObject *name, PyObject *arg)
{
	return PyObject_CallMethodObjArgs(object, name, arg, NULL);
}
#endif

/* Strings made by old interfaces had to be completed first; since 3.12 all are whole. */
static inline int compat_str_ready(PyObject *text)
{
#if PY_VERSION_HEX < 0x030c0000
	return PyUnicode_READY(text);
#else
	(void)text;
	return 0;
#endif
}

/* Both forms of "the exception that is set, taken away": a normalised exception object with
 * its traceback, as a new reference; NULL when none is set. */
static inline PyObject *compat_take_exception(void)
{
#if PY_VERSION_HEX >= 0x030c0000
	return PyErr_GetRaisedException();
#else
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	if (!type)
		return NULL;
	PyErr_NormalizeException(&type, &value, &traceback);
	if (traceback)
		PyException_SetTraceback(value, traceback);
	Py_DECREF(type);
	Py_XDECREF(traceback);
	return value;
#endif
}

#endif
