/* SPDX-License-Identifier: MIT */
/* block.c: hands one block of a response body to the server: what iterables yield and write()
 * is given.  Small blocks are copied there; large ones are lent, and wsgi_release() gets them
 * back. */
#include "internal.h"

static int send_bytes(struct response *rs, PyObject *bytes)
{
	struct slice s = { PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes) };

	if (s.n == 0)
		return 1;
	if (s.n <= UWSGI_COPY_MAX)
		return uwsgi_response_body(rs, s, NULL);
	Py_INCREF(bytes);
	return uwsgi_response_body(rs, s, bytes);
}

int block_send(struct response *rs, PyObject *block, Py_ssize_t *size)
{
	if (PyBytes_Check(block)) {
		*size = PyBytes_GET_SIZE(block);
		return send_bytes(rs, block);
	}
	if (!PyObject_CheckBuffer(block)) {
		PyErr_Format(PyExc_TypeError, "a block of a response must be bytes, not %s",
			     Py_TYPE(block)->tp_name);
		return -1;
	}
	/* It may change once we return: send a copy. */
	PyObject *copy = PyBytes_FromObject(block);
	int sent = copy ? send_bytes(rs, copy) : -1;

	*size = copy ? PyBytes_GET_SIZE(copy) : 0;
	Py_XDECREF(copy);
	return sent;
}
