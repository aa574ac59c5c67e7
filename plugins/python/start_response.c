/* SPDX-License-Identifier: MIT */
/* start_response.c: the callable of PEP 3333 that takes status and headers, and the write()
 * that it returns.  What is not a proper response is refused with a sentence that names the
 * offending item. */
#include "internal.h"

#include <string.h>

struct start_response {
	PyObject_HEAD
	vectorcallfunc vectorcall;
	struct response *rs; /* NULL: its request is over */
	bool called;
};

/* ---- checks ---- */

/* The bytes of a str in latin-1; false: it has others. */
static bool latin1(PyObject *text, struct slice *s)
{
	if (PyUnicode_READY(text) || PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND)
		return false;
	*s = (struct slice){ (const char *)PyUnicode_1BYTE_DATA(text),
			     (size_t)PyUnicode_GET_LENGTH(text) };
	return true;
}

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char byte = (unsigned char)s.p[i];

		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return true;
	}
	return false;
}

/* RFC 9110 section 5.6.2. */
static bool is_token(struct slice s)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && memchr(marks, c, sizeof marks - 1))))
			return false;
	}
	return s.n > 0;
}

static int check_status(PyObject *status, struct slice *line)
{
	if (!PyUnicode_Check(status)) {
		PyErr_Format(PyExc_TypeError, "status must be a str, not %s",
			     Py_TYPE(status)->tp_name);
		return -1;
	}
	if (latin1(status, line) && line->n >= 3 && line->p[0] >= '1' && line->p[0] <= '9' &&
	    line->p[1] >= '0' && line->p[1] <= '9' && line->p[2] >= '0' && line->p[2] <= '9' &&
	    (line->n == 3 || line->p[3] == ' ') && !has_control(*line))
		return 0;
	PyErr_Format(PyExc_ValueError, "status must be like '200 OK', not %R", status);
	return -1;
}

static int check_header(PyObject *item, struct slice *name, struct slice *value)
{
	if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2 ||
	    !PyUnicode_Check(PyTuple_GET_ITEM(item, 0)) ||
	    !PyUnicode_Check(PyTuple_GET_ITEM(item, 1))) {
		PyErr_Format(PyExc_TypeError, "a header must be a tuple of two str, not %R", item);
		return -1;
	}
	if (!latin1(PyTuple_GET_ITEM(item, 0), name) || !is_token(*name)) {
		PyErr_Format(PyExc_ValueError, "%R is not a header name",
			     PyTuple_GET_ITEM(item, 0));
		return -1;
	}
	if (!latin1(PyTuple_GET_ITEM(item, 1), value)) {
		PyErr_Format(PyExc_ValueError, "the value of header %R is not latin-1: %R",
			     PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1));
		return -1;
	}
	if (has_control(*value)) {
		PyErr_Format(PyExc_ValueError, "the value of header %R has a control character: %R",
			     PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1));
		return -1;
	}
	return 0;
}

static int check_headers(PyObject *headers)
{
	struct slice name, value;

	if (!PyList_Check(headers)) {
		PyErr_Format(PyExc_TypeError, "headers must be a list, not %s",
			     Py_TYPE(headers)->tp_name);
		return -1;
	}
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); i++)
		if (check_header(PyList_GET_ITEM(headers, i), &name, &value))
			return -1;
	return 0;
}

/* ---- the call ---- */

/* exc_info: with the head already sent, the exception goes on; before, the head is replaced. */
static int check_exc_info(const struct start_response *sr, PyObject *exc_info)
{
	if (!exc_info || exc_info == Py_None) {
		if (!sr->called)
			return 0;
		PyErr_SetString(PyExc_AssertionError,
				"start_response was called again without exc_info");
		return -1;
	}
	if (!PyTuple_Check(exc_info) || PyTuple_GET_SIZE(exc_info) != 3) {
		PyErr_SetString(PyExc_TypeError, "exc_info must be a tuple of three");
		return -1;
	}
	if (!uwsgi_response_head_sent(sr->rs))
		return 0;
	PyObject *parts[3];
	for (int i = 0; i < 3; i++) {
		PyObject *part = PyTuple_GET_ITEM(exc_info, i);

		parts[i] = part == Py_None ? NULL : part;
		Py_XINCREF(parts[i]);
	}
	PyErr_Restore(parts[0], parts[1], parts[2]);
	return -1;
}

static void say_head(struct response *rs, struct slice line, PyObject *headers)
{
	uwsgi_response_start(rs, line);
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); i++) {
		struct slice name, value;

		if (check_header(PyList_GET_ITEM(headers, i), &name, &value) == 0)
			uwsgi_response_header(rs, name, value);
	}
}

/* The one keyword that applications use. */
static int find_exc_info(PyObject *const *args, Py_ssize_t count, PyObject *names,
			 PyObject **exc_info)
{
	Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;

	*exc_info = count > 2 ? args[2] : NULL;
	for (Py_ssize_t i = 0; i < named; i++) {
		PyObject *name = PyTuple_GET_ITEM(names, i);

		if (PyUnicode_CompareWithASCIIString(name, "exc_info") || count > 2) {
			PyErr_Format(PyExc_TypeError, "start_response: unexpected argument %R", name);
			return -1;
		}
		*exc_info = args[count + i];
	}
	if (count >= 2 && count <= 3)
		return 0;
	PyErr_Format(PyExc_TypeError, "start_response takes status, headers and exc_info, not %zd "
				      "arguments", count + named);
	return -1;
}

static PyObject *write_block(PyObject *self, PyObject *block)
{
	struct start_response *sr = (struct start_response *)self;

	if (!sr->rs) {
		PyErr_SetString(PyExc_RuntimeError, "write() was called after its request was over");
		return NULL;
	}
	int sent = body_send(sr->rs, block);
	if (sent < 0)
		return NULL;
	if (sent > 0 && uwsgi_response_flush(sr->rs))
		Py_RETURN_NONE;
	PyErr_SetString(PyExc_OSError, "write(): the client is gone");
	return NULL;
}

static PyMethodDef write_method = { "write", write_block, METH_O, NULL };

static PyObject *call(PyObject *self, PyObject *const *args, size_t flags, PyObject *names)
{
	struct start_response *sr = (struct start_response *)self;
	Py_ssize_t count = PyVectorcall_NARGS(flags);
	PyObject *exc_info;
	struct slice line;

	if (find_exc_info(args, count, names, &exc_info))
		return NULL;
	if (!sr->rs) {
		PyErr_SetString(PyExc_RuntimeError,
				"start_response was called after its request was over");
		return NULL;
	}
	if (check_exc_info(sr, exc_info) || check_status(args[0], &line) || check_headers(args[1]))
		return NULL;
	say_head(sr->rs, line, args[1]);
	sr->called = true;
	return PyCFunction_New(&write_method, self);
}

/* ---- life ---- */

PyObject *start_response_new(struct response *rs, PyObject *previous)
{
	struct start_response *sr = (struct start_response *)previous;

	if (sr && Py_REFCNT(sr) > 1) {
		Py_DECREF(sr); /* the application has kept it */
		sr = NULL;
	}
	if (!sr)
		sr = PyObject_New(struct start_response, &start_response_type);
	if (!sr)
		return NULL;
	sr->vectorcall = call;
	sr->rs = rs;
	sr->called = false;
	return (PyObject *)sr;
}

bool start_response_was_called(PyObject *self)
{
	return ((struct start_response *)self)->called;
}

void start_response_detach(PyObject *self)
{
	((struct start_response *)self)->rs = NULL;
}

static void start_response_dealloc(PyObject *self)
{
	PyObject_Free(self);
}

PyTypeObject start_response_type = {
	PyVarObject_HEAD_INIT(NULL, 0)
	.tp_name = "uwsgi.StartResponse",
	.tp_basicsize = sizeof(struct start_response),
	.tp_dealloc = start_response_dealloc,
	.tp_vectorcall_offset = offsetof(struct start_response, vectorcall),
	.tp_call = PyVectorcall_Call,
	.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
};

/* ---- blocks ---- */

static int send_bytes(struct response *rs, PyObject *bytes)
{
	struct slice s = { PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes) };

	if (s.n == 0)
		return 1;
	if (s.n <= UWSGI_COPY_MAX)
		return uwsgi_response_body(rs, s, NULL);
	Py_INCREF(bytes); /* until wsgi_release() */
	return uwsgi_response_body(rs, s, bytes);
}

int body_send(struct response *rs, PyObject *block)
{
	if (PyBytes_Check(block))
		return send_bytes(rs, block);
	if (!PyObject_CheckBuffer(block)) {
		PyErr_Format(PyExc_TypeError, "a block of a response must be bytes, not %s",
			     Py_TYPE(block)->tp_name);
		return -1;
	}
	/* It may change once we return: send a copy. */
	PyObject *copy = PyBytes_FromObject(block);
	int sent = copy ? send_bytes(rs, copy) : -1;
	Py_XDECREF(copy);
	return sent;
}
