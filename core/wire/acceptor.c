/* SPDX-License-Identifier: MIT */
/* acceptor.c: takes connections while there are descriptors for them, and new ones only from peers
 * that a listener is for. */
#include "wire/acceptor.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Without a free descriptor, accept() is tried again after this. */
static const double pause_s = 0.5;

/* Where all connections have requests, somebody will soon be done. */
static const double full_pause_s = 0.02;

enum { LOOK_EACH = 4 };

bool acceptor_is_paused(const struct acceptor *a)
{
	return ev_is_active(&a->pause);
}

int acceptor_fd(const struct acceptor *a, size_t index)
{
	const struct listeners *listeners = a->clients->listeners;

	if (index < listeners->count &&
	    (listeners->items[index].gateway != a->gateway || listeners->items[index].service))
		return -1;
	return a->watchers[index].fd;
}

void acceptor_start(struct acceptor *a)
{
	if (a->started || acceptor_is_paused(a))
		return;
	a->started = true;
	for (size_t i = 0; i < a->count; i++)
		if (acceptor_fd(a, i) >= 0)
			ev_io_start(a->clients->loop, &a->watchers[i]);
}

static void stop_watching(struct acceptor *a)
{
	if (!a->started)
		return;
	a->started = false;
	for (size_t i = 0; i < a->count; i++)
		ev_io_stop(a->clients->loop, &a->watchers[i]);
}

void acceptor_stop(struct acceptor *a)
{
	stop_watching(a);
	ev_timer_stop(a->clients->loop, &a->pause);
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
	ev_timer_start(a->clients->loop, &a->pause);
}

static void pause_accepting(struct acceptor *a, const char *why)
{
	uwsgi_log(UWSGI_ERROR, "%s cannot accept: %s; trying again in %.1f s",
		  a->gateway ? a->gateway->name : "a worker", why, pause_s);
	wait_before_accepting(a, pause_s);
}

static void wait_for_room(struct acceptor *a)
{
	wait_before_accepting(a, full_pause_s);
	if (seldom_happened(&a->full, clock_monotonic_coarse_ms()) == 0)
		return;
	uwsgi_log(UWSGI_WARNING,
		  "%s is full: all of its %zu connections have requests (max-connections, max-fd); "
		  "new ones wait until some are answered",
		  a->gateway ? a->gateway->name : "a worker's thread", a->clients->open_count);
}

/* The process, or the machine, has no descriptor for who waits: a connection that waits longer gives
 * up its own.  False: there is none, and nobody is accepted for a while. */
static bool find_room(struct acceptor *a, const char *why)
{
	if (clients_make_room(a->clients))
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

/* No connection comes from it any more; one that is shut stays readable, and would wake this thread for
 * nothing. */
static void leave_alone(struct acceptor *a, size_t index)
{
	ev_io_stop(a->clients->loop, &a->watchers[index]);
	a->watchers[index].fd = -1;
}

/* The last connections have as much time to send a request as others had. */
static void accept_one(struct acceptor *a, const struct listener *listener, int fd,
		       const struct sockaddr *peer, socklen_t length)
{
	if (a->last)
		clients_prolong(a->clients);
	clients_accept(a->clients, listener, fd, peer, length);
}

/* accept() says the same of a UNIX socket that is shut down as of one where nobody waits.  Most often
 * another thread was quicker, so it is looked at seldom. */
static bool is_shut(struct acceptor *a, const struct listener *listener)
{
	struct pollfd p = { .fd = listener->fd, .events = POLLRDHUP };

	return !listener_is_tcp(listener) && ++a->vain % LOOK_EACH == 0 && poll(&p, 1, 0) == 1 &&
	       p.revents & POLLRDHUP;
}

/* EINVAL: it is shut down, and nobody waits. */
static int accept_new(struct acceptor *a, const struct listener *listener,
		      struct sockaddr_storage *peer, socklen_t *length)
{
	int fd = listener_accept(listener, peer, length);

	if (fd >= 0 || errno != EAGAIN || !is_shut(a, listener))
		return fd;
	/* A client may have connected between the two, before it was shut. */
	fd = listener_accept(listener, peer, length);
	if (fd < 0 && errno == EAGAIN)
		errno = EINVAL;
	return fd;
}

static bool take_new(struct acceptor *a, const struct listener *listener)
{
	struct sockaddr_storage peer;
	socklen_t length;

	if (clients_are_full(a->clients, listener->fd)) {
		wait_for_room(a);
		return false;
	}
	int fd = accept_new(a, listener, &peer, &length);

	if (fd >= 0 && listener->internal && !is_own(a, fd))
		close(fd);
	else if (fd >= 0)
		accept_one(a, listener, fd, (struct sockaddr *)&peer, length);
	else if (errno == EINVAL || (a->last && errno == EAGAIN))
		leave_alone(a, (size_t)(listener - a->clients->listeners->items));
	else if (listener_is_out_of_resources(errno))
		return find_room(a, strerror(errno));
	return fd >= 0;
}

static bool take_moved(struct acceptor *a, int queue)
{
	enum migrate_result result = clients_take_over(a->clients, queue);

	return result == MIGRATE_NO_ROOM ? find_room(a, strerror(EMFILE)) : result == MIGRATE_DONE;
}

bool acceptor_take(struct acceptor *a, size_t index)
{
	const struct listeners *listeners = a->clients->listeners;

	return index < listeners->count ? take_new(a, &listeners->items[index])
					: take_moved(a, a->watchers[index].fd);
}

void acceptor_last_call(struct acceptor *a)
{
	const struct listeners *listeners = a->clients->listeners;

	a->last = true;
	for (size_t i = 0; i < listeners->count; i++)
		if (listeners->items[i].passed)
			leave_alone(a, i);
}

bool acceptor_is_through(struct acceptor *a)
{
	bool through = true;

	for (size_t i = 0; i < a->clients->listeners->count; i++) {
		while (a->clients->open_count == 0 && acceptor_fd(a, i) >= 0 && acceptor_take(a, i))
			;
		through = through && acceptor_fd(a, i) < 0;
	}
	return through;
}

void acceptor_empty(struct acceptor *a, int queue)
{
	int fd = a->watchers[a->clients->listeners->count + (size_t)queue].fd;

	while (fd >= 0 && clients_take_over(a->clients, fd) == MIGRATE_DONE)
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

int acceptor_init(struct acceptor *a, struct clients *clients, const struct gateway *gateway,
		  const int queues[ACCEPTOR_QUEUES], int most, struct error *e)
{
	size_t listeners = clients->listeners->count, count = listeners + ACCEPTOR_QUEUES;

	*a = (struct acceptor){ .clients = clients,
				.gateway = gateway,
				.most = most,
				.uid = geteuid(),
				.watchers = calloc(count, sizeof *a->watchers),
				.count = count };
	if (!a->watchers)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < count; i++) {
		ev_io_init(&a->watchers[i], on_acceptable,
			   i < listeners ? clients->listeners->items[i].fd : queues[i - listeners],
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
