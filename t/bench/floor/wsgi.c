/* SPDX-License-Identifier: MIT */
/* wsgi.c: calls the application over and over with a copied environ and no input or output: what
 * Python costs whoever serves it.   usage: wsgi MODULE SECONDS; prints CPU microseconds a call */
#include <Python.h>

#include <stdio.h>
#include <time.h>

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static PyObject *start_response(PyObject *self, PyObject *args)
{
	(void)self;
	(void)args;
	Py_RETURN_NONE;
}

static PyMethodDef start = { "start_response", start_response, METH_VARARGS, NULL };

static int call_once(PyObject *application, PyObject *template, PyObject *starter)
{
	PyObject *environ = PyDict_Copy(template);
	PyObject *body = PyObject_CallFunctionObjArgs(application, environ, starter, NULL);

	if (!body)
		return -1;
	PyObject *iterator = PyObject_GetIter(body), *block;

	while (iterator && (block = PyIter_Next(iterator)))
		Py_DECREF(block);
	Py_XDECREF(iterator);
	Py_DECREF(body);
	Py_DECREF(environ);
	return PyErr_Occurred() ? -1 : 0;
}

int main(int argc, char **argv)
{
	long calls = 0;

	if (argc != 3)
		return 2;
	Py_Initialize();
	PyRun_SimpleString("import os, sys; sys.path.insert(0, os.getcwd())");
	PyObject *module = PyImport_ImportModule(argv[1]);
	PyObject *application = module ? PyObject_GetAttrString(module, "application") : NULL;
	PyObject *template = Py_BuildValue(
		"{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "REQUEST_METHOD", "GET",
		"PATH_INFO", "/", "SCRIPT_NAME", "", "QUERY_STRING", "", "REQUEST_URI", "/",
		"SERVER_NAME", "localhost", "SERVER_PORT", "80", "SERVER_PROTOCOL", "HTTP/1.1",
		"REMOTE_ADDR", "127.0.0.1", "HTTP_HOST", "localhost", "HTTP_USER_AGENT", "bench",
		"wsgi.url_scheme", "http");
	PyObject *io = PyImport_ImportModule("io");
	PyObject *input = io ? PyObject_CallMethod(io, "BytesIO", NULL) : NULL;
	PyObject *starter = PyCFunction_New(&start, NULL);
	double begin = cpu_s(), end = begin + atof(argv[2]);

	if (!application || !template || !starter || !input ||
	    PyDict_SetItemString(template, "wsgi.input", input)) {
		PyErr_Print();
		return 1;
	}
	do {
		for (int i = 0; i < 1000; i++, calls++)
			if (call_once(application, template, starter)) {
				PyErr_Print();
				return 1;
			}
	} while (cpu_s() < end);
	printf("%.3f\n", (cpu_s() - begin) / (double)calls * 1e6);
	return 0;
}
