/* SPDX-License-Identifier: MIT */
/* costly.c: reload-on-exception and its relatives: exceptions after which a worker is not worth keeping,
 * as its connection to a database may be lost for good. */
#include "internal.h"

#include <stdio.h>

/* text NULL: there is none. */
static bool is_word(PyObject *text, const char *word)
{
	const char *utf8 = text && PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;

	PyErr_Clear();
	return utf8 && strcmp(utf8, word) == 0;
}

/* "ValueError" and "shop.Lost" alike. */
static bool has_name(PyObject *class, const char *name)
{
	PyObject *module = PyObject_GetAttrString(class, "__module__");
	PyObject *own = PyObject_GetAttrString(class, "__qualname__");
	PyObject *both = module && own ? PyUnicode_FromFormat("%S.%S", module, own) : NULL;

	bool has = is_word(own, name) || is_word(both, name);

	Py_XDECREF(both);
	Py_XDECREF(own);
	Py_XDECREF(module);
	return has;
}

static bool is_of_class(PyObject *exception, const char *name)
{
	PyObject *classes = Py_TYPE(exception)->tp_mro;

	for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(classes); i++)
		if (has_name(PyTuple_GET_ITEM(classes, i), name))
			return true;
	return false;
}

/* Takes the reference of what the exception says. */
static bool says(PyObject *own, const char *text)
{
	bool does = is_word(own, text);

	Py_XDECREF(own);
	return does;
}

static bool has_text(PyObject *exception, const char *text)
{
	return says(PyObject_Str(exception), text);
}

static bool has_repr(PyObject *exception, const char *text)
{
	return says(PyObject_Repr(exception), text);
}

static bool any(const struct option_list *list, PyObject *exception,
		bool (*is)(PyObject *exception, const char *item))
{
	for (size_t i = 0; i < list->count; i++)
		if (is(exception, list->items[i]))
			return true;
	return false;
}

/* NULL: none. */
static const char *option_for(const struct python_settings *s, PyObject *exception)
{
	if (s->reload_on_exception)
		return "reload-on-exception";
	if (any(&s->reload_types, exception, is_of_class))
		return "reload-on-exception-type";
	if (any(&s->reload_values, exception, has_text))
		return "reload-on-exception-value";
	return any(&s->reload_reprs, exception, has_repr) ? "reload-on-exception-repr" : NULL;
}

void costly_judge(PyObject *exception, const struct request *rq)
{
	const char *option = option_for(interpreter()->settings, exception);
	char method[64], uri[256], why[512];

	if (!option)
		return;
	uwsgi_escape(method, sizeof method, uwsgi_request_find(rq, SLICE("REQUEST_METHOD")));
	uwsgi_escape(uri, sizeof uri, uwsgi_request_find(rq, SLICE("REQUEST_URI")));
	snprintf(why, sizeof why, "%s %s raised %.100s (%s)", method, uri,
		 Py_TYPE(exception)->tp_name, option);
	uwsgi_request_replace_worker(rq, why);
}
