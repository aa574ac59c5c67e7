/* SPDX-License-Identifier: MIT */
/* clients.c: lets each connection have its turn, and ends them all. */
#include "wire/clients.h"

#include "base/clock.h"
#include "base/sock.h"
#include "wire/answering.h"
#include "wire/backend.h"
#include "wire/intake.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A queue that was full is tried again after this. */
static const double retry_s = 0.01;

/* ---- room ---- */

static bool has_spoken(const struct waiter *waiter)
{
	return sock_unread(connection_of(waiter, waiter)->io.fd) > 0;
}

static struct waiter *choose(const struct clients *clients)
{
	return room_choose(&clients->room, ev_now(clients->loop), has_spoken);
}

static void tell_made_room(struct clients *clients)
{
	unsigned times = seldom_happened(&clients->made_room, clock_monotonic_coarse_ms());

	if (times > 0)
		uwsgi_log(
			UWSGI_WARNING,
			"closed %u connection%s that waited longest for the client, to make room for "
			"others: a thread has room for %zu (max-connections, max-fd)",
			times, times == 1 ? "" : "s", clients->room.most);
}

bool clients_make_room(struct clients *clients)
{
	struct waiter *waiter = choose(clients);

	if (!waiter)
		return false;
	connection_close(connection_of(waiter, waiter));
	tell_made_room(clients);
	return true;
}

/* The kernel gives the lowest number that is free: one that is not below `descriptors` says that so
 * many are in use in this process, whatever for. */
static bool is_reserved(const struct clients *clients, int fd)
{
	return fd < 0 || fd >= clients->room.descriptors;
}

static int to_lowest(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* As the last connection that came found it, unless some were closed since. */
static bool reserve_is_touched(struct clients *clients, int any)
{
	if (!clients->reserve_touched)
		return false;
	int fd = to_lowest(any);

	clients->reserve_touched = is_reserved(clients, fd);
	if (fd >= 0)
		close(fd);
	return clients->reserve_touched;
}

bool clients_are_full(struct clients *clients, int any)
{
	return (clients->open_count >= clients->room.most || reserve_is_touched(clients, any)) &&
	       !choose(clients);
}

/* fd: of a connection that is about to be here.  Returns its number: it is moved to the one that has
 * become free, or numbers would not tell how many are in use. */
static int make_room_for(struct clients *clients, int fd)
{
	bool reserved = is_reserved(clients, fd);

	if (clients->open_count < clients->room.most && !reserved)
		return fd;
	bool made = clients_make_room(clients);
	int lower = made && reserved ? to_lowest(fd) : -1;

	clients->reserve_touched = reserved && !made;
	if (lower < 0)
		return fd;
	close(fd);
	return lower;
}

/* ---- to and from other lanes ---- */

static void leave_some(struct clients *clients)
{
	switch (migrate_all(clients)) {
	case MIGRATE_LATER:
		if (!ev_is_active(&clients->retry)) {
			ev_timer_set(&clients->retry, retry_s, 0.);
			ev_timer_start(clients->loop, &clients->retry);
		}
		break;
	case MIGRATE_ENDED:
		/* The server stops before these are done: nobody takes any more. */
		clients_end(clients, clients->idle_s);
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

enum migrate_result clients_take_over(struct clients *clients, int queue)
{
	struct moved moved;
	char input[MIGRATE_INPUT_MAX];
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof peer;
	int fd;
	enum migrate_result result = migrate_take(queue, &fd, &moved, input);

	if (result != MIGRATE_DONE)
		return result;
	const struct listener *listener = listeners_find(clients->listeners, moved.listener);

	if (!listener) {
		/* A reload has taken it away, or given it another meaning. */
		close(fd);
		return MIGRATE_DONE;
	}
	if (!listener_is_tcp(listener) || getpeername(fd, (struct sockaddr *)&peer, &length))
		length = 0;
	fd = make_room_for(clients, fd);
	struct connection *c = connection_new(clients, listener, fd, (struct sockaddr *)&peer,
					      length, &intake_events);
	if (c)
		migrate_resume(c, &moved, input);
	return MIGRATE_DONE;
}

/* ---- turns ---- */

static void take_turn(struct connection *c)
{
	if (c->state == READING && c->x) {
		intake_go_on(c);
		return;
	}
	/* Reading makes a slow one READY, and has it wait again, when its request is whole. */
	if (c->state == READING)
		intake_read(c);
	if (c->state != READY)
		return;
	runqueue_leave(&c->clients->queue, &c->runner);
	migrate_some(c->clients, runqueue_expected_s(&c->clients->queue, &c->runner));
	intake_run(c);
}

void clients_end_turn(struct clients *clients)
{
	struct runner *r;
	struct connection *c;

	if (clients->leaving && !clients->ending && !ev_is_active(&clients->retry))
		leave_some(clients);
	runqueue_in_turn(&clients->queue, ev_iteration(clients->loop));
	while ((r = runqueue_next(&clients->queue)))
		take_turn(connection_of(r, runner));
	if (runqueue_is_empty(&clients->queue))
		ev_idle_stop(clients->loop, &clients->more);
	else
		ev_idle_start(clients->loop, &clients->more);
	while ((c = LIST_FIRST(&clients->closed))) {
		LIST_REMOVE(c, link);
		free(c);
	}
	/* Who came to wait meanwhile has the next turn. */
	ev_clear_pending(clients->loop, &clients->turn);
}

/* While connections move, each turn may have one that can; the loop does not live on for that. */
static void watch_turns(struct clients *clients, bool on)
{
	if (on && !ev_is_active(&clients->turn)) {
		ev_check_start(clients->loop, &clients->turn);
		ev_unref(clients->loop);
	} else if (!on) {
		if (ev_is_active(&clients->turn))
			ev_ref(clients->loop);
		ev_check_stop(clients->loop, &clients->turn);
	}
}

static void on_turn(struct ev_loop *loop, ev_check *w, int events)
{
	(void)loop;
	(void)events;
	clients_end_turn(w->data);
}

/* The loop does not sleep, and this turn, which has just begun, gets an end. */
static void on_more(struct ev_loop *loop, ev_idle *w, int events)
{
	struct clients *clients = w->data;

	(void)events;
	ev_feed_event(loop, &clients->turn, EV_CUSTOM);
}

void clients_accept(struct clients *clients, const struct listener *listener, int fd,
		    const struct sockaddr *peer, socklen_t length)
{
	fd = make_room_for(clients, fd);
	struct connection *c = connection_new(clients, listener, fd, peer, length, &intake_events);

	if (!c)
		return;
	c->runner.is_new = true;
	listener_begin(listener, clients->config, c->protocol_state);
	intake_start(c);
}

/* ---- life ---- */

static void on_grace(struct ev_loop *loop, ev_timer *w, int events)
{
	struct clients *clients = w->data;
	struct connection *next;

	(void)events;
	ev_timer_stop(loop, &clients->grace);
	clients->grace_over = true;
	for (struct connection *c = LIST_FIRST(&clients->open); c; c = next) {
		next = LIST_NEXT(c, link);
		if (!migrate_is_possible(c) || c->runner.waits_as != RUN_NOT_WAITING)
			continue;
		/* Its next request is there already, and is its last one. */
		if (sock_unread(c->io.fd) > 0)
			continue;
		clients->cut_off += c->deadline_ms > clock_monotonic_coarse_ms();
		connection_close(c);
	}
}

void clients_init(struct clients *clients, struct ev_loop *loop, const struct clients_host *host,
		  void *host_data, const struct clients_setup *setup)
{
	*clients = (struct clients){ .loop = loop,
				     .backend = backend_find(loop),
				     .host = host,
				     .host_data = host_data,
				     .counts = setup->counts,
				     .config = setup->config,
				     .rules = setup->rules,
				     .limits = setup->limits,
				     .pool = { .limits = &clients->limits,
					       .rules = setup->rules,
					       .deadline = setup->deadline },
				     .listeners = setup->listeners,
				     .neighbours = setup->neighbours,
				     .successors = setup->successors,
				     .idle_s = setup->idle_s,
				     .head_limit = setup->buffer_size,
				     .body_rate = setup->body_rate };
	room_init(&clients->room, &setup->room);
	unread_init(&clients->unread, &setup->unread);
	runqueue_init(&clients->queue);
	ev_check_init(&clients->turn, on_turn);
	ev_set_priority(&clients->turn, EV_MINPRI); /* after what connections have to say */
	clients->turn.data = clients;
	ev_idle_init(&clients->more, on_more);
	ev_set_priority(&clients->more, EV_MAXPRI);
	clients->more.data = clients;
	ev_timer_init(&clients->retry, on_retry, 0., 0.);
	clients->retry.data = clients;
	ev_timer_init(&clients->grace, on_grace, 0., 0.);
	clients->grace.data = clients;
	answering_init(clients);
}

void clients_fini(struct clients *clients)
{
	while (!LIST_EMPTY(&clients->open))
		connection_close(LIST_FIRST(&clients->open));
	clients_end_turn(clients);
	exchange_pool_fini(&clients->pool);
	watch_turns(clients, false);
	ev_idle_stop(clients->loop, &clients->more);
	ev_timer_stop(clients->loop, &clients->retry);
	ev_timer_stop(clients->loop, &clients->grace);
	ev_timer_stop(clients->loop, &clients->look);
}

void clients_leave(struct clients *clients)
{
	if (clients->leaving)
		return;
	clients->leaving = true;
	watch_turns(clients, true);
	if (clients->successors < 0) {
		clients_end(clients, clients->idle_s);
		return;
	}
	leave_some(clients);
}

/* An answer that has not begun yet tells its client so, and a client that stays silent for idle_s,
 * what it has been silent already included, is not waited for. */
static void end_soon(struct connection *c, double idle_s)
{
	double patience_s = connection_patience_s(c);

	if (c->state == ANSWERING && !c->x->rs.head_sent)
		c->x->rs.close = true;
	if (!connection_is_idle(c) || c->runner.waits_as != RUN_NOT_WAITING || patience_s <= idle_s)
		return;
	c->deadline_ms -= (int64_t)((patience_s - idle_s) * 1000);
	connection_wait_for(c, EV_READ);
}

void clients_end(struct clients *clients, double idle_s)
{
	struct connection *c;

	if (clients->ending)
		return;
	clients->leaving = clients->ending = true;
	ev_timer_stop(clients->loop, &clients->retry);
	LIST_FOREACH(c, &clients->open, link)
		end_soon(c, idle_s);
	clients->grace.repeat = idle_s;
	ev_timer_again(clients->loop, &clients->grace);
}

void clients_prolong(struct clients *clients)
{
	if (clients->ending)
		ev_timer_again(clients->loop, &clients->grace);
}
