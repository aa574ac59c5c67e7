/* SPDX-License-Identifier: MIT */
/* intake.c: bytes of a peer become a request, which runs when it is whole and its turn has come; and
 * what is said of its response goes to the connection. */
#include "wire/intake.h"

#include "base/clock.h"
#include "base/sock.h"
#include "base/stray.h"
#include "wire/answering.h"
#include "wire/delivery.h"

#include <errno.h>
#include <string.h>

/* The most that is said before there is a request, and not taken. */
enum { EARLY = 65536 };

/* ---- to the host ---- */

/* The server's own answer to a request that cannot be run. */
static void refuse(struct connection *c, bool linger)
{
	struct exchange *x = c->x;
	const char *why = x->rq.reject_why ? x->rq.reject_why : "";

	connection_stop_waiting(c);
	if (!x->rq.reject_status)
		uwsgi_request_reject(&x->rq, 400, "malformed request");
	connection_prepare_response(c);
	x->rs.close = true;
	response_refuse(&x->rs, x->rq.reject_status, (struct slice){ why, strlen(why) });
	c->clients->host->refused(c->clients->host_data, x);
	c->close_after = true;
	c->linger = linger;
	connection_send(c);
}

void uwsgi_request_go_on(struct request *rq)
{
	struct exchange *x = exchange_of_request(rq);
	struct connection *c = x->connection;

	if (c->clients->host->go_on) {
		c->clients->host->go_on(c->clients->host_data, x);
		return;
	}
	c->state = READY;
	ev_io_stop(c->clients->loop, &c->io);
	connection_wait_for_turn(c, RUN_SLOW);
}

void intake_run(struct connection *c)
{
	struct exchange *x = c->x;
	struct clients *clients = c->clients;
	ev_tstamp began = ev_now(clients->loop);

	connection_prepare_response(c);
	runqueue_in_turn(&clients->queue, ev_iteration(clients->loop));
	if (clients->host->body) {
		answering_run(c);
		return;
	}
	clients->host->run(clients->host_data, x);
	if (!x->rs.ended) {
		answering_begin(c);
		return;
	}
	/* Deadlines count from now, not from before the application ran. */
	ev_now_update(clients->loop);
	runqueue_note(&clients->queue, &c->runner, ev_now(clients->loop) - began);
	connection_send_ended(c);
}

/* ---- reading ---- */

/* The head is whole, and some of the body is to come.  Where the response begins before that is whole,
 * it says that it is the last one of its connection: the application may leave the rest unread. */
static void run_ahead(struct connection *c)
{
	connection_stop_waiting(c);
	c->body = BODY_HELD;
	c->x->body_began_ms = c->x->body_held_ms = clock_monotonic_coarse_ms();
	connection_prepare_response(c);
	c->x->rs.close = true;
	answering_run(c);
}

/* One parse of what is there. */
void intake_go_on(struct connection *c)
{
	struct exchange *x = c->x;
	size_t used;
	enum parsed parsed = exchange_parse(x, &used);

	/* A peer that asks and asks and takes no answer would fill the memory. */
	if (x->out.pending > 0 && parsed != PARSE_DONE &&
	    (sock_send(c->io.fd, &c->x->out) == SENT_FAILED || x->out.pending > EARLY)) {
		connection_close(c);
		return;
	}
	if (parsed != PARSE_MORE)
		connection_stop_waiting(c);
	switch (parsed) {
	case PARSE_DONE:
		if (!request_complete(&x->rq)) {
			refuse(c, true);
		} else if (runqueue_expects_slow(&c->clients->queue, &c->runner)) {
			c->state = READY;
			connection_wait_for_turn(c, RUN_SLOW);
		} else {
			intake_run(c);
		}
		return;
	case PARSE_BAD:
		refuse(c, true);
		return;
	case PARSE_CLOSE:
		c->close_after = c->linger = true;
		connection_send(c);
		return;
	case PARSE_AGAIN:
		c->close_after = c->linger = false;
		connection_send(
			c); /* what the protocol has answered; then the connection is idle */
		return;
	case PARSE_MORE:
		if (x->rq.reject_status || !exchange_make_room(x, connection_head_limit(c))) {
			refuse(c, true);
			return;
		}
		break;
	}
	if (x->rq.count > 0 && c->clients->host->body) {
		run_ahead(c);
		return;
	}
	if (x->rq.count == 0 && c->waiter.kind != WAIT_HEAD)
		connection_wait_as(c, WAIT_HEAD);
	else if (x->rq.count > 0 && used > 0)
		connection_wait_as(c, WAIT_BODY);
	if (used > 0 && x->rq.count > 0)
		connection_set_body_deadline(c);
	/* A head has its whole time from its first byte on, whatever is said before it. */
	else if (!c->first_byte)
		connection_set_deadline(c, c->listener->head_timeout_s);
	c->first_byte = true;
	connection_wait_for(c, EV_READ);
}

void intake_read(struct connection *c)
{
	struct exchange *x = c->x ? c->x : connection_take_exchange(c);

	if (!x) {
		connection_tell_no_memory(c->clients, "a connection is closed");
		connection_close(c);
		return;
	}
	struct buffer *b = &x->in;
	ssize_t n = connection_receive(c);

	if (n > 0) {
		b->end += (size_t)n;
		intake_go_on(c);
	} else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		if (b->end == 0 && !x->head.p && x->out.pending == 0) {
			connection_return_exchange(c);
			if (c->waiter.kind != WAIT_IDLE)
				connection_wait_as(c, WAIT_IDLE);
		}
		if (!ev_is_active(&c->io))
			connection_set_deadline(c, c->listener->head_timeout_s);
		connection_wait_for(c, EV_READ);
	} else {
		if (c->clients->counts && (b->end > 0 || x->head.p))
			counts_add(&c->clients->counts->unread, 1);
		connection_close(c);
	}
}

/* ---- what a plugin says of its response ---- */

static struct connection *answered_by(struct response *rs)
{
	return exchange_of_response(rs)->connection;
}

/* False: the peer is gone. */
static bool flush(struct connection *c)
{
	struct exchange *x = c->x;

	/* The client of a stray is its parent's. */
	if (x->rs.broken || uwsgi_is_stray()) {
		sendbuf_drop(&x->out);
		delivery_release(c);
		return false;
	}
	enum sent sent = sock_send(c->io.fd, &x->out);
	bool alive = sent != SENT_FAILED;

	if (sent == SENT_SOME && (c->state == ANSWERING || !c->clients->host->pause)) {
		if (c->clients->host->ended)
			answering_on_unsent(c);
		else
			connection_wait_to_write(c);
		connection_settle(c, true);
	} else if (sent == SENT_SOME && !x->rs.ended) {
		alive = delivery_hold(c);
	}
	delivery_release(c);
	return alive;
}

bool uwsgi_response_flush(struct response *rs)
{
	enum hold hold = response_hold(rs);

	response_open(rs);
	if (!flush(answered_by(rs)))
		rs->broken = true;
	response_let_go(rs, hold);
	return !rs->broken;
}

/* Where run() has not returned yet, intake_run() sends what is left. */
static void note_end(struct connection *c)
{
	if (c->state == ANSWERING)
		answering_end(c);
}

void uwsgi_response_end(struct response *rs)
{
	response_end(rs);
	note_end(answered_by(rs));
}

void uwsgi_response_refuse(struct response *rs, int status, struct slice text)
{
	response_refuse(rs, status, text);
	note_end(answered_by(rs));
}

void uwsgi_response_fail(struct response *rs, struct slice text)
{
	rs->failed = true;
	uwsgi_response_refuse(rs, rs->overdue ? 504 : 500, text);
}

/* ---- new connections ---- */

void intake_start(struct connection *c)
{
	if (!runqueue_expects_slow(&c->clients->queue, &c->runner)) {
		intake_read(c);
		return;
	}
	connection_stop_waiting(c);
	connection_wait_for_turn(c, RUN_SLOW);
}

/* What the lane before has read waits for the end of this turn, as it did there. */
static void resume_with_input(struct connection *c, struct slice input)
{
	struct exchange *x = connection_take_exchange(c);

	if (!x || !buffer_reserve(&x->in, input.n)) {
		connection_tell_no_memory(c->clients, "a connection is closed");
		connection_close(c);
		return;
	}
	memcpy(x->in.p, input.p, input.n);
	x->in.end = input.n;
	connection_wait_for_turn(c, RUN_PIPELINED);
}

void intake_resume(struct connection *c, struct slice input)
{
	if (c->deadline_ms == 0) /* nobody had looked at it yet */
		connection_set_deadline(c, c->listener->head_timeout_s);
	if (input.n > 0) {
		resume_with_input(c, input);
		return;
	}
	connection_wait_for(c, EV_READ);
	intake_start(c);
}

/* ---- events ---- */

static void on_readable(struct connection *c)
{
	if (c->x)
		intake_read(c);
	else
		intake_start(c);
}

static bool waits_for_turn(const struct connection *c)
{
	return c->runner.waits_as != RUN_NOT_WAITING;
}

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
	struct connection *c = w->data;

	(void)loop;
	if (events & EV_ERROR)
		connection_unwatched(c);
	else if (c->state == ANSWERING)
		answering_on_io(c, events);
	else if (c->state != READING)
		connection_on_io(c);
	else if (!waits_for_turn(c))
		on_readable(c);
}

static const char *why_late(const struct connection *c)
{
	return c->x->rq.body.length > 0 && c->deadline_ms >= connection_body_due_ms(c)
		       ? "the body came more slowly than body-min-rate"
		       : "the request did not come in time";
}

/* Of its next request nothing has come, or not all. */
static void on_late(struct connection *c)
{
	/* The lane may have had no time to look. */
	if (sock_unread(c->io.fd) > 0) {
		on_readable(c);
		return;
	}
	if (!c->x) {
		connection_close(c);
		return;
	}
	uwsgi_request_reject(&c->x->rq, 408, why_late(c));
	/* A silent peer has nothing under way that a close could cut off. */
	refuse(c, false);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct connection *c = w->data;

	(void)events;
	if (waits_for_turn(c))
		return;
	double left_s = connection_seconds_left(c);

	if (left_s > 0) {
		ev_timer_set(w, left_s, 0.);
		ev_timer_start(loop, w);
		return;
	}
	if (c->state == READING)
		on_late(c);
	else if (c->state == ANSWERING)
		answering_on_deadline(c);
	else
		connection_on_deadline(c);
}

const struct connection_events intake_events = { .io = on_io, .timer = on_timer };
