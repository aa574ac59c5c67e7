/* SPDX-License-Identifier: MIT */
/* stacks.c: what every thread of the process does at this moment. */
#include "internal.h"

/* Frames of one thread; what is below them is left out. */
enum { FRAMES_MAX = 200 };

/* Names by the threads' numbers; NULL with an exception. */
static PyObject *names_of_threads(void)
{
	PyObject *module = PyImport_ImportModule("threading");
	PyObject *all = module ? PyObject_CallMethod(module, "enumerate", NULL) : NULL;
	PyObject *names = all && PyList_Check(all) ? PyDict_New() : NULL;

	for (Py_ssize_t i = 0; names && i < PyList_GET_SIZE(all); i++) {
		PyObject *thread = PyList_GET_ITEM(all, i);
		PyObject *number = PyObject_GetAttrString(thread, "ident");
		PyObject *name = PyObject_GetAttrString(thread, "name");

		if (!number || !name || PyDict_SetItem(names, number, name))
			PyErr_Clear();
		Py_XDECREF(name);
		Py_XDECREF(number);
	}
	Py_XDECREF(all);
	Py_XDECREF(module);
	return names;
}

static void write_thread(struct text *t, PyObject *number, PyObject *names)
{
	const struct lane *lane = crash_lanes();
	unsigned long self = PyLong_AsUnsignedLong(number);
	PyObject *name = names ? PyDict_GetItemWithError(names, number) : NULL;
	const char *word = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
	char index[16] = "-";

	while (lane && (unsigned long)lane->self != self)
		lane = lane->next;
	if (lane)
		snprintf(index, sizeof index, "%d", lane->index);
	text_put(t, SLICE("T\t"));
	text_put(t, (struct slice){ index, strlen(index) });
	text_put(t, SLICE("\t"));
	text_put_field(t, word ? (struct slice){ word, strlen(word) } : SLICE("?"));
	text_put(t, SLICE("\n"));
	PyErr_Clear();
}

static void write_frame(struct text *t, PyFrameObject *frame)
{
	PyObject *code = (PyObject *)PyFrame_GetCode(frame);
	char line[16];

	int number = PyFrame_GetLineNumber(frame);

	snprintf(line, sizeof line, "\t%d\t", number > 0 ? number : 0);
	text_put(t, SLICE("F\t"));
	text_put_attribute(t, code, "co_filename");
	text_put(t, (struct slice){ line, strlen(line) });
	text_put_attribute(t, code, COMPAT_FUNCTION_NAME);
	text_put(t, SLICE("\n"));
	Py_DECREF(code);
}

static void write_frames(struct text *t, PyFrameObject *top)
{
	PyFrameObject *frame = top;

	Py_INCREF(frame);
	for (int i = 0; frame && i < FRAMES_MAX; i++) {
		PyFrameObject *back = PyFrame_GetBack(frame);

		write_frame(t, frame);
		Py_DECREF(frame);
		frame = back;
	}
	Py_XDECREF(frame);
}

void stacks_write(struct text *t)
{
	PyObject *names = names_of_threads(), *get = PySys_GetObject("_current_frames");
	PyObject *frames, *number, *frame;
	Py_ssize_t i = 0;

	PyErr_Clear();
	int was_on = compat_pause_collector();
	frames = get ? PyObject_CallObject(get, NULL) : NULL;
	while (frames && PyDict_Next(frames, &i, &number, &frame)) {
		write_thread(t, number, names);
		if (PyFrame_Check(frame))
			write_frames(t, (PyFrameObject *)frame);
	}
	compat_resume_collector(was_on);
	Py_XDECREF(frames);
	Py_XDECREF(names);
	PyErr_Clear();
}
