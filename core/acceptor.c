/* SPDX-License-Identifier: MIT */
/* acceptor.c: takes connections while there are descriptors for them, and only from peers that a
 * listener is for. */
#include "acceptor.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Without a free descriptor, accept() is tried again after this. */
static const double pause_s = 0.5;

bool acceptor_has(const struct acceptor *a, size_t index)
{
	return a->listeners->items[index].gateway == a->gateway;
}

bool acceptor_is_paused(const struct acceptor *a)
{
	return ev_is_active(&a->pause);
}

void acceptor_start(struct acceptor *a)
{
	if (acceptor_is_paused(a))
		return;
	for (size_t i = 0; i < a->listeners->count; i++)
		if (acceptor_has(a, i))
			ev_io_start(a->hub->loop, &a->watchers[i]);
}

static void stop_watching(struct acceptor *a)
{
	for (size_t i = 0; i < a->listeners->count; i++)
		ev_io_stop(a->hub->loop, &a->watchers[i]);
}

void acceptor_stop(struct acceptor *a)
{
	stop_watching(a);
	ev_timer_stop(a->hub->loop, &a->pause);
}

static void on_pause_over(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	acceptor_start(w->data);
}

static void pause_accepting(struct acceptor *a, int why)
{
	uwsgi_log(UWSGI_ERROR, "%s cannot accept: %s; trying again in %.1f s",
		  a->gateway ? a->gateway->name : "a worker", strerror(why), pause_s);
	stop_watching(a);
	ev_timer_set(&a->pause, pause_s, 0.);
	ev_timer_start(a->hub->loop, &a->pause);
}

/* The name of an internal socket can be seen, and connected to, by anyone on this machine. */
static bool is_own(const struct acceptor *a, int fd)
{
	struct ucred peer;
	socklen_t length = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	       (peer.uid == a->uid || peer.uid == 0);
}

bool acceptor_take(struct acceptor *a, size_t index)
{
	const struct listener *listener = &a->listeners->items[index];
	struct sockaddr_storage peer;
	socklen_t length;
	int fd = listener_accept(listener, &peer, &length);

	if (fd >= 0 && listener->internal && !is_own(a, fd))
		close(fd);
	else if (fd >= 0)
		hub_accept(a->hub, listener, fd, (struct sockaddr *)&peer, length);
	else if (listener_is_out_of_resources(errno))
		pause_accepting(a, errno);
	return fd >= 0;
}

static void on_acceptable(struct ev_loop *loop, ev_io *w, int events)
{
	struct acceptor *a = w->data;
	int most = a->most;

	(void)loop;
	(void)events;
	while (most-- > 0 && acceptor_take(a, (size_t)(w - a->watchers)))
		;
}

int acceptor_init(struct acceptor *a, struct hub *hub, const struct listeners *listeners,
		  const struct gateway *gateway, int most, struct error *e)
{
	*a = (struct acceptor){ .hub = hub,
				.listeners = listeners,
				.gateway = gateway,
				.most = most,
				.uid = geteuid(),
				.watchers = calloc(listeners->count + 1, sizeof *a->watchers) };
	if (!a->watchers)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < listeners->count; i++) {
		ev_io_init(&a->watchers[i], on_acceptable, listeners->items[i].fd, EV_READ);
		a->watchers[i].data = a;
	}
	ev_timer_init(&a->pause, on_pause_over, 0., 0.);
	a->pause.data = a;
	return 0;
}

void acceptor_fini(struct acceptor *a)
{
	acceptor_stop(a);
	free(a->watchers);
}
