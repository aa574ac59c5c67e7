/* SPDX-License-Identifier: MIT */
/* hub.c: which connection's turn it is, and which are better off in another lane. */
#include "hub.h"

#include "handover.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	FRAMING = 64, /* of a head, bytes that buffer-size does not count */
	AGAIN_A_TURN = 64,
};

/* How long an idle kept-alive connection may still send one request to a hub that leaves, and to
 * one that nobody comes after: what is on its way already is answered. */
static const double leave_grace_s = 2, last_grace_s = 0.1;

/* ---- to other lanes ---- */

static bool give_away(struct connection *c)
{
	const struct hub *hub = c->hub;
	size_t size = c->listener->protocol->state_size;
	struct parcel parcel = { .listener = (size_t)(c->listener - hub->listeners->items),
				 .slow = connection_expects_slow(c) };

	if (size > sizeof parcel.state)
		return false;
	memcpy(parcel.state, c->protocol_state, size);
	if (!handover_give(hub->handover, c->io.fd, &parcel))
		return false;
	connection_close(c);
	return true;
}

/* While the host runs one request, others of this hub would have to wait: those that are idle now
 * are better off where a lane is free.  A connection stays in this loop's epoll as long as anybody
 * has it open, and libev cannot take it out: the loop gets a new epoll. */
static void give_away_others(struct hub *hub)
{
	struct connection *next;
	size_t before = hub->open_count;

	for (struct connection *o = LIST_FIRST(&hub->open); o; o = next) {
		next = LIST_NEXT(o, link);
		if (connection_is_idle(o) && !give_away(o))
			break;
	}
	if (hub->open_count < before)
		ev_loop_fork(hub->loop);
}

bool hub_take_over(struct hub *hub, int queue)
{
	struct parcel parcel;
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof peer;
	int fd = handover_take(queue, &parcel);

	if (fd < 0)
		return false;
	const struct listener *listener = &hub->listeners->items[parcel.listener];

	if (listener->address.sa.ss_family == AF_UNIX ||
	    getpeername(fd, (struct sockaddr *)&peer, &length))
		length = 0;
	struct connection *c =
		connection_new(hub, listener, fd, (struct sockaddr *)&peer, length);
	if (c) {
		c->slow = parcel.slow;
		memcpy(c->protocol_state, parcel.state, listener->protocol->state_size);
		connection_start(c);
	}
	return true;
}

/* ---- turns ---- */

/* Reading makes it READY when its request is whole. */
static void serve_slow(struct hub *hub, struct connection *c)
{
	if (c->state != READY)
		connection_read(c);
	if (c->state != READY)
		return;
	if (hub->handover >= 0 && hub->open_count > 1 && !hub->leaving)
		give_away_others(hub);
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
	if (listener->protocol->begin) {
		const struct peer who = { .own = listener->internal,
					  .tcp = listener->address.sa.ss_family != AF_UNIX };

		listener->protocol->begin(c->protocol_state, hub->config, &who);
	}
	connection_start(c);
}

/* ---- life ---- */

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
			     .handover = setup->handover,
			     .head_limit = setup->buffer_size + FRAMING };
	TAILQ_INIT(&hub->again);
	TAILQ_INIT(&hub->slow);
	ev_check_init(&hub->turn, on_turn);
	ev_set_priority(&hub->turn, EV_MINPRI); /* after what connections have to say */
	hub->turn.data = hub;
	ev_check_start(loop, &hub->turn);
	ev_unref(loop);
	ev_idle_init(&hub->more, on_more);
}

void hub_fini(struct hub *hub)
{
	while (!LIST_EMPTY(&hub->open))
		connection_close(LIST_FIRST(&hub->open));
	hub_end_turn(hub);
	exchange_pool_fini(&hub->pool);
	ev_ref(hub->loop);
	ev_check_stop(hub->loop, &hub->turn);
	ev_timer_stop(hub->loop, &hub->grace);
}

static void on_grace(struct ev_loop *loop, ev_timer *w, int events)
{
	struct hub *hub = w->data;
	struct connection *next;

	(void)loop;
	(void)events;
	hub->grace_over = true;
	for (struct connection *c = LIST_FIRST(&hub->open); c; c = next) {
		next = LIST_NEXT(c, link);
		if (connection_is_idle(c) && !c->queue)
			connection_close(c);
	}
}

void hub_leave(struct hub *hub, bool for_good)
{
	struct connection *c;

	hub->leaving = true;
	LIST_FOREACH(c, &hub->open, link)
		connection_leave(c);
	ev_timer_init(&hub->grace, on_grace, for_good ? last_grace_s : leave_grace_s, 0.);
	hub->grace.data = hub;
	ev_timer_start(hub->loop, &hub->grace);
}
