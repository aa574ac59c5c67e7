/* SPDX-License-Identifier: MIT */
/* input.c: wsgi.input.  The body is whole when the application runs: bytes in memory, or a file
 * that is mapped, so that both are read alike.  After its request an input is at its end. */
#include "internal.h"

#include <string.h>
#include <sys/mman.h>

struct input {
	PyObject_HEAD const char *bytes; /* of the request's body, or mapped */
	Py_ssize_t length, at;
	void *mapped; /* NULL: bytes belong to the request */
};

PyObject *input_new(PyTypeObject *type, const struct request *rq, PyObject *previous)
{
	struct body_view body = uwsgi_request_body_view(rq);
	struct input *in = (struct input *)previous;

	if (in && Py_REFCNT(in) > 1) {
		Py_DECREF(in); /* the application has kept it */
		in = NULL;
	}
	if (!in)
		in = PyObject_New(struct input, type);
	if (!in)
		return NULL;
	in->bytes = body.bytes.p;
	in->length = (Py_ssize_t)body.length;
	in->at = 0;
	in->mapped = NULL;
	if (body.fd < 0 || body.length == 0)
		return (PyObject *)in;
	in->mapped = mmap(NULL, (size_t)body.length, PROT_READ, MAP_PRIVATE, body.fd, 0);
	if (in->mapped == MAP_FAILED) {
		in->mapped = NULL;
		in->length = 0;
		Py_DECREF(in);
		return PyErr_SetFromErrno(PyExc_OSError);
	}
	in->bytes = in->mapped;
	return (PyObject *)in;
}

void input_detach(PyObject *self)
{
	struct input *in = (struct input *)self;

	if (in->mapped)
		munmap(in->mapped, (size_t)in->length);
	in->mapped = NULL;
	in->bytes = NULL;
	in->length = in->at = 0;
}

static void input_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	input_detach(self);
	PyObject_Free(self);
	Py_DECREF(type);
}

/* The next n bytes; n must not reach past the end. */
static PyObject *take(struct input *in, Py_ssize_t n)
{
	PyObject *bytes = PyBytes_FromStringAndSize(n ? in->bytes + in->at : NULL, n);

	if (bytes)
		in->at += n;
	return bytes;
}

/* The optional size argument: None, absent or negative mean no limit (-1).  -2: an exception. */
static Py_ssize_t size_of(PyObject *const *args, Py_ssize_t count)
{
	if (count > 1) {
		PyErr_SetString(PyExc_TypeError, "expected at most one argument");
		return -2;
	}
	if (count == 0 || args[0] == Py_None)
		return -1;
	Py_ssize_t n = PyNumber_AsSsize_t(args[0], PyExc_OverflowError);
	if (n == -1 && PyErr_Occurred())
		return -2;
	return n < 0 ? -1 : n;
}

static Py_ssize_t bounded(const struct input *in, Py_ssize_t size)
{
	Py_ssize_t left = in->length - in->at;

	return size < 0 || size > left ? left : size;
}

static PyObject *input_read(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	struct input *in = (struct input *)self;
	Py_ssize_t size = size_of(args, count);

	return size == -2 ? NULL : take(in, bounded(in, size));
}

static PyObject *take_line(struct input *in, Py_ssize_t size)
{
	Py_ssize_t n = bounded(in, size);
	const char *start = in->bytes ? in->bytes + in->at : "";
	const char *end = n ? memchr(start, '\n', (size_t)n) : NULL;

	return take(in, end ? end - start + 1 : n);
}

static PyObject *input_readline(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	Py_ssize_t size = size_of(args, count);

	return size == -2 ? NULL : take_line((struct input *)self, size);
}

static PyObject *input_readlines(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	struct input *in = (struct input *)self;
	Py_ssize_t hint = size_of(args, count), got = 0;
	PyObject *lines = hint == -2 ? NULL : PyList_New(0);

	while (lines && in->at < in->length && (hint <= 0 || got < hint)) {
		PyObject *line = take_line(in, -1);

		if (!line || PyList_Append(lines, line))
			Py_CLEAR(lines);
		else
			got += PyBytes_GET_SIZE(line);
		Py_XDECREF(line);
	}
	return lines;
}

static PyObject *input_next(PyObject *self)
{
	struct input *in = (struct input *)self;

	return in->at < in->length ? take_line(in, -1) : NULL;
}

static PyObject *input_close(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	Py_RETURN_NONE;
}

PyObject *input_block(PyObject *self)
{
	enum { BLOCK = 65536 };
	struct input *in = (struct input *)self;

	return take(in, bounded(in, BLOCK));
}

static PyMethodDef methods[] = {
	{ "read", (PyCFunction)(void (*)(void))input_read, METH_FASTCALL, NULL },
	{ "readline", (PyCFunction)(void (*)(void))input_readline, METH_FASTCALL, NULL },
	{ "readlines", (PyCFunction)(void (*)(void))input_readlines, METH_FASTCALL, NULL },
	{ "close", input_close, METH_NOARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_dealloc, input_dealloc },
	{ Py_tp_iter, PyObject_SelfIter },
	{ Py_tp_iternext, input_next },
	{ Py_tp_methods, methods },
	{ 0, NULL },
};

PyTypeObject *input_type_new(void)
{
	static PyType_Spec spec = {
		.name = "uwsgi.Input",
		.basicsize = sizeof(struct input),
		.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
		.slots = slots,
	};

	return compat_type_new(&spec, false);
}
