/* SPDX-License-Identifier: MIT */
/* compat.h: the differences between the Pythons that this plugin is built for, 3.8 and later.
 * No other file looks at PY_VERSION_HEX. */
#ifndef PYTHON_COMPAT_H
#define PYTHON_COMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <frameobject.h>

#if PY_VERSION_HEX < 0x03080000
#error "Python 3.8 or later is needed"
#endif

/* Names are shared between lanes and objects used again when nobody else holds them: both need
 * the GIL. */
#ifdef Py_GIL_DISABLED
#error "free-threaded builds of Python (python3.13t) are not supported: use the one with a GIL"
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

#if PY_VERSION_HEX < 0x030a0000
#define Py_TPFLAGS_IMMUTABLETYPE 0ul
#endif

/* What a module says of itself beside its Py_mod_exec: that several interpreters may have one of
 * their own, under one GIL. */
#if PY_VERSION_HEX >= 0x030d0000
#define COMPAT_MODULE_SLOTS                                                                        \
	{ Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED },                  \
		{ Py_mod_gil, Py_MOD_GIL_USED },
#elif PY_VERSION_HEX >= 0x030c0000
#define COMPAT_MODULE_SLOTS                                                                        \
	{ Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED },
#else
#define COMPAT_MODULE_SLOTS
#endif

/* A type from its spec, or NULL with an exception.  by_python: Python code may make objects of it,
 * with the Py_tp_new that it has; otherwise it would inherit object's. */
static inline PyTypeObject *compat_type_new(PyType_Spec *spec, int by_python)
{
	PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(spec);

	if (type && !by_python)
		type->tp_new = NULL;
	return type;
}

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

/* ---- stacks of other threads, with the GIL; frames and code objects are new references ---- */

#if PY_VERSION_HEX < 0x03090000
static inline PyFrameObject *PyThreadState_GetFrame(PyThreadState *thread)
{
	Py_XINCREF(thread->frame);
	return thread->frame;
}

static inline PyFrameObject *PyFrame_GetBack(PyFrameObject *frame)
{
	Py_XINCREF(frame->f_back);
	return frame->f_back;
}

static inline PyCodeObject *PyFrame_GetCode(PyFrameObject *frame)
{
	Py_INCREF(frame->f_code);
	return frame->f_code;
}
#endif

/* Since 3.11 frames become objects when they are asked for.  The collector is not to run for these, and
 * finalisers with it, on a thread that is not the application's; it is put back as it was. */
static inline int compat_pause_collector(void)
{
#if PY_VERSION_HEX >= 0x030a0000
	return PyGC_Disable();
#else
	return 0;
#endif
}

static inline void compat_resume_collector(int was_on)
{
#if PY_VERSION_HEX >= 0x030a0000
	if (was_on)
		PyGC_Enable();
#else
	(void)was_on;
#endif
}

/* What a code object calls its function. */
#if PY_VERSION_HEX >= 0x030b0000
#define COMPAT_FUNCTION_NAME "co_qualname"
#else
#define COMPAT_FUNCTION_NAME "co_name"
#endif

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
