/* SPDX-License-Identifier: MIT */
/* hub.c: which connection's turn it is, and which are better off in another lane. */
#include "wire/hub.h"

#include "wire/backend.h"
#include "base/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AGAIN_A_TURN = 64 };

/* A queue that was full is tried again after this. */
static const double retry_s = 0.01;

/* That connections made room for others is said once in so long. */
static const double tell_made_room_s = 60;

/* ---- room ---- */

static struct connection *of_waiter(const struct waiter *waiter)
{
	return (struct connection *)((char *)(uintptr_t)waiter - offsetof(struct connection, waiter));
}

static bool has_spoken(const struct waiter *waiter)
{
	return connection_has_spoken(of_waiter(waiter));
}

static struct waiter *choose(const struct hub *hub)
{
	return room_choose(&hub->room, ev_now(hub->loop), has_spoken);
}

static void tell_made_room(struct hub *hub)
{
	ev_tstamp now = ev_now(hub->loop);

	hub->made_room++;
	if (hub->told_made_room > 0 && now - hub->told_made_room < tell_made_room_s)
		return;
	uwsgi_log(UWSGI_WARNING,
		  "closed %u connection%s that waited longest for the client, to make room for "
		  "others: a thread has room for %zu (max-connections, max-fd)",
		  hub->made_room, hub->made_room == 1 ? "" : "s", hub->room.most);
	hub->told_made_room = now;
	hub->made_room = 0;
}

bool hub_make_room(struct hub *hub)
{
	struct waiter *waiter = choose(hub);

	if (!waiter)
		return false;
	connection_close(of_waiter(waiter));
	tell_made_room(hub);
	return true;
}

/* The kernel gives the lowest number that is free: one that is not below `descriptors` says that so
 * many are in use in this process, whatever for. */
static bool is_reserved(const struct hub *hub, int fd)
{
	return fd < 0 || fd >= hub->room.descriptors;
}

static int to_lowest(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* As the last connection that came found it, unless some were closed since. */
static bool reserve_is_touched(struct hub *hub, int any)
{
	if (!hub->reserve_touched)
		return false;
	int fd = to_lowest(any);

	hub->reserve_touched = is_reserved(hub, fd);
	if (fd >= 0)
		close(fd);
	return hub->reserve_touched;
}

bool hub_is_full(struct hub *hub, int any)
{
	return (hub->open_count >= hub->room.most || reserve_is_touched(hub, any)) && !choose(hub);
}

/* fd: of a connection that is about to be here.  Returns its number: it is moved to the one that has
 * become free, or numbers would not tell how many are in use. */
static int make_room_for(struct hub *hub, int fd)
{
	bool reserved = is_reserved(hub, fd);

	if (hub->open_count < hub->room.most && !reserved)
		return fd;
	bool made = hub_make_room(hub);
	int lower = made && reserved ? to_lowest(fd) : -1;

	hub->reserve_touched = reserved && !made;
	if (lower < 0)
		return fd;
	close(fd);
	return lower;
}

/* ---- to other lanes ---- */

/* As many as the queue has room for. */
static enum migrate_result give_all_away(struct hub *hub)
{
	enum migrate_result result = MIGRATE_DONE;
	struct connection *next;

	for (struct connection *c = LIST_FIRST(&hub->open); c && result == MIGRATE_DONE; c = next) {
		next = LIST_NEXT(c, link);
		if (connection_can_move(c))
			result = connection_give(c, hub->successors);
	}
	return result;
}

/* Of those that have spoken, and are in this queue, at most so many.  Returns how many may still
 * go; 0 when the neighbours take no more. */
static int give_waiting_away(struct hub *hub, struct connection_queue *queue, int most)
{
	struct connection *next;

	for (struct connection *c = TAILQ_FIRST(queue); c && most > 0; c = next, most--) {
		next = TAILQ_NEXT(c, turn);
		if (connection_can_move(c) && connection_give(c, hub->neighbours) != MIGRATE_DONE)
			return 0;
	}
	return most;
}

static void give_idle_away(struct hub *hub, int most, double silent_s)
{
	struct waiter *next;

	for (struct waiter *w = TAILQ_LAST(&hub->room.waiting[WAIT_IDLE], waiter_queue);
	     w && most > 0; w = next, most--) {
		struct connection *c = of_waiter(w);

		next = TAILQ_PREV(w, waiter_queue, link);
		if (connection_can_move(c) && connection_silent_s(c) <= silent_s &&
		    connection_give(c, hub->neighbours) != MIGRATE_DONE)
			return;
	}
}

/* Before a request that is expected to take so long: the others would wait, and a lane that is free
 * serves them sooner.  A move costs some 20 µs in both lanes: one for each millisecond takes 2 % of
 * their time.  The most probable to speak soon go first; whoever has been silent a hundred times as
 * long hardly will. */
static void give_some_away(struct hub *hub, double seconds)
{
	int most = seconds < 60 ? (int)(seconds * 1000) : 60000;

	most = give_waiting_away(hub, &hub->slow, most);
	most = give_waiting_away(hub, &hub->again, most);
	give_idle_away(hub, most, seconds * 100);
}

static void leave_some(struct hub *hub)
{
	switch (give_all_away(hub)) {
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
	fd = make_room_for(hub, fd);
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
	if (hub->neighbours >= 0 && hub->open_count > 1 && !hub->leaving)
		give_some_away(hub, connection_expected_s(c));
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
	fd = make_room_for(hub, fd);
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

	(void)loop;
	(void)events;
	hub->grace_over = true;
	for (struct connection *c = LIST_FIRST(&hub->open); c; c = next) {
		next = LIST_NEXT(c, link);
		if (!connection_can_move(c) || c->queue)
			continue;
		hub->cut_off += c->deadline_ms > clock_monotonic_coarse_ms();
		connection_close(c);
	}
}

void hub_init(struct hub *hub, struct ev_loop *loop, const struct hub_host *host, void *host_data,
	      const struct hub_setup *setup)
{
	*hub = (struct hub){ .loop = loop,
			     .backend = backend_find(loop),
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
			     .head_limit = setup->buffer_size,
			     .body_rate = setup->body_rate };
	room_init(&hub->room, &setup->room);
	unread_init(&hub->unread, &setup->unread);
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
