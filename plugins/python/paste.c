/* SPDX-License-Identifier: MIT */
/* paste.c: applications that a file of PasteDeploy describes, as Pyramid's are.  loader.c calls it;
 * the work is done by the package paste.deploy, which is the application's own dependency. */
#include "internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char scheme[] = "config:";

/* A new string in place of a path alone; egg: and others stay. */
static PyObject *uri_of(const char *text)
{
	size_t n = strcspn(text, ":/");

	return text[n] == ':' ? PyUnicode_FromString(text)
			      : PyUnicode_FromFormat("%s%s", scheme, text);
}

static PyObject *call_loadapp(PyObject *deploy, const struct source *from, const char *folder)
{
	PyObject *loadapp = PyObject_GetAttrString(deploy, "loadapp"), *uri = uri_of(from->paste);
	PyObject *words = uri ? PyTuple_Pack(1, uri) : NULL;
	PyObject *named =
		Py_BuildValue("{s:z,s:s}", "name", from->paste_name, "relative_to", folder);
	PyObject *application =
		loadapp && words && named ? PyObject_Call(loadapp, words, named) : NULL;

	Py_XDECREF(named);
	Py_XDECREF(words);
	Py_XDECREF(uri);
	Py_XDECREF(loadapp);
	return application;
}

/* The file of config:/path#section, absolute; false: the application is not in a file. */
static bool find_file(const char *uri, const char *folder, char *path, size_t size)
{
	size_t before = strncmp(uri, scheme, sizeof scheme - 1) == 0 ? sizeof scheme - 1 : 0;
	const char *name = uri + before;
	int length = (int)strcspn(name, "#");

	if (!before && strcspn(uri, ":/") < strcspn(uri, "/"))
		return false;
	int n = snprintf(path, size, "%s%s%.*s", *name == '/' ? "" : folder,
			 *name == '/' ? "" : "/", length, name);
	return n > 0 && (size_t)n < size;
}

/* A logging configuration that is wrong is no reason not to serve. */
static void configure_logging(const char *path)
{
	PyObject *config = PyImport_ImportModule("logging.config");
	PyObject *defaults = Py_BuildValue("{s:s,s:s#}", "__file__", path, "here", path,
					   (Py_ssize_t)(strrchr(path, '/') - path));
	PyObject *done = config && defaults ? PyObject_CallMethod(config, "fileConfig", "sOO", path,
								  defaults, Py_False)
					    : NULL;

	if (!done)
		failure_log("paste-logger: cannot configure logging:", NULL);
	Py_XDECREF(done);
	Py_XDECREF(defaults);
	Py_XDECREF(config);
}

PyObject *paste_load(const struct source *from)
{
	char folder[PATH_MAX], path[2 * PATH_MAX];

	if (!getcwd(folder, sizeof folder))
		snprintf(folder, sizeof folder, "/");
	PyObject *deploy = PyImport_ImportModule("paste.deploy");
	if (!deploy) {
		if (PyErr_ExceptionMatches(PyExc_ModuleNotFoundError))
			uwsgi_log(UWSGI_NOTE, "paste needs the Python package PasteDeploy");
		return NULL;
	}
	if (from->paste_logger && find_file(from->paste, folder, path, sizeof path))
		configure_logging(path);
	PyObject *application = call_loadapp(deploy, from, folder);
	Py_DECREF(deploy);
	if (application && !PyCallable_Check(application)) {
		PyErr_Format(PyExc_TypeError, "%s makes no application but a %s", from->paste,
			     Py_TYPE(application)->tp_name);
		Py_CLEAR(application);
	}
	return application;
}
