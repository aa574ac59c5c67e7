/* SPDX-License-Identifier: MIT */
/* loader.c: finds the application: a callable in a module or in a file.  Called once in the
 * zygote, or in each worker with lazy-apps. */
#include "internal.h"

#include <limits.h>
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

/* "uwsgi_file_dir_app" for dir/app.py: the name that uWSGI gives to the file's module. */
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
	char name[PATH_MAX + 16];
	PyObject *content = read_file(path), *code = NULL, *module = NULL;

	if (!content)
		return NULL;
	module_name_of(path, name, sizeof name);
	const char *text = PyBytes_AsString(content);
	if (text && strlen(text) != (size_t)PyBytes_GET_SIZE(content)) {
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

/* Adds to the exception what the module has instead. */
static void explain_missing(PyObject *module, const char *name)
{
	char names[512];

	if (!PyErr_ExceptionMatches(PyExc_AttributeError))
		return;
	PyObject *exception = compat_take_exception();
	advice_names(module, name, names, sizeof names);
	PyErr_Format(PyExc_AttributeError, "%S%s", exception, names);
	Py_DECREF(exception);
}

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

		if (!next && object == module)
			explain_missing(module, part);
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
				uwsgi_log(UWSGI_NOTE, "%s has no \"%s\": serving its \"%s\"",
					  source, usual_names[0], usual_names[i]);
			return object;
		}
		if (!PyErr_ExceptionMatches(PyExc_AttributeError))
			return NULL;
		PyErr_Clear();
	}
	char names[512];
	advice_names(module, usual_names[0], names, sizeof names);
	/* Its format must be ASCII. */
	PyErr_Format(PyExc_AttributeError,
		     "%s has neither \"application\" nor \"app\" (another one is named with "
		     "callable = NAME)%s",
		     source, names);
	return NULL;
}

/* Whether a call only makes a coroutine: `async def app(scope, receive, send)`, or an object whose class has
 * such a __call__, as FastAPI's and Starlette's do. */
static bool is_asynchronous(PyObject *object)
{
	bool plain = PyFunction_Check(object) || PyMethod_Check(object);
	PyObject *call =
		plain ? NULL : PyObject_GetAttrString((PyObject *)Py_TYPE(object), "__call__");
	PyObject *code = PyObject_GetAttrString(call ? call : object, "__code__");
	bool is = code && PyCode_Check(code) &&
		  (((PyCodeObject *)code)->co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR));

	Py_XDECREF(call);
	Py_XDECREF(code);
	PyErr_Clear();
	return is;
}

/* Whether a call with environ and start_response fails in any case, as that of a factory would. */
static bool takes_too_little(PyObject *object)
{
	if (!PyFunction_Check(object))
		return false;
	const PyCodeObject *code = (const PyCodeObject *)PyFunction_GET_CODE(object);

	return code->co_argcount < 2 && !(code->co_flags & CO_VARARGS);
}

static PyObject *find_callable(PyObject *module, const char *source, const char *expression)
{
	PyObject *object = expression ? resolve(module, expression) : find_usual(module, source);
	const char *name = expression ? expression : "the application";

	if (!object)
		return NULL;
	if (!PyCallable_Check(object))
		PyErr_Format(PyExc_TypeError, "%s of %s is not callable: its type is %s", name, source,
			     Py_TYPE(object)->tp_name);
	else if (is_asynchronous(object))
		PyErr_Format(PyExc_TypeError,
			     "%s of %s is asynchronous (ASGI), and WSGI is spoken here; "
			     "a2wsgi.ASGIMiddleware makes WSGI of one without WebSockets",
			     name, source);
	else if (takes_too_little(object))
		PyErr_Format(PyExc_TypeError,
			     "%s of %s does not take environ and start_response; if it makes the "
			     "application, write it with parentheses: NAME()",
			     name, source);
	else
		return object;
	Py_DECREF(object);
	return NULL;
}

/* ---- both ---- */

static int fail(const struct source *from, const char *name, struct error *e)
{
	bool not_found = PyErr_ExceptionMatches(PyExc_ModuleNotFoundError);
	char what[512];

	snprintf(what, sizeof what, "cannot load application: %s %.400s",
		 from->module ? "module"
		 : from->file ? "file"
		 : from->code ? "eval"
			      : "paste",
		 name);
	failure_report(e, what);
	if (not_found)
		advice_where(name, from->module);
	return -1;
}

static PyObject *run_code(const char *text)
{
	PyObject *code = Py_CompileString(text, "eval", Py_file_input), *module = NULL;

	if (code)
		module = PyImport_ExecCodeModuleEx("uwsgi_eval", code, "eval");
	Py_XDECREF(code);
	return module;
}

static PyObject *open_source(const struct source *from, const char *name)
{
	if (from->module)
		return PyImport_ImportModule(name);
	return from->file ? import_file(from->file) : run_code(from->code);
}

static const char *name_of(const struct source *from)
{
	return from->module ? from->module
	       : from->file ? from->file
	       : from->code ? from->code
			    : from->paste;
}

static PyObject *load_from(const struct source *from, const char *name, const char *expression)
{
	bool is_paste = !from->module && !from->file && !from->code;
	PyObject *module, *application = NULL;

	if (is_paste)
		return paste_load(from);
	module = open_source(from, name);
	if (module)
		application = find_callable(module, name, expression);
	Py_XDECREF(module);
	return application;
}

PyObject *loader_load(const struct source *from, struct error *e)
{
	const char *colon = from->module ? strchr(from->module, ':') : NULL;
	const char *expression = colon && colon[1] ? colon + 1 : from->callable;
	const char *whole = name_of(from);

	if (!whole) {
		uwsgi_error_set(e, "no application is named: set module or wsgi-file");
		return NULL;
	}
	char *name = strndup(whole, colon ? (size_t)(colon - whole) : strlen(whole));
	if (!name) {
		uwsgi_error_set(e, "out of memory");
		return NULL;
	}
	PyObject *application = load_from(from, name, expression);
	if (!application)
		fail(from, name, e);
	free(name);
	return application;
}

void loader_import(const struct option_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *name = list->items[i];
		size_t n = strlen(name);
		bool is_file = strchr(name, '/') || (n > 3 && !strcmp(name + n - 3, ".py"));
		PyObject *module = is_file ? import_file(name) : PyImport_ImportModule(name);

		if (!module)
			failure_log("cannot import a module:", NULL);
		Py_XDECREF(module);
	}
}
