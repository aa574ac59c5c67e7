/* SPDX-License-Identifier: MIT */
/* advice.c: what helps on whoever named an application that is not there: what the module has
 * instead, where modules are looked for, and which of those folders cannot be read. */
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_MAX = 5 };

/* ---- names ---- */

/* Functions of its own, and objects such as Flask's: not what it has imported to use it. */
static bool could_be_served(PyObject *value, PyObject *module_name)
{
	if (!PyCallable_Check(value) || PyType_Check(value) || PyCFunction_Check(value))
		return false;
	if (!PyFunction_Check(value))
		return true;
	PyObject *home = PyObject_GetAttrString(value, "__module__");
	bool own = home && module_name && PyObject_RichCompareBool(home, module_name, Py_EQ) > 0;
	Py_XDECREF(home);
	return own;
}

static PyObject *names_in(PyObject *module)
{
	PyObject *names = PyList_New(0), *all = PyModule_GetDict(module), *key, *value;
	PyObject *module_name = all ? PyDict_GetItemString(all, "__name__") : NULL;
	Py_ssize_t at = 0;

	while (names && all && PyDict_Next(all, &at, &key, &value)) {
		const char *name = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;

		if (name && *name != '_' && could_be_served(value, module_name) &&
		    PyList_Append(names, key))
			break;
	}
	PyErr_Clear();
	return names;
}

/* The names that are nearly the one that was wanted; NULL: none could be found out. */
static PyObject *nearest(PyObject *names, const char *wanted)
{
	PyObject *module = PyImport_ImportModule("difflib"), *found = NULL;

	if (module)
		found = PyObject_CallMethod(module, "get_close_matches", "sOi", wanted, names,
					    (int)NAMES_MAX);
	Py_XDECREF(module);
	PyErr_Clear();
	return found;
}

void advice_names(PyObject *module, const char *wanted, char *text, size_t size)
{
	PyObject *names = PyModule_Check(module) ? names_in(module) : NULL;
	PyObject *near = names ? nearest(names, wanted) : NULL;
	PyObject *best = near && PyList_GET_SIZE(near) ? near : names;
	size_t n = 0;

	*text = '\0';
	for (Py_ssize_t i = 0; best && i < PyList_GET_SIZE(best) && i < NAMES_MAX; i++) {
		const char *name = PyUnicode_AsUTF8(PyList_GET_ITEM(best, i));

		if (name && n < size)
			n += (size_t)snprintf(text + n, size - n, "%s \"%s\"",
					      i              ? ","
					      : best == near ? "; did you mean"
							     : "; it has",
					      name);
	}
	if (n < size && best && best == near)
		snprintf(text + n, size - n, "?");
	Py_XDECREF(near);
	Py_XDECREF(names);
	PyErr_Clear();
}

/* ---- folders ---- */

static bool is_denied(const char *folder)
{
	return access(folder, R_OK | X_OK) && errno == EACCES;
}

static void say_denied(const char *folder)
{
	const struct passwd *user = getpwuid(geteuid());

	uwsgi_log(UWSGI_WARNING, "user %s (uid %ld) may not read %s: no module is found there",
		  user ? user->pw_name : "without a name", (long)geteuid(), folder);
}

/* A folder of sys.path, or the package's in it. */
static void say_if_denied(const char *folder, const char *module)
{
	char package[PATH_MAX];

	snprintf(package, sizeof package, "%s/%.*s", folder, (int)strcspn(module, "."), module);
	if (is_denied(folder))
		say_denied(folder);
	else if (is_denied(package))
		say_denied(package);
}

static void say_what_is_denied(PyObject *path, const char *module)
{
	for (Py_ssize_t i = 0; PyList_Check(path) && i < PyList_GET_SIZE(path); i++) {
		PyObject *item = PyList_GET_ITEM(path, i);
		const char *folder = PyUnicode_Check(item) ? PyUnicode_AsUTF8(item) : NULL;

		if (folder)
			say_if_denied(folder, module);
		PyErr_Clear();
	}
}

void advice_where(const char *source, bool is_module)
{
	size_t n = strlen(source);
	PyObject *path = PySys_GetObject("path"), *text = path ? PyObject_Repr(path) : NULL;
	const char *p = text ? PyUnicode_AsUTF8(text) : NULL;

	if (is_module && (strchr(source, '/') || (n > 3 && !strcmp(source + n - 3, ".py"))))
		uwsgi_log(UWSGI_NOTE,
			  "module = %s looks like a file: files are named with "
			  "wsgi-file = …",
			  source);
	else if (p)
		uwsgi_log(UWSGI_NOTE, "modules are looked for in %s", p);
	if (path)
		say_what_is_denied(path, source);
	Py_XDECREF(text);
	PyErr_Clear();
}
