/* SPDX-License-Identifier: MIT */
/* decorators.c: `from uwsgidecorators import postfork`.  The module is written in Python; its text is in
 * this plugin and is compiled when an application imports it, so that others do not pay for it. */
#include "internal.h"

static const char text[] =
#include "uwsgidecorators.inc"
	;

static int fill(PyObject *module)
{
	PyObject *names = PyModule_GetDict(module); /* borrowed */
	PyObject *code = Py_CompileString(text, "<uwsgidecorators>", Py_file_input);
	PyObject *done = NULL;

	/* Before 3.10 code without __builtins__ has hardly any. */
	if (code && !PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()))
		done = PyEval_EvalCode(code, names, names);
	Py_XDECREF(code);
	Py_XDECREF(done);
	return done ? 0 : -1;
}

static PyModuleDef_Slot slots[] = { { Py_mod_exec, fill }, COMPAT_MODULE_SLOTS{ 0, NULL } };

PyObject *decorators_new(void)
{
	static struct PyModuleDef definition = {
		PyModuleDef_HEAD_INIT,
		.m_name = "uwsgidecorators",
		.m_slots = slots,
	};

	return PyModuleDef_Init(&definition);
}
