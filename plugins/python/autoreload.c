/* SPDX-License-Identifier: MIT */
/* autoreload.c: looks whether the files of imported modules have changed (py-autoreload).  Asked
 * by worker 1 every so often; the master then reloads. */
#include "internal.h"

#include <string.h>
#include <sys/stat.h>

long long autoreload_interval_s(const struct config *cfg)
{
	const struct python_settings *s = uwsgi_options(cfg, &python_options);

	return s->autoreload_s;
}

static bool is_ignored(const struct option_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], name) == 0)
			return true;
	return false;
}

/* The source's time of change, a new reference; NULL without an exception: it has no source. */
static PyObject *changed_at(PyObject *module)
{
	PyObject *file = PyObject_GetAttrString(module, "__file__");
	const char *path = file && PyUnicode_Check(file) ? PyUnicode_AsUTF8(file) : NULL;
	struct stat st;
	bool found = path && stat(path, &st) == 0;

	PyErr_Clear();
	Py_XDECREF(file);
	return found ? PyLong_FromLongLong(st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec)
		     : NULL;
}

/* Whether it is another time than the one that `seen` holds, which is then brought up to date. */
static bool note(PyObject *seen, PyObject *name, PyObject *time)
{
	PyObject *before = PyDict_GetItem(seen, name); /* borrowed */
	bool differs = before && PyObject_RichCompareBool(before, time, Py_EQ) == 0;

	PyDict_SetItem(seen, name, time);
	return differs;
}

bool autoreload_changed(void *state, char *found, size_t size)
{
	struct lane *lane = state;
	const struct python_settings *s = lane->python->settings;

	lane_enter(lane);
	if (!lane->seen)
		lane->seen = PyDict_New();
	PyObject *modules = PySys_GetObject("modules"); /* borrowed */
	PyObject *items = modules && lane->seen ? PyMapping_Items(modules) : NULL;

	found[0] = '\0';
	for (Py_ssize_t i = 0; items && i < PyList_GET_SIZE(items); i++) {
		PyObject *pair = PyList_GET_ITEM(items, i);
		PyObject *key = PyTuple_GET_ITEM(pair, 0);
		const char *name = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;
		PyObject *time = name && !is_ignored(&s->autoreload_ignored, name)
					 ? changed_at(PyTuple_GET_ITEM(pair, 1))
					 : NULL;

		if (time && note(lane->seen, key, time))
			snprintf(found, size, "%s", name);
		Py_XDECREF(time);
		PyErr_Clear(); /* nothing may be called while an exception is set */
	}
	Py_XDECREF(items);
	PyErr_Clear();
	lane_leave(lane);
	return found[0] != '\0';
}
