/* SPDX-License-Identifier: MIT */
/* tunnel.c: moves bytes both ways between two connections until one of them ends. */
#include "tunnel.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENT, SERVER };

/* One connection, and what has come from it for the other one. */
struct side {
	ev_io io;
	size_t begin, end;
	bool ended; /* it says no more */
	char buffer[TUNNEL_BUFFER];
};

struct tunnel {
	struct ev_loop *loop;
	struct side sides[2];
	ev_timer timer;
	double deadline;
	double timeout_s;
};

static void close_tunnel(struct tunnel *t)
{
	ev_timer_stop(t->loop, &t->timer);
	for (int i = 0; i < 2; i++) {
		ev_io_stop(t->loop, &t->sides[i].io);
		close(t->sides[i].io.fd);
	}
	free(t);
}

/* True: there may be more to do; false: not now. */
static bool read_side(struct side *from)
{
	ssize_t n;

	if (from->ended || from->begin < from->end)
		return false;
	n = recv(from->io.fd, from->buffer, sizeof from->buffer, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	from->begin = 0;
	from->end = n > 0 ? (size_t)n : 0;
	from->ended = n <= 0;
	return n > 0;
}

/* False: the other side takes nothing any more. */
static bool write_side(struct side *from, const struct side *to)
{
	while (from->begin < from->end) {
		ssize_t n = send(to->io.fd, from->buffer + from->begin, from->end - from->begin,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		from->begin += (size_t)n;
	}
	return true;
}

static void watch_side(struct tunnel *t, int i)
{
	struct side *own = &t->sides[i], *other = &t->sides[!i];
	int events = (!own->ended && own->begin == own->end ? EV_READ : 0) |
		     (other->begin < other->end ? EV_WRITE : 0);

	if (ev_is_active(&own->io) && (own->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(t->loop, &own->io);
	ev_io_set(&own->io, own->io.fd, events);
	if (events)
		ev_io_start(t->loop, &own->io);
}

/* Whoever has ended gets nothing more to say; what it has said still arrives. */
static void move(struct tunnel *t)
{
	for (int i = 0; i < 2; i++) {
		struct side *from = &t->sides[i], *to = &t->sides[!i];

		do {
			if (!write_side(from, to)) {
				close_tunnel(t);
				return;
			}
		} while (read_side(from));
		if (from->ended && from->begin == from->end) {
			close_tunnel(t);
			return;
		}
	}
	watch_side(t, CLIENT);
	watch_side(t, SERVER);
}

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
	struct tunnel *t = w->data;

	(void)loop;
	if (events & EV_ERROR) {
		/* The kernel cannot watch it. */
		close_tunnel(t);
		return;
	}
	t->deadline = gateway_now_s() + t->timeout_s;
	move(t);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct tunnel *t = w->data;

	(void)events;
	if (t->deadline <= gateway_now_s()) {
		close_tunnel(t);
		return;
	}
	ev_timer_set(w, t->deadline - gateway_now_s(), 0.);
	ev_timer_start(loop, w);
}

bool tunnel_open(struct ev_loop *loop, int client, int server, struct slice first, double timeout_s)
{
	struct tunnel *t = malloc(sizeof *t);
	int fds[2] = { [CLIENT] = client, [SERVER] = server };

	if (!t) {
		close(client);
		close(server);
		return false;
	}
	t->loop = loop;
	t->timeout_s = timeout_s;
	t->deadline = gateway_now_s() + timeout_s;
	for (int i = 0; i < 2; i++) {
		ev_io_init(&t->sides[i].io, on_io, fds[i], EV_READ);
		t->sides[i].io.data = t;
		t->sides[i].begin = t->sides[i].end = 0;
		t->sides[i].ended = false;
	}
	memcpy(t->sides[CLIENT].buffer, first.p, first.n);
	t->sides[CLIENT].end = first.n;
	ev_timer_init(&t->timer, on_timer, timeout_s, 0.);
	t->timer.data = t;
	ev_timer_start(loop, &t->timer);
	move(t);
	return true;
}
