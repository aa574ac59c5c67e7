/* SPDX-License-Identifier: MIT */
/* intake.c: bytes of a peer become a request, which runs when it is whole and its turn has come. */
#include "wire/intake.h"

#include "base/clock.h"
#include "base/sock.h"
#include "wire/answering.h"
#include "wire/clients.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
	EARLY = 65536, /* the most that is said before there is a request, and not taken */
	HEAD_MOST = 1 << 25, /* more than any buffer-size makes of a head */
};

/* ---- to the host ---- */

static struct slice http_date(struct clients *clients)
{
	int64_t now = (int64_t)ev_now(clients->loop);

	if (now != clients->date_s) {
		time_t t = (time_t)now;
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(clients->date_text, sizeof clients->date_text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		clients->date_s = now;
	}
	return (struct slice){ clients->date_text, 29 };
}

static void prepare_response(struct connection *c)
{
	c->x->rs.date = http_date(c->clients);
	c->x->rs.close = c->clients->rules->close ||
			 (c->clients->ending && c->listener->protocol->announces_close);
}

/* The server's own answer to a request that cannot be run. */
static void refuse(struct connection *c, bool linger)
{
	struct exchange *x = c->x;
	const char *why = x->rq.reject_why ? x->rq.reject_why : "";

	connection_stop_waiting(c);
	if (!x->rq.reject_status)
		uwsgi_request_reject(&x->rq, 400, "malformed request");
	prepare_response(c);
	x->rs.close = true;
	response_refuse(&x->rs, x->rq.reject_status, (struct slice){ why, strlen(why) });
	c->clients->host->refused(c->clients->host_data, x);
	c->close_after = true;
	c->linger = linger;
	connection_send(c);
}

void intake_run(struct connection *c)
{
	struct exchange *x = c->x;
	struct clients *clients = c->clients;
	ev_tstamp began = ev_now(clients->loop);

	prepare_response(c);
	if (clients->host->ended) {
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
	runqueue_in_turn(&clients->queue, ev_iteration(clients->loop));
	runqueue_note(&clients->queue, &c->runner, ev_now(clients->loop) - began);
	connection_send_ended(c);
}

/* ---- reading ---- */

/* What a head may take with its framing.  The router has judged what comes from it, and says it in
 * other words. */
static size_t head_limit(const struct connection *c)
{
	return c->listener->internal ? HEAD_MOST
				     : c->clients->head_limit + c->listener->protocol->framing;
}

/* When so many bytes of a body are due that it has not brought.  It has begun with a silence that
 * may be as long as any. */
static int64_t body_due_ms(const struct connection *c)
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
static void set_body_deadline(struct connection *c)
{
	connection_set_deadline(c, c->listener->body_timeout_s);
	if (c->listener->internal)
		return;
	if (c->x->body_began_ms == 0)
		c->x->body_began_ms = clock_monotonic_coarse_ms();
	int64_t due_ms = body_due_ms(c);

	if (due_ms < c->deadline_ms)
		c->deadline_ms = due_ms;
}

static void renew_body_deadline(struct connection *c)
{
	set_body_deadline(c);
	c->x->body_deadline_ms = c->deadline_ms;
}

/* The head is whole, and some of the body is to come.  Where the response begins before that is whole,
 * it says that it is the last one of its connection: the application may leave the rest unread. */
static void run_ahead(struct connection *c)
{
	connection_stop_waiting(c);
	c->body = BODY_HELD;
	c->x->body_began_ms = c->x->body_held_ms = clock_monotonic_coarse_ms();
	prepare_response(c);
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
		connection_send(c); /* what the protocol has answered; then the connection is idle */
		return;
	case PARSE_MORE:
		if (x->rq.reject_status || !exchange_make_room(x, head_limit(c))) {
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
		set_body_deadline(c);
	/* A head has its whole time from its first byte on, whatever is said before it. */
	else if (!c->first_byte)
		connection_set_deadline(c, c->listener->head_timeout_s);
	c->first_byte = true;
	connection_wait_for(c, EV_READ);
}

/* From the router, a large body comes as the file that it is in. */
static ssize_t receive(struct connection *c, void *to, size_t n)
{
	int file;

	if (!c->listener->internal)
		return sock_receive(c->io.fd, to, n);
	ssize_t got = sock_receive_file(c->io.fd, to, n, &file);

	if (file == SOCK_LOST_FILE)
		uwsgi_request_reject(&c->x->rq, 503, "no descriptor is free for the body");
	else if (file >= 0)
		request_keep_file(&c->x->rq, file);
	return got;
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
	ssize_t n = receive(c, b->p + b->end, exchange_room(x, head_limit(c)));

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
		connection_close(c);
	}
}

/* ---- a body in portions ---- */

/* The time that the application took is not the peer's. */
void intake_want_body(struct connection *c)
{
	struct exchange *x = c->x;
	int64_t now_ms = clock_monotonic_coarse_ms();

	x->rq.passed_on += x->rq.body.length;
	body_reset(&x->rq.body);
	x->body_began_ms += now_ms - x->body_held_ms;
	c->body = BODY_WANTED;
	renew_body_deadline(c);
}

static enum body_read hand_on(struct connection *c)
{
	struct exchange *x = c->x;
	size_t used;

	switch (exchange_parse(x, &used)) {
	case PARSE_DONE:
		c->body = BODY_WHOLE;
		c->spoke = x->in.begin < x->in.end;
		if (!x->rs.head_sent)
			prepare_response(c);
		return BODY_PORTION;
	case PARSE_MORE:
		if (x->rq.reject_status || !exchange_make_room(x, head_limit(c)))
			break;
		if (used > 0)
			renew_body_deadline(c);
		if (x->rq.body.length == 0)
			return BODY_NOTHING;
		c->body = BODY_HELD;
		x->body_held_ms = clock_monotonic_coarse_ms();
		return BODY_PORTION;
	case PARSE_BAD:
	case PARSE_AGAIN:
	case PARSE_CLOSE:
		break;
	}
	if (x->rq.reject_status)
		request_log_refusal(&x->rq);
	return BODY_LOST;
}

enum body_read intake_read_body(struct connection *c)
{
	struct buffer *b = &c->x->in;
	ssize_t n = receive(c, b->p + b->end, exchange_room(c->x, head_limit(c)));

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return BODY_NOTHING;
	if (n <= 0)
		return BODY_LOST;
	b->end += (size_t)n;
	return hand_on(c);
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
	else if (c->state != READING)
		connection_on_io(c, events);
	else if (!waits_for_turn(c))
		on_readable(c);
}

static const char *why_late(const struct connection *c)
{
	return c->x->rq.body.length > 0 && c->deadline_ms >= body_due_ms(c)
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
	else
		connection_on_deadline(c);
}

const struct connection_events intake_events = { .io = on_io, .timer = on_timer };
