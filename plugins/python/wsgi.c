/* SPDX-License-Identifier: MIT */
/* wsgi.c: one request through the application: the call, the blocks of what it returns, and
 * close() in any case.  The GIL is held from the first line of Python to the last. */
#include "internal.h"

/* Small blocks of a list are copied by the server: above this many bytes it gets to send them. */
enum { COPIED_MAX = 1 << 20 };

/* What became of the response. */
enum sent {
	SENT,      /* all was said */
	SENT_FILE, /* the same; the wrapper is closed when its file is sent */
	PEER_GONE,
	RAISED, /* a Python exception is set */
};

static enum sent no_head(void)
{
	PyErr_SetString(PyExc_AssertionError, "the application did not call start_response");
	return RAISED;
}

/* ---- blocks ---- */

static enum sent send_block(const struct lane *lane, struct response *rs, PyObject *block,
			    Py_ssize_t *size)
{
	if (!start_response_was_called(lane->start_response))
		return no_head();
	int sent = block_send(rs, block, size);

	return sent > 0 ? SENT : sent == 0 ? PEER_GONE : RAISED;
}

static enum sent flush(struct response *rs)
{
	return uwsgi_response_flush(rs) ? SENT : PEER_GONE;
}

/* All blocks are here, so none has to leave before the last is known. */
static enum sent send_sequence(const struct lane *lane, struct response *rs, PyObject *sequence)
{
	enum sent sent = SENT;
	Py_ssize_t size, copied = 0;

	for (Py_ssize_t i = 0; sent == SENT && i < PySequence_Fast_GET_SIZE(sequence); i++) {
		PyObject *block = PySequence_Fast_GET_ITEM(sequence, i);

		if (copied > COPIED_MAX) {
			sent = flush(rs);
			copied = 0;
			if (sent != SENT)
				break;
		}
		/* Other threads may run meanwhile, and take it out of the list. */
		Py_INCREF(block);
		sent = send_block(lane, rs, block, &size);
		if (sent == SENT && size <= UWSGI_COPY_MAX)
			copied += size;
		Py_DECREF(block);
	}
	return sent;
}

/* Whether an application whose client is gone is asked for more. */
static bool may_go_on(const struct lane *lane)
{
	return lane->python->settings->write_exception_only ||
	       start_response_tolerates(lane->start_response);
}

/* A block must not wait for the next one to be made. */
static enum sent send_iterator(const struct lane *lane, struct response *rs, PyObject *iterator)
{
	enum sent sent = SENT;
	PyObject *block;
	Py_ssize_t size;

	while (sent == SENT && (block = PyIter_Next(iterator))) {
		sent = send_block(lane, rs, block, &size);
		if (sent == SENT && size > 0)
			sent = flush(rs);
		if (sent == PEER_GONE && may_go_on(lane)) {
			uwsgi_response_flush(rs); /* gives the block back */
			sent = SENT;
		}
		Py_DECREF(block);
	}
	return sent == SENT && PyErr_Occurred() ? RAISED : sent;
}

/* ---- what applications return ---- */

static enum sent send_iterable(const struct lane *lane, struct response *rs, PyObject *iterable)
{
	PyObject *iterator;
	enum sent sent;

	if (PyUnicode_Check(iterable) ||
	    (!Py_TYPE(iterable)->tp_iter && !PySequence_Check(iterable))) {
		PyErr_Format(PyExc_TypeError,
			     "the application must return an iterable of bytes, not %s",
			     Py_TYPE(iterable)->tp_name);
		return RAISED;
	}
	iterator = PyObject_GetIter(iterable);
	if (!iterator)
		return RAISED;
	if (Py_TYPE(iterator) == &PyListIter_Type || Py_TYPE(iterator) == &PyTupleIter_Type) {
		/* What Django's responses give: nothing is computed between two blocks. */
		PyObject *rest = PySequence_List(iterator);

		sent = rest ? send_sequence(lane, rs, rest) : RAISED;
		Py_XDECREF(rest);
	} else {
		sent = send_iterator(lane, rs, iterator);
	}
	Py_DECREF(iterator);
	return sent;
}

static enum sent send_file(const struct lane *lane, struct response *rs, PyObject *wrapper)
{
	if (!start_response_was_called(lane->start_response))
		return no_head();
	switch (file_wrapper_send(rs, wrapper)) {
	case 1:
		return SENT_FILE;
	case 0:
		return send_iterator(lane, rs, wrapper);
	default:
		return RAISED;
	}
}

static enum sent send_result(const struct lane *lane, struct response *rs, PyObject *result)
{
	enum sent sent;
	Py_ssize_t size;

	if (PyList_CheckExact(result) || PyTuple_CheckExact(result))
		sent = send_sequence(lane, rs, result);
	else if (PyBytes_Check(result))
		sent = send_block(lane, rs, result, &size); /* not byte by byte */
	else if (Py_TYPE(result) == lane->python->types.file_wrapper)
		sent = send_file(lane, rs, result);
	else
		sent = send_iterable(lane, rs, result);
	if (sent == SENT && !start_response_was_called(lane->start_response))
		return no_head();
	return sent;
}

/* ---- the end ---- */

static void fail(const struct lane *lane, const struct request *rq, struct response *rs)
{
	PyObject *text = failure_log_and_keep("exception in", rq);
	struct slice body = { 0 };

	if (text && lane->python->settings->catch_exceptions)
		body = (struct slice){ PyBytes_AS_STRING(text), (size_t)PyBytes_GET_SIZE(text) };
	uwsgi_response_fail(rs, body);
	Py_XDECREF(text);
}

/* From here on, code of the application that still runs (close(), finalisers) can no longer
 * reach the response. */
static void end_response(const struct lane *lane, enum sent sent, const struct request *rq,
			 struct response *rs)
{
	bool gave_up = sent == RAISED && start_response_peer_is_gone(lane->start_response) &&
		       PyErr_ExceptionMatches(PyExc_BrokenPipeError);

	start_response_detach(lane->start_response);
	if (gave_up)
		PyErr_Clear(); /* it is write()'s own: nothing went wrong here */
	if (sent == RAISED && !gave_up)
		fail(lane, rq, rs);
	else
		uwsgi_response_end(rs);
}

/* rq: for the log; NULL when it is over. */
static void close_result(const struct names *names, PyObject *result, const struct request *rq)
{
	PyObject *close = PyObject_GetAttr(result, names->close);

	if (!close) {
		PyErr_Clear();
		return;
	}
	PyObject *done = PyObject_CallNoArgs(close);
	if (!done)
		failure_log(rq ? "exception in close() after" : "exception in close() of a file",
			    rq);
	Py_XDECREF(done);
	Py_DECREF(close);
}

static bool may_have_close(PyObject *result)
{
	return !PyList_CheckExact(result) && !PyTuple_CheckExact(result) &&
	       !PyBytes_CheckExact(result);
}

static void run(struct lane *lane, PyObject *application, struct request *rq, struct response *rs,
		PyObject *env)
{
	PyObject *args[] = { NULL, env, lane->start_response };
	PyObject *result = PyObject_Vectorcall(application, args + 1,
					       2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
	enum sent sent = result ? send_result(lane, rs, result) : RAISED;

	stray_leave();
	end_response(lane, sent, rq, rs);
	if (result && sent != SENT_FILE && may_have_close(result)) {
		/* What is done in close() is not for the client to wait for. */
		uwsgi_response_flush(rs);
		close_result(&lane->python->names, result, rq);
	}
	Py_XDECREF(result);
}

/* With no-default-app: no mount is for this request. */
static void not_found(struct response *rs)
{
	uwsgi_response_start(rs, SLICE("404 Not Found"));
	uwsgi_response_header(rs, SLICE("Content-Type"), SLICE("text/plain"));
	uwsgi_response_body(rs, SLICE("Not Found\n"), NULL);
	uwsgi_response_end(rs);
}

void wsgi_handle(void *state, struct request *rq, struct response *rs)
{
	struct lane *lane = state;

	const struct mount *mount;
	PyObject *application = mount_find(lane->python, rq, &mount);

	if (!application && lane->python->mount_count > 0) {
		not_found(rs);
		return;
	}
	if (!application) {
		uwsgi_response_fail(rs,
				    SLICE("Internal Server Error: no application is loaded; the "
					  "server log says why"));
		return;
	}
	lane_enter(lane);
	lane->input = input_new(lane->python->types.input, rq, lane->input);
	lane->start_response = start_response_new(lane, rs, lane->start_response);
	lane->rq = rq;
	running_begin(lane);
	PyObject *env = lane->input && lane->start_response ? environ_new(lane, rq) : NULL;
	if (env && mount && mount_split_path(lane->python, mount, rq, env))
		Py_CLEAR(env);
	if (env)
		run(lane, application, rq, rs, env);
	else
		fail(lane, rq, rs);
	if (lane->start_response)
		start_response_detach(lane->start_response);
	if (lane->input)
		input_detach(lane->input);
	Py_XDECREF(env);
	running_end();
	lane->rq = NULL;
	lane_leave(lane);
}

/* An owner is the bytes object of a block, or the wrapper of a file. */
void wsgi_release(void *state, void *const *owners, size_t count)
{
	struct lane *lane = state;
	/* PyGILState_Check() cannot say it: once there is a subinterpreter it is always true. */
	bool inside = !atomic_load_explicit(&lane->state, memory_order_relaxed);

	if (!inside)
		lane_enter(lane);
	for (size_t i = 0; i < count; i++) {
		PyObject *owner = owners[i];

		if (Py_TYPE(owner) == lane->python->types.file_wrapper)
			close_result(&lane->python->names, owner, NULL);
		Py_DECREF(owner);
	}
	if (!inside)
		lane_leave(lane);
}
