/* SPDX-License-Identifier: MIT */
/* start_response.c: the callable of PEP 3333 that takes status and headers, and the write()
 * that it returns.  What is not a proper head is refused with a sentence that names the
 * offending item. */
#include "internal.h"

#include <string.h>

struct start_response {
	PyObject_HEAD vectorcallfunc vectorcall;
	const struct lane *lane;
	struct response *rs; /* NULL: its request is over */
	PyObject *write;     /* what calls return, made once; it holds this object, too */
	bool called, peer_is_gone;
	long long lost; /* blocks for a client that was gone */
};

/* ---- checks ---- */

/* The bytes of a str in latin-1; false: it has other characters. */
static bool latin1(PyObject *text, struct slice *s)
{
	if (compat_str_ready(text) || PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND)
		return false;
	*s = (struct slice){ (const char *)PyUnicode_1BYTE_DATA(text),
			     (size_t)PyUnicode_GET_LENGTH(text) };
	return true;
}

static bool has_control(struct slice s)
{
	static const bool control[256] = {
		[0 ... '\t' - 1] = true, ['\t' + 1 ... 0x1f] = true, [0x7f] = true
	};
	bool found = false;

	for (size_t i = 0; i < s.n; i++)
		found |= control[(unsigned char)s.p[i]];
	return found;
}

/* RFC 9110 section 5.6.2. */
static bool is_token(struct slice s)
{
	static const bool in_token[256] = {
		['!'] = true,         ['#'] = true,         ['$'] = true, ['%'] = true,
		['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true,
		['-'] = true,         ['.'] = true,         ['^'] = true, ['_'] = true,
		['`'] = true,         ['|'] = true,         ['~'] = true, ['0' ... '9'] = true,
		['A' ... 'Z'] = true, ['a' ... 'z'] = true,
	};

	bool all = s.n > 0;
	for (size_t i = 0; i < s.n; i++)
		all &= in_token[(unsigned char)s.p[i]];
	return all;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 1xx is no answer to a request (RFC 9110 section 15.2): the peer would go on waiting. */
static bool is_status(struct slice line)
{
	return line.n >= 3 && line.p[0] >= '2' && line.p[0] <= '9' && is_digit(line.p[1]) &&
	       is_digit(line.p[2]) && (line.n == 3 || line.p[3] == ' ') && !has_control(line);
}

static int check_status(PyObject *status, struct slice *line)
{
	if (!PyUnicode_Check(status)) {
		PyErr_Format(PyExc_TypeError, "status must be a str, not %s: %R",
			     Py_TYPE(status)->tp_name, status);
		return -1;
	}
	if (latin1(status, line) && is_status(*line))
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
	PyObject *name_text = PyTuple_GET_ITEM(item, 0), *value_text = PyTuple_GET_ITEM(item, 1);
	if (!latin1(name_text, name) || !is_token(*name)) {
		PyErr_Format(PyExc_ValueError, "%R is not a header name", name_text);
		return -1;
	}
	if (!latin1(value_text, value)) {
		PyErr_Format(PyExc_ValueError, "the value of header %R is not latin-1: %R",
			     name_text, value_text);
		return -1;
	}
	if (has_control(*value)) {
		PyErr_Format(PyExc_ValueError, "the value of header %R has a control character: %R",
			     name_text, value_text);
		return -1;
	}
	return 0;
}

/* ---- the call ---- */

/* The exception of an exc_info that comes too late goes on. */
static int raise_again(PyObject *exc_info)
{
	PyObject *exception = PyTuple_GET_ITEM(exc_info, 1);
	PyObject *traceback = PyTuple_GET_ITEM(exc_info, 2);

	if (!PyExceptionInstance_Check(exception)) {
		PyErr_SetString(PyExc_AssertionError,
				"start_response was called again after the head was sent");
		return -1;
	}
	if (PyTraceBack_Check(traceback))
		PyException_SetTraceback(exception, traceback);
	PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
	return -1;
}

/* With exc_info a head that is not sent is replaced; without, there is one call only. */
static int check_again(const struct start_response *sr, PyObject *exc_info)
{
	if (!exc_info || exc_info == Py_None) {
		if (!sr->called)
			return 0;
		PyErr_SetString(PyExc_AssertionError,
				"start_response was called again without exc_info");
		return -1;
	}
	if (!PyTuple_Check(exc_info) || PyTuple_GET_SIZE(exc_info) != 3) {
		PyErr_Format(PyExc_TypeError, "exc_info must be what sys.exc_info() gives, not %R",
			     exc_info);
		return -1;
	}
	return uwsgi_response_head_sent(sr->rs) ? raise_again(exc_info) : 0;
}

/* Not called is what it is until all of the head is good. */
static int say_head(struct start_response *sr, struct slice line, PyObject *headers)
{
	struct slice name, value;

	if (!PyList_Check(headers)) {
		PyErr_Format(PyExc_TypeError, "headers must be a list, not %s: %R",
			     Py_TYPE(headers)->tp_name, headers);
		return -1;
	}
	sr->called = false;
	uwsgi_response_start(sr->rs, line);
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); i++) {
		if (check_header(PyList_GET_ITEM(headers, i), &name, &value))
			return -1;
		uwsgi_response_header(sr->rs, name, value);
	}
	sr->called = true;
	return 0;
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
			PyErr_Format(PyExc_TypeError, "start_response: unexpected argument %R",
				     name);
			return -1;
		}
		*exc_info = args[count + i];
	}
	if (count == 2 || count == 3)
		return 0;
	PyErr_Format(PyExc_TypeError,
		     "start_response takes status, headers and exc_info, not %zd "
		     "arguments",
		     count + named);
	return -1;
}

static PyObject *write_block(PyObject *self, PyObject *block)
{
	struct start_response *sr = (struct start_response *)self;
	Py_ssize_t size;

	if (!sr->rs) {
		PyErr_SetString(PyExc_RuntimeError,
				"write() was called after its request was over");
		return NULL;
	}
	/* While the lane waits for its client, the response is nobody else's to touch. */
	if (PyThreadState_Get() != sr->lane->thread) {
		PyErr_SetString(PyExc_RuntimeError,
				"write() was called in another thread than the application");
		return NULL;
	}
	int sent = block_send(sr->rs, block, &size);
	if (sent < 0)
		return NULL;
	if (sent > 0 && uwsgi_response_flush(sr->rs))
		Py_RETURN_NONE;
	sr->peer_is_gone = true;
	if (interpreter()->settings->no_write_exception || start_response_tolerates(self))
		Py_RETURN_NONE;
	PyErr_SetString(PyExc_BrokenPipeError, "write(): the client is gone");
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
	if (check_again(sr, exc_info) || check_status(args[0], &line) ||
	    say_head(sr, line, args[1]))
		return NULL;
	if (!sr->write)
		sr->write = PyCFunction_New(&write_method, self);
	Py_XINCREF(sr->write);
	return sr->write;
}

/* ---- life ---- */

void start_response_drop(PyObject *self)
{
	struct start_response *sr = (struct start_response *)self;

	if (!sr)
		return;
	Py_CLEAR(sr->write); /* or each would keep the other */
	Py_DECREF(sr);
}

/* It and its write(). */
static bool is_kept(struct start_response *sr)
{
	return sr->write ? Py_REFCNT(sr) > 2 || Py_REFCNT(sr->write) > 1 : Py_REFCNT(sr) > 1;
}

PyObject *start_response_new(const struct lane *lane, struct response *rs, PyObject *previous)
{
	struct start_response *sr = (struct start_response *)previous;

	if (sr && is_kept(sr)) {
		start_response_drop(previous); /* the application has it */
		sr = NULL;
	}
	if (!sr) {
		sr = PyObject_New(struct start_response, lane->python->types.start_response);
		if (!sr)
			return NULL;
		sr->write = NULL;
	}
	sr->vectorcall = call;
	sr->lane = lane;
	sr->rs = rs;
	sr->called = sr->peer_is_gone = false;
	sr->lost = 0;
	return (PyObject *)sr;
}

bool start_response_was_called(PyObject *self)
{
	return ((struct start_response *)self)->called;
}

bool start_response_tolerates(PyObject *self)
{
	return ++((struct start_response *)self)->lost <= interpreter()->settings->write_tolerance;
}

bool start_response_peer_is_gone(PyObject *self)
{
	return ((struct start_response *)self)->peer_is_gone;
}

void start_response_detach(PyObject *self)
{
	((struct start_response *)self)->rs = NULL;
}

static void start_response_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	PyObject_Free(self);
	Py_DECREF(type);
}

static PyType_Slot slots[] = {
	{ Py_tp_dealloc, start_response_dealloc },
	{ Py_tp_call, PyVectorcall_Call },
	{ 0, NULL },
};

PyTypeObject *start_response_type_new(void)
{
	static PyType_Spec spec = {
		.name = "uwsgi.StartResponse",
		.basicsize = sizeof(struct start_response),
		.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
		.slots = slots,
	};
	PyTypeObject *type = compat_type_new(&spec, false);

	/* Not every Python takes this from a PyType_Spec. */
	if (type) {
		type->tp_vectorcall_offset = offsetof(struct start_response, vectorcall);
		type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
	}
	return type;
}
