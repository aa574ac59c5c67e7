/* SPDX-License-Identifier: MIT */
/* wsgi.c: one request through the application: the call, the blocks of what it returns, and
 * close() in any case.  The GIL is held from the first line of Python to the last. */
#include "internal.h"

/* What became of the response. */
enum sent {
	SENT,      /* all was said */
	SENT_FILE, /* the same; the wrapper is closed when its file is sent */
	PEER_GONE,
	RAISED,    /* a Python exception is set */
};

static enum sent no_head(void)
{
	PyErr_SetString(PyExc_AssertionError, "the application did not call start_response");
	return RAISED;
}

static enum sent send_block(const struct lane *lane, struct response *rs, PyObject *block)
{
	if (!start_response_was_called(lane->start_response))
		return no_head();
	int sent = body_send(rs, block);

	return sent > 0 ? SENT : sent == 0 ? PEER_GONE : RAISED;
}

/* All blocks are here: nothing has to leave before the last. */
static enum sent send_sequence(const struct lane *lane, struct response *rs, PyObject *sequence)
{
	enum sent sent = SENT;

	/* The list may change under us only through itself, which does not run now. */
	for (Py_ssize_t i = 0; sent == SENT && i < PySequence_Fast_GET_SIZE(sequence); i++)
		sent = send_block(lane, rs, PySequence_Fast_GET_ITEM(sequence, i));
	return sent;
}

/* A block must not wait for the next one to be made. */
static enum sent send_iterable(const struct lane *lane, struct response *rs, PyObject *iterable)
{
	PyObject *iterator = PyObject_GetIter(iterable), *block;
	enum sent sent = SENT;

	if (!iterator)
		return RAISED;
	while (sent == SENT && (block = PyIter_Next(iterator))) {
		sent = send_block(lane, rs, block);
		bool empty = PyBytes_Check(block) && PyBytes_GET_SIZE(block) == 0;

		Py_DECREF(block);
		if (sent == SENT && !empty && !uwsgi_response_flush(rs))
			sent = PEER_GONE;
	}
	Py_DECREF(iterator);
	return sent == SENT && PyErr_Occurred() ? RAISED : sent;
}

static enum sent send_file(const struct lane *lane, struct response *rs, PyObject *wrapper)
{
	if (!start_response_was_called(lane->start_response))
		return no_head();
	switch (file_wrapper_send(rs, wrapper)) {
	case 1:
		return SENT_FILE;
	case 0:
		return send_iterable(lane, rs, wrapper);
	default:
		return RAISED;
	}
}

static enum sent send_result(const struct lane *lane, struct response *rs, PyObject *result)
{
	enum sent sent;

	if (Py_TYPE(result) == &file_wrapper_type)
		sent = send_file(lane, rs, result);
	else if (PyList_CheckExact(result) || PyTuple_CheckExact(result))
		sent = send_sequence(lane, rs, result);
	else if (PyBytes_Check(result))
		sent = send_block(lane, rs, result); /* not byte by byte */
	else if (PyUnicode_Check(result)) {
		PyErr_SetString(PyExc_TypeError,
				"the application must return an iterable of bytes, not str");
		sent = RAISED;
	} else {
		sent = send_iterable(lane, rs, result);
	}
	if (sent == SENT && !start_response_was_called(lane->start_response))
		return no_head();
	return sent;
}

/* After what was raised before, which stays the reason of the failure. */
static void close_result(PyObject *result, const struct request *rq)
{
	PyObject *close = PyObject_GetAttrString(result, "close");

	if (!close) {
		PyErr_Clear();
		return;
	}
	PyObject *done = PyObject_CallNoArgs(close);
	if (!done)
		failure_log("exception in close() of the response to", rq);
	Py_XDECREF(done);
	Py_DECREF(close);
}

static void fail(const struct request *rq, struct response *rs)
{
	PyObject *text = failure_log_and_keep("exception in", rq);
	struct slice body = { 0 };
	Py_ssize_t n = 0;

	if (text && python.settings->catch_exceptions) {
		body.p = PyUnicode_AsUTF8AndSize(text, &n);
		body.n = body.p ? (size_t)n : 0;
	}
	PyErr_Clear();
	uwsgi_response_fail(rs, body);
	Py_XDECREF(text);
}

static void run(struct lane *lane, struct request *rq, struct response *rs, PyObject *environ)
{
	PyObject *args[] = { environ, lane->start_response };
	PyObject *result = PyObject_Vectorcall(python.application, args, 2, NULL);
	enum sent sent = result ? send_result(lane, rs, result) : RAISED;

	if (sent == RAISED)
		fail(rq, rs);
	if (result && sent != SENT_FILE && !PyList_CheckExact(result) &&
	    !PyTuple_CheckExact(result) && !PyBytes_CheckExact(result))
		close_result(result, rq);
	if (sent != RAISED)
		uwsgi_response_end(rs);
	Py_XDECREF(result);
}

void wsgi_handle(void *state, struct request *rq, struct response *rs)
{
	struct lane *lane = state;

	if (!python.application) {
		uwsgi_response_fail(rs, SLICE("Internal Server Error: no application is loaded; the "
					      "server log says why"));
		return;
	}
	PyEval_RestoreThread(lane->state);
	lane->input = input_new(rq, lane->input);
	lane->start_response = start_response_new(rs, lane->start_response);
	PyObject *environ = lane->input && lane->start_response ? environ_new(rq, lane->input) : NULL;
	if (environ)
		run(lane, rq, rs, environ);
	else
		fail(rq, rs);
	Py_XDECREF(environ);
	if (lane->start_response)
		start_response_detach(lane->start_response);
	if (lane->input)
		input_detach(lane->input);
	lane->state = PyEval_SaveThread();
}

/* An owner is the bytes object of a block, or the wrapper of a file. */
static void give_back(PyObject *owner)
{
	if (Py_TYPE(owner) == &file_wrapper_type)
		close_result(owner, NULL);
	Py_DECREF(owner);
}

void wsgi_release(void *state, void *const *owners, size_t count)
{
	struct lane *lane = state;
	bool inside = PyGILState_Check();

	if (!inside)
		PyEval_RestoreThread(lane->state);
	for (size_t i = 0; i < count; i++)
		give_back(owners[i]);
	if (!inside)
		lane->state = PyEval_SaveThread();
}
