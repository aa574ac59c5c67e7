/* SPDX-License-Identifier: MIT */
/* loader.c: finds the application: a callable in a module or in a file.  Called once in the
 * zygote, or in each worker with lazy-apps. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* The names that are tried when none is given; the first is the standard's. */
static const char *const usual_names[] = { "application", "app" };

/* ---- the module ---- */

static PyObject *read_file(const char *path)
{
	PyObject *io = PyImport_ImportModule("io"), *file = NULL, *content = NULL, *closed;

	if (io)
		file = PyObject_CallMethod(io, "open", "ss", path, "rb");
	if (file) {
		content = PyObject_CallMethod(file, "read", NULL);
		closed = PyObject_CallMethod(file, "close", NULL);
		Py_XDECREF(closed);
	}
	Py_XDECREF(file);
	Py_XDECREF(io);
	return content;
}

/* "uwsgi_file_dir_app" for dir/app.py: the name under which the file's module is known. */
static void module_name_of(const char *path, char *name, size_t size)
{
	size_t n = strlen(path);

	if (n > 3 && !strcmp(path + n - 3, ".py"))
		n -= 3;
	snprintf(name, size, "uwsgi_file_%.*s", (int)n, path);
	for (char *p = name; *p; p++)
		if (*p == '/' || *p == '.')
			*p = '_';
}

static PyObject *import_file(const char *path)
{
	char name[512];
	PyObject *content = read_file(path), *code = NULL, *module = NULL;

	if (!content)
		return NULL;
	module_name_of(path, name, sizeof name);
	const char *text = PyBytes_AsString(content);
	if (text && strlen(text) != (size_t)PyBytes_Size(content)) {
		PyErr_Format(PyExc_ValueError, "%s holds a NUL byte", path);
		text = NULL;
	}
	if (text)
		code = Py_CompileString(text, path, Py_file_input);
	if (code)
		module = PyImport_ExecCodeModuleEx(name, code, path);
	Py_DECREF(content);
	Py_XDECREF(code);
	return module;
}

/* ---- the callable ---- */

/* "name", "name.attribute", or either with "()": the application is what that call returns. */
static PyObject *resolve(PyObject *module, const char *expression)
{
	char *copy = strdup(expression), *rest = copy, *part;
	PyObject *object = module;
	size_t n = strlen(expression);
	bool called = n > 2 && !strcmp(expression + n - 2, "()");

	if (!copy)
		return PyErr_NoMemory();
	if (called)
		copy[n - 2] = '\0';
	Py_INCREF(object);
	while (object && (part = strsep(&rest, "."))) {
		PyObject *next = PyObject_GetAttrString(object, part);

		Py_DECREF(object);
		object = next;
	}
	free(copy);
	if (object && called) {
		PyObject *made = PyObject_CallNoArgs(object);

		Py_DECREF(object);
		object = made;
	}
	return object;
}

static PyObject *find_usual(PyObject *module, const char *source)
{
	for (size_t i = 0; i < sizeof usual_names / sizeof *usual_names; i++) {
		PyObject *object = PyObject_GetAttrString(module, usual_names[i]);

		if (object) {
			if (i > 0)
				uwsgi_log(UWSGI_NOTE, "%s has no \"%s\"; \"%s\" is served", source,
					  usual_names[0], usual_names[i]);
			return object;
		}
		if (!PyErr_ExceptionMatches(PyExc_AttributeError))
			return NULL;
		PyErr_Clear();
	}
	PyErr_Format(PyExc_AttributeError,
		     "%s has neither \"application\" nor \"app\": name its callable with callable = …",
		     source);
	return NULL;
}

static PyObject *find_callable(PyObject *module, const char *source, const char *expression)
{
	PyObject *object = expression ? resolve(module, expression) : find_usual(module, source);

	if (object && !PyCallable_Check(object)) {
		PyErr_Format(PyExc_TypeError, "%s of %s is not callable: it is a %s",
			     expression ? expression : "the application", source,
			     Py_TYPE(object)->tp_name);
		Py_CLEAR(object);
	}
	return object;
}

/* The traceback goes to the log, one line of it to the caller. */
static int fail(const char *source, struct error *e)
{
	PyObject *exception = compat_take_exception();
	char what[600];

	snprintf(what, sizeof what, "cannot load the application from %s", source);
	if (!exception)
		return uwsgi_error_set(e, "%s", what);
	for (int i = 0; i < 2; i++) {
		Py_INCREF(exception);
		PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
		if (i == 0)
			failure_log(what, NULL);
	}
	Py_DECREF(exception);
	return failure_describe(e, what);
}

int loader_load(const struct config *cfg, struct error *e)
{
	const struct python_settings *s = uwsgi_options(cfg, &python_options);
	const char *colon = s->module ? strchr(s->module, ':') : NULL;
	const char *source = s->module ? s->module : s->file, *expression = s->callable;
	PyObject *module = NULL;
	char name[512];

	if (!source)
		return uwsgi_error_set(e, "no application is named: set module or wsgi-file");
	if (s->module) {
		snprintf(name, sizeof name, "%.*s",
			 colon ? (int)(colon - s->module) : (int)sizeof name - 1, s->module);
		source = name;
		if (colon && colon[1])
			expression = colon + 1;
		module = PyImport_ImportModule(name);
	} else {
		module = import_file(s->file);
	}
	if (module)
		python.application = find_callable(module, source, expression);
	Py_XDECREF(module);
	return python.application ? 0 : fail(source, e);
}
