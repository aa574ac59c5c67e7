/* SPDX-License-Identifier: MIT */
/* acceptor.c: takes connections while there are descriptors for them, and new ones only from peers
 * that a listener is for. */
#include "wire/acceptor.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Without a free descriptor, accept() is tried again after this. */
static const double pause_s = 0.5;

/* Where all connections have requests, somebody will soon be done.  That is said once in a while. */
static const double full_pause_s = 0.02, tell_full_s = 60;

bool acceptor_is_paused(const struct acceptor *a)
{
	return ev_is_active(&a->pause);
}

int acceptor_fd(const struct acceptor *a, size_t index)
{
	const struct listeners *listeners = a->hub->listeners;

	return index < listeners->count && listeners->items[index].gateway != a->gateway
		       ? -1
		       : a->watchers[index].fd;
}

void acceptor_start(struct acceptor *a)
{
	if (a->started || acceptor_is_paused(a))
		return;
	a->started = true;
	for (size_t i = 0; i < a->count; i++)
		if (acceptor_fd(a, i) >= 0)
			ev_io_start(a->hub->loop, &a->watchers[i]);
}

static void stop_watching(struct acceptor *a)
{
	if (!a->started)
		return;
	a->started = false;
	for (size_t i = 0; i < a->count; i++)
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

static void wait_before_accepting(struct acceptor *a, double seconds)
{
	stop_watching(a);
	ev_timer_set(&a->pause, seconds, 0.);
	ev_timer_start(a->hub->loop, &a->pause);
}

static void pause_accepting(struct acceptor *a, const char *why)
{
	uwsgi_log(UWSGI_ERROR, "%s cannot accept: %s; trying again in %.1f s",
		  a->gateway ? a->gateway->name : "a worker", why, pause_s);
	wait_before_accepting(a, pause_s);
}

static void wait_for_room(struct acceptor *a)
{
	ev_tstamp now = ev_now(a->hub->loop);

	wait_before_accepting(a, full_pause_s);
	if (a->told_full > 0 && now - a->told_full < tell_full_s)
		return;
	a->told_full = now;
	uwsgi_log(UWSGI_WARNING,
		  "%s is full: all of its %zu connections have requests (max-connections, max-fd); "
		  "new ones wait until some are answered",
		  a->gateway ? a->gateway->name : "a worker's thread", a->hub->open_count);
}

/* The process, or the machine, has no descriptor for who waits: a connection that waits longer gives
 * up its own.  False: there is none, and nobody is accepted for a while. */
static bool find_room(struct acceptor *a, const char *why)
{
	if (hub_make_room(a->hub))
		return true;
	pause_accepting(a, why);
	return false;
}

/* The name of an internal socket can be seen, and connected to, by anyone on this machine. */
static bool is_own(const struct acceptor *a, int fd)
{
	struct ucred peer;
	socklen_t length = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	       (peer.uid == a->uid || peer.uid == 0);
}

static bool take_new(struct acceptor *a, const struct listener *listener)
{
	struct sockaddr_storage peer;
	socklen_t length;

	if (hub_is_full(a->hub, listener->fd)) {
		wait_for_room(a);
		return false;
	}
	int fd = listener_accept(listener, &peer, &length);

	if (fd >= 0 && listener->internal && !is_own(a, fd))
		close(fd);
	else if (fd >= 0)
		hub_accept(a->hub, listener, fd, (struct sockaddr *)&peer, length);
	else if (listener_is_out_of_resources(errno))
		return find_room(a, strerror(errno));
	return fd >= 0;
}

static bool take_moved(struct acceptor *a, int queue)
{
	enum migrate_result result = hub_take_over(a->hub, queue);

	return result == MIGRATE_NO_ROOM ? find_room(a, strerror(EMFILE)) : result == MIGRATE_DONE;
}

bool acceptor_take(struct acceptor *a, size_t index)
{
	const struct listeners *listeners = a->hub->listeners;

	return index < listeners->count ? take_new(a, &listeners->items[index])
					: take_moved(a, a->watchers[index].fd);
}

void acceptor_empty(struct acceptor *a, int queue)
{
	int fd = a->watchers[a->hub->listeners->count + (size_t)queue].fd;

	while (fd >= 0 && hub_take_over(a->hub, fd) == MIGRATE_DONE)
		;
}

static void on_acceptable(struct ev_loop *loop, ev_io *w, int events)
{
	struct acceptor *a = w->data;
	int most = a->most;

	(void)loop;
	if (events & EV_ERROR) {
		pause_accepting(a, "the kernel cannot watch its sockets");
		return;
	}
	while (most-- > 0 && acceptor_take(a, (size_t)(w - a->watchers)))
		;
}

int acceptor_init(struct acceptor *a, struct hub *hub, const struct gateway *gateway,
		  const int queues[ACCEPTOR_QUEUES], int most, struct error *e)
{
	size_t listeners = hub->listeners->count, count = listeners + ACCEPTOR_QUEUES;

	*a = (struct acceptor){ .hub = hub,
				.gateway = gateway,
				.most = most,
				.uid = geteuid(),
				.watchers = calloc(count, sizeof *a->watchers),
				.count = count };
	if (!a->watchers)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < count; i++) {
		ev_io_init(&a->watchers[i], on_acceptable,
			   i < listeners ? hub->listeners->items[i].fd : queues[i - listeners],
			   EV_READ);
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
