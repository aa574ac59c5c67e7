/* SPDX-License-Identifier: MIT */
/* connection.c: waits for the peer, receives and sends without blocking, and ends.  What comes in is
 * intake.c's.  A connection that has nothing in flight owns no buffer. */
#include "wire/connection.h"

#include "base/clock.h"
#include "base/sock.h"
#include "wire/delivery.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	LINGER_BYTES = 64 << 20,
	HEAD_MOST = 1 << 25, /* more than any buffer-size makes of a head */
};
static const double linger_s = 5;

/* A reset throws away what has not arrived yet: a peer that takes nothing for so long is not waited
 * for.  It comes after a quarter of that at the earliest: Apache often overlooks one that it meets
 * together with what came before. */
enum { CUT_MS = 1000 };

/* That the kernel cannot watch a connection, libev says only when something else happens: a timer
 * does, after this. */
static const double unwatched_s = 0.25;

void connection_tell_no_memory(struct clients *clients, const char *what)
{
	seldom_log(&clients->no_memory, UWSGI_ERROR, "out of memory: %s", what);
}

/* ---- exchanges ---- */

struct exchange *connection_take_exchange(struct connection *c)
{
	struct exchange *x =
		exchange_take(&c->clients->pool, c->listener->protocol, c->protocol_state);

	if (!x)
		return NULL;
	x->connection = c;
	x->rq.peer = &c->peer.endpoint;
	x->rq.local = &c->listener->text.endpoint;
	c->x = x;
	return x;
}

void connection_return_exchange(struct connection *c)
{
	exchange_return(&c->clients->pool, c->x);
	c->x = NULL;
}

/* ---- life ---- */

struct connection *connection_new(struct clients *clients, const struct listener *listener, int fd,
				  const struct sockaddr *peer, socklen_t length,
				  const struct connection_events *events)
{
	struct connection *c = calloc(1, sizeof *c + listener->protocol->state_size);

	if (!c) {
		connection_tell_no_memory(clients, "a connection is closed");
		close(fd);
		return NULL;
	}
	c->clients = clients;
	c->listener = listener;
	ev_init(&c->io, events->io);
	ev_io_set(&c->io, fd, EV_READ);
	c->io.data = c;
	ev_init(&c->timer, events->timer);
	c->timer.data = c;
	waiter_init(&c->waiter);
	runner_init(&c->runner);
	address_to_text(peer, length, &c->peer);
	LIST_INSERT_HEAD(&clients->open, c, link);
	clients->open_count++;
	return c;
}

/* It waits for its peer, and may make room for another one meanwhile. */
void connection_wait_as(struct connection *c, enum wait_kind kind)
{
	room_wait(&c->clients->room, &c->waiter, kind, ev_now(c->clients->loop));
}

void connection_stop_waiting(struct connection *c)
{
	if (c->waiter.kind != WAIT_NONE)
		connection_wait_as(c, WAIT_NONE);
}

/* The end of a turn comes after what is pending now, also for what happens outside of a turn. */
static void want_end_of_turn(struct clients *clients)
{
	ev_feed_event(clients->loop, &clients->turn, EV_CUSTOM);
}

void connection_wait_for_turn(struct connection *c, enum run_kind kind)
{
	runqueue_wait(&c->clients->queue, &c->runner, kind);
	want_end_of_turn(c->clients);
}

void connection_close(struct connection *c)
{
	struct clients *clients = c->clients;

	connection_stop_waiting(c);
	if (c->x) {
		sendbuf_drop(&c->x->out);
		c->x->out.failed = false;
		delivery_release(c);
		connection_return_exchange(c);
	}
	ev_io_stop(clients->loop, &c->io);
	ev_timer_stop(clients->loop, &c->timer);
	close(c->io.fd);
	runqueue_leave(&clients->queue, &c->runner);
	unread_forget(&c->clients->unread, &c->unread);
	/* Callers may still look at it: freed when the turn ends. */
	LIST_REMOVE(c, link);
	LIST_INSERT_HEAD(&clients->closed, c, link);
	want_end_of_turn(clients);
	clients->open_count--;
}

/* The peer is gone, or takes nothing more.  What the kernel still has would only hold memory, and
 * could look like all of the answer. */
static void give_up(struct connection *c)
{
	c->clients->host->unsent(c->clients->host_data, c->x);
	sock_reset(c->io.fd);
	connection_close(c);
}

void connection_set_deadline(struct connection *c, double seconds)
{
	c->deadline_ms = clock_monotonic_coarse_ms() + (int64_t)(seconds * 1000);
}

double connection_seconds_left(const struct connection *c)
{
	return (double)(c->deadline_ms - clock_monotonic_coarse_ms()) / 1000;
}

/* Waits for the peer, READ or WRITE, until the deadline, which is in so many seconds. */
static void wait_for_s(struct connection *c, int events, double seconds)
{
	struct ev_loop *loop = c->clients->loop;

	if (!ev_is_active(&c->io) || (c->io.events & (EV_READ | EV_WRITE)) != events) {
		ev_io_stop(loop, &c->io);
		ev_io_set(&c->io, c->io.fd, events);
		ev_io_start(loop, &c->io);
		seconds = seconds < unwatched_s ? seconds : unwatched_s;
	}
	/* A running timer is left alone when it fires early enough: it looks at the deadline. */
	if (ev_is_active(&c->timer) && ev_timer_remaining(loop, &c->timer) <= seconds)
		return;
	ev_timer_stop(loop, &c->timer);
	ev_timer_set(&c->timer, seconds, 0.);
	ev_timer_start(loop, &c->timer);
}

void connection_wait_for(struct connection *c, int events)
{
	wait_for_s(c, events, connection_seconds_left(c));
}

bool connection_is_idle(const struct connection *c)
{
	return c->state == READING && !c->x;
}

double connection_patience_s(const struct connection *c)
{
	return c->runner.is_new ? c->listener->head_timeout_s : c->listener->idle_timeout_s;
}

double connection_silent_s(const struct connection *c)
{
	return connection_patience_s(c) - connection_seconds_left(c);
}

static void wait_for_progress(struct connection *c)
{
	connection_set_deadline(c, (double)delivery_look_ms(c) / 1000);
	connection_wait_for(c, EV_WRITE);
}

/* How far it has come is not asked here, where nearly every peer is quick: the timer asks. */
void connection_wait_to_write(struct connection *c)
{
	if (ev_is_active(&c->io) && (c->io.events & (EV_READ | EV_WRITE)) == EV_WRITE)
		return;
	delivery_begin_wait(c);
	wait_for_progress(c);
}

/* ---- receiving ---- */

/* What a head may take with its framing.  The router has judged what comes from it, and says it in
 * other words. */
size_t connection_head_limit(const struct connection *c)
{
	return c->listener->internal ? HEAD_MOST
				     : c->clients->head_limit + c->listener->protocol->framing;
}

/* When so many bytes of a body are due that it has not brought.  It has begun with a silence that
 * may be as long as any. */
int64_t connection_body_due_ms(const struct connection *c)
{
	const struct exchange *x = c->x;
	int64_t rate = c->clients->body_rate;

	if (rate == 0 || x->body_began_ms == 0)
		return INT64_MAX;
	return x->body_began_ms + (int64_t)(c->listener->body_timeout_s * 1000) +
	       (x->rq.passed_on + x->rq.body.length) * 1000 / rate;
}

/* A body must go on, and at no less than the least rate in all.  This server's own router holds whole
 * ones. */
void connection_set_body_deadline(struct connection *c)
{
	connection_set_deadline(c, c->listener->body_timeout_s);
	if (c->listener->internal)
		return;
	if (c->x->body_began_ms == 0)
		c->x->body_began_ms = clock_monotonic_coarse_ms();
	int64_t due_ms = connection_body_due_ms(c);

	if (due_ms < c->deadline_ms)
		c->deadline_ms = due_ms;
}

/* From the router, a large body comes as the file that it is in. */
ssize_t connection_receive(struct connection *c)
{
	struct buffer *b = &c->x->in;
	size_t room = exchange_room(c->x, connection_head_limit(c));
	int file;

	if (!c->listener->internal)
		return sock_receive(c->io.fd, b->p + b->end, room);
	ssize_t got = sock_receive_file(c->io.fd, b->p + b->end, room, &file);

	if (file == SOCK_LOST_FILE)
		uwsgi_request_reject(&c->x->rq, 503, "no descriptor is free for the body");
	else if (file >= 0)
		request_keep_file(&c->x->rq, file);
	return got;
}

/* ---- an answer on its way ---- */

static struct slice http_date(struct clients *clients)
{
	int64_t now = (int64_t)ev_now(clients->loop);

	if (now != clients->date_s) {
		uwsgi_http_date(now, clients->date_text);
		clients->date_s = now;
	}
	return (struct slice){ clients->date_text, UWSGI_DATE_SIZE - 1 };
}

void connection_prepare_response(struct connection *c)
{
	c->x->rs.date = http_date(c->clients);
	c->x->rs.close = c->clients->rules->close || c->clients->ending;
}

void connection_lose_peer(struct connection *c)
{
	c->x->rs.broken = true;
	c->clients->host->gone(c->clients->host_data, c->x);
}

/* Until memory suffices.  kept: is not cut off; may be NULL. */
static void relieve(struct clients *clients, const struct connection *kept)
{
	struct connection *c;

	while ((c = delivery_furthest_behind(clients)) && c != kept) {
		seldom_log(
			&clients->cut, UWSGI_ERROR,
			"unread answers hold %lld KiB of memory (response-memory): the "
			"connection whose client has taken nothing for the longest time is reset",
			(long long)(clients->unread.held >> 10));
		if (c->state == ANSWERING)
			connection_lose_peer(c);
		else
			give_up(c);
	}
}

void connection_settle(struct connection *c, bool running)
{
	delivery_settle(c);
	relieve(c->clients, running ? c : NULL);
}

/* ---- the end of a response ---- */

static void start_linger(struct connection *c)
{
	shutdown(c->io.fd, SHUT_WR);
	c->state = LINGERING;
	c->lingered = 0;
	connection_return_exchange(c);
	connection_wait_as(c, WAIT_LINGER);
	connection_set_deadline(c, linger_s);
	connection_wait_for(c, EV_READ);
}

static void wait_to_cut(struct connection *c)
{
	struct ev_loop *loop = c->clients->loop;

	ev_timer_stop(loop, &c->timer);
	ev_timer_set(&c->timer, (double)progress_look_ms(CUT_MS) / 1000, 0.);
	ev_timer_start(loop, &c->timer);
}

/* What was said is sent, and broke off. */
static void start_cutting(struct connection *c)
{
	c->state = CUTTING;
	ev_io_stop(c->clients->loop, &c->io);
	connection_set_deadline(c, 0);
	delivery_begin_wait(c);
	wait_to_cut(c);
}

static void go_on_cutting(struct connection *c)
{
	if (sock_queued(c->io.fd) > 0 && delivery_goes_on(c, CUT_MS)) {
		wait_to_cut(c);
		return;
	}
	sock_reset(c->io.fd);
	connection_close(c);
}

/* The server closes a connection that the protocol would keep: its peer is not told that this answer is
 * the last one.  So it must learn that together with the end of the answer, before it sends another
 * request: over TCP it does. */
static bool ends_untold(const struct connection *c)
{
	return c->x->rs.close && c->x->rs.keep;
}

/* Whether a request that its peer has sent meanwhile is lost. */
static bool cuts_off(const struct connection *c)
{
	return c->clients->ending && (!c->close_after || (ends_untold(c) && !connection_is_tcp(c)));
}

/* All of the response is sent.  A client that pipelines waits until the others have been served. */
static void after_response(struct connection *c)
{
	struct exchange *x = c->x;

	if (c->close_after || c->clients->grace_over) {
		c->clients->cut_off += cuts_off(c);
		if (x->rs.cut && connection_is_tcp(c))
			start_cutting(c);
		else if (c->linger || x->in.begin < x->in.end)
			start_linger(c);
		else
			connection_close(c);
		return;
	}
	c->state = READING;
	c->first_byte = false;
	if (x->in.begin < x->in.end) {
		exchange_renew(x);
		connection_wait_for_turn(c, RUN_PIPELINED);
		return;
	}
	connection_return_exchange(c);
	connection_wait_as(c, WAIT_IDLE);
	connection_set_deadline(c, c->listener->idle_timeout_s);
	wait_for_s(c, EV_READ, c->listener->idle_timeout_s);
}

/* The watchdog has given its request up, and told the peer what there was to tell. */
static void end_lost(struct connection *c)
{
	sendbuf_drop(&c->x->out);
	c->x->out.failed = false;
	delivery_release(c);
	start_linger(c);
}

/* The time that its peer took for what the kernel could not take at once. */
static void note_sent(struct connection *c)
{
	struct clients *clients = c->clients;

	if (c->state != WRITING) {
		if (clients->counts)
			counts_add(&clients->counts->send.bucket[0], 1);
	} else if (clients->host->sent) {
		int64_t us = (int64_t)(ev_now(clients->loop) * 1e6) - c->x->unsent_us;

		clients->host->sent(clients->host_data, c->x, us > 0 ? (uint64_t)us : 0);
	}
}

static enum sent send_response(struct connection *c)
{
	if (c->x->rs.broken)
		return SENT_FAILED;
	if (ends_untold(c))
		return sock_send_last(c->io.fd, &c->x->out);
	return sock_send(c->io.fd, &c->x->out);
}

/* The response has ended: send it. */
void connection_send(struct connection *c)
{
	enum sent sent = send_response(c);

	delivery_release(c);
	switch (sent) {
	case SENT_ALL:
		if (c->io.events & EV_WRITE)
			ev_io_stop(c->clients->loop, &c->io);
		unread_forget(&c->clients->unread, &c->unread);
		note_sent(c);
		after_response(c);
		break;
	case SENT_SOME:
		if (c->state != WRITING)
			c->x->unsent_us = (int64_t)(ev_now(c->clients->loop) * 1e6);
		c->state = WRITING;
		connection_wait_to_write(c);
		body_discard(&c->x->rq.body);
		connection_settle(c, false);
		break;
	case SENT_FAILED:
		if (c->x->out.failed)
			connection_tell_no_memory(c->clients, "an answer is cut off");
		if (c->x->rs.lost)
			end_lost(c);
		else
			give_up(c);
		break;
	}
}

static void send_ended(struct connection *c, bool early)
{
	c->close_after = early || c->x->rs.close || !c->x->rs.keep;
	c->linger = early;
	if (c->x->rs.no_memory)
		connection_tell_no_memory(c->clients, "a request is answered with 500");
	connection_send(c);
}

void connection_send_ended(struct connection *c)
{
	send_ended(c, false);
}

void connection_send_early(struct connection *c)
{
	send_ended(c, true);
}

/* ---- events after the end of a response ---- */

/* The kernel has no memory to wait for it with. */
void connection_unwatched(struct connection *c)
{
	connection_tell_no_memory(c->clients,
				  "the kernel cannot watch a connection, which is closed");
	if (c->state == ANSWERING)
		connection_lose_peer(c);
	else if (c->state == WRITING)
		give_up(c);
	else
		connection_close(c);
}

static void read_linger(struct connection *c)
{
	char scratch[16384];
	ssize_t n = recv(c->io.fd, scratch, sizeof scratch, 0);

	if (n > 0) {
		c->lingered += n;
		if (c->lingered < LINGER_BYTES)
			return;
	}
	if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		connection_close(c);
}

void connection_on_io(struct connection *c)
{
	switch (c->state) {
	case WRITING:
		connection_send(c);
		break;
	case LINGERING:
		read_linger(c);
		break;
	case READING:
	case READY:
	case ANSWERING:
	case CUTTING:
		break;
	}
}

void connection_on_deadline(struct connection *c)
{
	switch (c->state) {
	case WRITING:
		if (delivery_goes_on(c, delivery_timeout_ms(c)))
			wait_for_progress(c);
		else
			give_up(c);
		break;
	case LINGERING:
		connection_close(c);
		break;
	case CUTTING:
		go_on_cutting(c);
		break;
	case READING:
	case READY:
	case ANSWERING:
		break;
	}
}
