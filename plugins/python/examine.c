/* SPDX-License-Identifier: MIT */
/* examine.c: what a service has ordered, on a thread of its own; and the text that answers it. */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A text of more is cut.  How long a reader may take nothing of it.  A name of more is cut. */
enum { TEXT_MAX = 4 << 20, PATIENCE_MS = 5000, FIELD_MAX = 512 };

/* ---- text ---- */

static bool make_room(struct text *t, size_t more)
{
	size_t room = t->room ? t->room : 4096;

	while (room - t->n < more)
		room *= 2;
	char *p = t->n + more > TEXT_MAX ? NULL : realloc(t->p, room);
	if (!p)
		return false;
	t->p = p;
	t->room = room;
	return true;
}

void text_put(struct text *t, struct slice s)
{
	if (s.n > t->room - t->n && !make_room(t, s.n))
		return;
	memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
}

void text_put_field(struct text *t, struct slice s)
{
	char escaped[FIELD_MAX];

	text_put(t, (struct slice){ escaped, uwsgi_escape(escaped, sizeof escaped, s) });
}

void text_put_attribute(struct text *t, PyObject *code, const char *name)
{
	PyObject *value = PyObject_GetAttrString(code, name);
	Py_ssize_t n = 0;
	const char *p = value && PyUnicode_Check(value) ? PyUnicode_AsUTF8AndSize(value, &n) : NULL;

	text_put_field(t, p ? (struct slice){ p, (size_t)n } : SLICE("?"));
	Py_XDECREF(value);
	PyErr_Clear();
}

bool text_send(struct text *t, int fd)
{
	size_t sent = 0;

	while (sent < t->n) {
		ssize_t n = send(fd, t->p + sent, t->n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		if (n >= 0)
			sent += (size_t)n;
		else if (errno != EINTR && (errno != EAGAIN || poll(&p, 1, PATIENCE_MS) == 0))
			break;
	}
	bool all = sent == t->n;
	t->n = 0;
	return all;
}

/* ---- orders ---- */

static void answer_stacks(int fd)
{
	struct text t = { 0 };

	text_put(&t, SLICE("H\n"));
	text_send(&t, fd);
	PyGILState_STATE state = PyGILState_Ensure();
	stacks_write(&t);
	PyGILState_Release(state);
	text_put(&t, SLICE("\n"));
	text_send(&t, fd);
	free(t.p);
}

/* Names are looked up at the end, some at a time: requests need the GIL, too. */
static void answer_profile(const struct order *order, int fd)
{
	struct text t = { 0 };
	struct folded *seen = folded_new();
	PyGILState_STATE state = PyGILState_Ensure();
	bool more = seen != NULL, is_read = true;

	if (seen)
		profile_run(seen, order, fd);
	while (more && is_read) {
		more = folded_write_some(seen, &t);
		Py_BEGIN_ALLOW_THREADS;
		is_read = text_send(&t, fd);
		Py_END_ALLOW_THREADS;
	}
	folded_free(seen);
	PyGILState_Release(state);
	text_put(&t, seen ? SLICE("\n") : SLICE("!out of memory\n\n"));
	text_send(&t, fd);
	free(t.p);
}

void examine_run(const struct order *order, int fd)
{
	if (order->kind == ORDER_STACKS)
		answer_stacks(fd);
	else
		answer_profile(order, fd);
}
