/* SPDX-License-Identifier: MIT */
/* hub.c: which connection's turn it is, and which are better off in another lane. */
#include "hub.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FRAMING = 64, /* of a head, bytes that buffer-size does not count */
	AGAIN_A_TURN = 64,
};

/* A queue that was full is tried again after this. */
static const double retry_s = 0.01;

/* ---- to other lanes ---- */

/* Gives away all that can move, as many as the queue has room for.  A connection that others have
 * open stays in this loop's epoll: libev drops it from there when it first speaks. */
static enum migrate_result give_away(struct hub *hub, int queue)
{
	enum migrate_result result = MIGRATE_DONE;
	struct connection *next;

	for (struct connection *c = LIST_FIRST(&hub->open); c && result == MIGRATE_DONE; c = next) {
		next = LIST_NEXT(c, link);
		if (connection_can_move(c))
			result = connection_give(c, queue);
	}
	return result;
}

static void leave_some(struct hub *hub)
{
	switch (give_away(hub, hub->successors)) {
	case MIGRATE_LATER:
		if (!ev_is_active(&hub->retry)) {
			ev_timer_set(&hub->retry, retry_s, 0.);
			ev_timer_start(hub->loop, &hub->retry);
		}
		break;
	case MIGRATE_ENDED:
		/* The server stops, before this hub had finished: nobody takes any more. */
		hub_end(hub, hub->idle_s);
		break;
	case MIGRATE_DONE:
	case MIGRATE_NO_ROOM:
		break;
	}
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	leave_some(w->data);
}

enum migrate_result hub_take_over(struct hub *hub, int queue)
{
	struct moved moved;
	char input[MIGRATE_INPUT_MAX];
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof peer;
	int fd;
	enum migrate_result result = migrate_take(queue, &fd, &moved, input);

	if (result != MIGRATE_DONE)
		return result;
	const struct listener *listener = listeners_find(hub->listeners, moved.listener);

	if (!listener) {
		/* A reload has taken it away, or given it another meaning. */
		close(fd);
		return MIGRATE_DONE;
	}
	if (listener->address.sa.ss_family == AF_UNIX ||
	    getpeername(fd, (struct sockaddr *)&peer, &length))
		length = 0;
	struct connection *c =
		connection_new(hub, listener, fd, (struct sockaddr *)&peer, length);
	if (c)
		connection_resume(c, &moved, input);
	return MIGRATE_DONE;
}

/* ---- turns ---- */

/* Reading makes it READY when its request is whole. */
static void serve_slow(struct hub *hub, struct connection *c)
{
	if (c->state != READY)
		connection_read(c);
	if (c->state != READY)
		return;
	/* The others would wait: a lane that is free serves them sooner. */
	if (hub->neighbours >= 0 && hub->open_count > 1 && !hub->leaving)
		give_away(hub, hub->neighbours);
	connection_run(c);
}

/* At least one, and as long as the quick of this turn took together: neither kind waits for all of
 * the other. */
static void serve_some_slow(struct hub *hub)
{
	double quick_s = hub->ran_s;
	struct connection *c;

	hub->ran_s = 0;
	while (hub->ran_s <= quick_s && (c = TAILQ_FIRST(&hub->slow)))
		serve_slow(hub, c);
	hub->ran_s = 0;
}

void hub_end_turn(struct hub *hub)
{
	struct connection *c;

	if (hub->leaving && !hub->ending && !ev_is_active(&hub->retry))
		leave_some(hub);
	for (int i = 0; i < AGAIN_A_TURN && (c = TAILQ_FIRST(&hub->again)); i++)
		connection_go_on(c);
	serve_some_slow(hub);
	if (!TAILQ_EMPTY(&hub->again) || !TAILQ_EMPTY(&hub->slow))
		ev_idle_start(hub->loop, &hub->more);
	else
		ev_idle_stop(hub->loop, &hub->more);
	while ((c = LIST_FIRST(&hub->closed))) {
		LIST_REMOVE(c, link);
		free(c);
	}
}

static void on_turn(struct ev_loop *loop, ev_check *w, int events)
{
	(void)loop;
	(void)events;
	hub_end_turn(w->data);
}

/* The loop does not sleep: on_turn() is next. */
static void on_more(struct ev_loop *loop, ev_idle *w, int events)
{
	(void)loop;
	(void)w;
	(void)events;
}

void hub_accept(struct hub *hub, const struct listener *listener, int fd,
		const struct sockaddr *peer, socklen_t length)
{
	struct connection *c = connection_new(hub, listener, fd, peer, length);

	if (!c)
		return;
	c->is_new = true;
	listener_begin(listener, hub->config, c->protocol_state);
	connection_start(c);
}

/* ---- life ---- */

static void on_grace(struct ev_loop *loop, ev_timer *w, int events)
{
	struct hub *hub = w->data;
	struct connection *next;

	(void)events;
	hub->grace_over = true;
	for (struct connection *c = LIST_FIRST(&hub->open); c; c = next) {
		next = LIST_NEXT(c, link);
		if (!connection_can_move(c) || c->queue)
			continue;
		hub->cut_off += c->deadline > ev_now(loop);
		connection_close(c);
	}
}

void hub_init(struct hub *hub, struct ev_loop *loop, const struct hub_host *host, void *host_data,
	      const struct hub_setup *setup)
{
	*hub = (struct hub){ .loop = loop,
			     .host = host,
			     .host_data = host_data,
			     .config = setup->config,
			     .rules = setup->rules,
			     .limits = setup->limits,
			     .pool = { .limits = &hub->limits,
				       .rules = setup->rules,
				       .sink = connection_sink },
			     .listeners = setup->listeners,
			     .neighbours = setup->neighbours,
			     .successors = setup->successors,
			     .idle_s = setup->idle_s,
			     .head_limit = setup->buffer_size + FRAMING };
	TAILQ_INIT(&hub->again);
	TAILQ_INIT(&hub->slow);
	ev_check_init(&hub->turn, on_turn);
	ev_set_priority(&hub->turn, EV_MINPRI); /* after what connections have to say */
	hub->turn.data = hub;
	ev_check_start(loop, &hub->turn);
	ev_unref(loop);
	ev_idle_init(&hub->more, on_more);
	ev_timer_init(&hub->retry, on_retry, 0., 0.);
	hub->retry.data = hub;
	ev_timer_init(&hub->grace, on_grace, 0., 0.);
	hub->grace.data = hub;
}

void hub_fini(struct hub *hub)
{
	while (!LIST_EMPTY(&hub->open))
		connection_close(LIST_FIRST(&hub->open));
	hub_end_turn(hub);
	exchange_pool_fini(&hub->pool);
	ev_ref(hub->loop);
	ev_check_stop(hub->loop, &hub->turn);
	ev_timer_stop(hub->loop, &hub->retry);
	ev_timer_stop(hub->loop, &hub->grace);
}

void hub_leave(struct hub *hub)
{
	if (hub->leaving)
		return;
	hub->leaving = true;
	if (hub->successors < 0) {
		hub_end(hub, hub->idle_s);
		return;
	}
	leave_some(hub);
}

void hub_end(struct hub *hub, double idle_s)
{
	struct connection *c;

	if (hub->ending)
		return;
	hub->leaving = hub->ending = true;
	ev_timer_stop(hub->loop, &hub->retry);
	LIST_FOREACH(c, &hub->open, link)
		connection_end_soon(c, idle_s);
	ev_timer_set(&hub->grace, idle_s, 0.);
	ev_timer_start(hub->loop, &hub->grace);
}
