/* SPDX-License-Identifier: MIT */
/* connection.c: moves bytes between the kernel and the protocol without blocking, and says when
 * a request is whole.  A connection that has nothing in flight owns no buffer.  Who runs the
 * request, and what that means, is the host's business. */
#include "wire/connection.h"

#include "wire/backend.h"
#include "base/clock.h"
#include "wire/receiving.h"
#include "wire/sock_send.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	IN_MEMORY = 1 << 20, /* of an answer; what is beyond goes to a file */
	/* Where it cannot, and the application waits for its peer: until less than this is left. */
	LOW_WATER = 65536,
	EARLY = 65536, /* the most that is said before there is a request, and not taken */
	LINGER_BYTES = 64 << 20,
	HEAD_MOST = 1 << 25, /* more than any buffer-size makes of a head */
};
static const double linger_s = 5;

/* A reset throws away what has not arrived yet: a peer that takes nothing for so long is not waited
 * for.  It comes after a quarter of that at the earliest: Apache often overlooks one that it meets
 * together with what came before. */
enum { CUT_MS = 1000 };

/* A request that took so long is slow, and the next one of its connection is taken to be: no other
 * client should wait for it. */
static const double slow_s = 0.01;

/* That the kernel cannot watch a connection, libev says only when something else happens: a timer
 * does, after this. */
static const double unwatched_s = 0.25;

/* A line a minute says enough. */
enum { TELL_MS = 60000 };

static void tell(struct told *told, const char *fmt, ...) UWSGI_PRINTF(2, 3);

static void tell(struct told *told, const char *fmt, ...)
{
	int64_t now_ms = clock_monotonic_coarse_ms();
	char text[1024], others[64] = "";
	va_list ap;

	told->since++;
	if (told->at_ms > 0 && now_ms - told->at_ms < TELL_MS)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (told->since > 1)
		snprintf(others, sizeof others, "; %u times since this was said last",
			 told->since);
	uwsgi_log(UWSGI_ERROR, "%s%s", text, others);
	*told = (struct told){ .at_ms = now_ms };
}

static void tell_no_memory(struct hub *hub, const char *what)
{
	tell(&hub->no_memory, "out of memory: %s", what);
}

/* ---- exchanges ---- */

static void renew_exchange(struct connection *c)
{
	exchange_renew(c->x, c->listener->protocol, c->protocol_state);
}

static struct exchange *take_exchange(struct connection *c)
{
	struct exchange *x = exchange_take(&c->hub->pool);

	if (!x)
		return NULL;
	x->connection = c;
	x->rq.peer = &c->peer.endpoint;
	x->rq.local = &c->listener->text.endpoint;
	c->x = x;
	renew_exchange(c);
	return x;
}

static void return_exchange(struct connection *c)
{
	exchange_return(&c->hub->pool, c->x);
	c->x = NULL;
}

/* ---- life ---- */

static void release_sent(struct connection *c)
{
	struct sendbuf *out = &c->x->out;

	if (out->done_count == 0)
		return;
	c->hub->host->release(c->hub->host_data, out->done, out->done_count);
	out->done_count = 0;
}

static void join_queue(struct connection *c, struct connection_queue *queue)
{
	c->queue = queue;
	TAILQ_INSERT_TAIL(queue, c, turn);
}

static void leave_queue(struct connection *c)
{
	if (!c->queue)
		return;
	TAILQ_REMOVE(c->queue, c, turn);
	c->queue = NULL;
}

/* It waits for its peer, and may make room for another one meanwhile. */
static void wait_as(struct connection *c, enum wait_kind kind)
{
	room_wait(&c->hub->room, &c->waiter, kind, ev_now(c->hub->loop));
}

static void stop_waiting(struct connection *c)
{
	if (c->waiter.kind != WAIT_NONE)
		wait_as(c, WAIT_NONE);
}

void connection_close(struct connection *c)
{
	struct hub *hub = c->hub;

	stop_waiting(c);
	if (c->x) {
		sendbuf_drop(&c->x->out);
		c->x->out.failed = false;
		release_sent(c);
		return_exchange(c);
	}
	ev_io_stop(hub->loop, &c->io);
	ev_timer_stop(hub->loop, &c->timer);
	close(c->io.fd);
	leave_queue(c);
	unread_forget(&hub->unread, &c->unread);
	/* Callers may still look at it: freed when the turn ends. */
	LIST_REMOVE(c, link);
	LIST_INSERT_HEAD(&hub->closed, c, link);
	hub->open_count--;
}

/* The peer is gone, or takes nothing more.  What the kernel still has would only hold memory, and
 * could look like all of the answer. */
static void give_up(struct connection *c)
{
	c->hub->host->unsent(c->hub->host_data, c->x);
	sock_reset(c->io.fd);
	connection_close(c);
}

static void set_deadline(struct connection *c, double seconds)
{
	c->deadline_ms = clock_monotonic_coarse_ms() + (int64_t)(seconds * 1000);
}

static double seconds_left(const struct connection *c)
{
	return (double)(c->deadline_ms - clock_monotonic_coarse_ms()) / 1000;
}

/* Waits for the peer, READ or WRITE, until the deadline, which is in so many seconds. */
static void wait_for_s(struct connection *c, int events, double seconds)
{
	struct ev_loop *loop = c->hub->loop;

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

static void wait_for(struct connection *c, int events)
{
	wait_for_s(c, events, seconds_left(c));
}

static bool is_tcp(const struct connection *c)
{
	return c->listener->address.sa.ss_family != AF_UNIX;
}

static int64_t write_timeout_ms(const struct connection *c)
{
	return (int64_t)(c->listener->write_timeout_s * 1000);
}

static int64_t look_ms(const struct connection *c)
{
	return progress_look_ms(write_timeout_ms(c));
}

static void wait_for_progress(struct connection *c)
{
	set_deadline(c, (double)look_ms(c) / 1000);
	wait_for(c, EV_WRITE);
}

static void begin_progress(struct connection *c)
{
	progress_begin(&c->x->progress, clock_monotonic_coarse_ms(), c->x->out.sent);
}

/* How far it has come is not asked here, where nearly every peer is quick: the timer asks. */
static void wait_to_write(struct connection *c)
{
	if (ev_is_active(&c->io) && c->io.events & EV_WRITE)
		return;
	begin_progress(c);
	wait_for_progress(c);
}

static bool look_is_due(const struct connection *c)
{
	return clock_monotonic_coarse_ms() - c->x->progress.looked_ms >= look_ms(c);
}

/* Of this server's own router nothing is asked: it waits for its client and gives up on that, which
 * ends this connection, too. */
static bool peer_goes_on(struct connection *c, int64_t timeout_ms)
{
	if (c->listener->internal)
		return true;
	const struct progress_view v = { .now_ms = clock_monotonic_coarse_ms(),
					 .sent = c->x->out.sent,
					 .queued = sock_queued(c->io.fd),
					 .tcp = is_tcp(c) };

	return progress_goes_on(&c->x->progress, &v, timeout_ms);
}

/* ---- sending ---- */

static enum sent send_pending(struct connection *c)
{
	return sock_send(c->io.fd, &c->x->out);
}

/* Inside run(): blocks until enough is sent for the application to go on. */
static bool wait_until_low(struct connection *c)
{
	struct hub *hub = c->hub;
	struct pollfd p = { .fd = c->io.fd, .events = POLLOUT };
	enum sent sent = SENT_SOME;

	hub->host->pause(hub->host_data);
	begin_progress(c);
	while (sent == SENT_SOME && c->x->out.pending > LOW_WATER) {
		int ready = poll(&p, 1, (int)look_ms(c));

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready > 0)
			sent = send_pending(c);
		else if (ready < 0)
			sent = SENT_FAILED;
		if (sent == SENT_SOME && (ready == 0 || look_is_due(c)) &&
		    !peer_goes_on(c, write_timeout_ms(c)))
			sent = SENT_FAILED;
	}
	hub->host->resume(hub->host_data);
	return sent != SENT_FAILED;
}

/* ---- answers that are not taken ---- */

/* Whose memory lies on a file system of memory would gain little. */
static int64_t most_of_file(const struct connection *c)
{
	const struct unread_limits *limits = &c->hub->unread.limits;

	return c->x->spool.in_memory && limits->file > limits->memory / 2 ? limits->memory / 2
									   : limits->file;
}

/* False: there is no room in the file. */
static bool move_to_file(struct connection *c, int64_t keep)
{
	struct exchange *x = c->x;
	struct error e;

	switch (spool_take(&x->spool, &x->out, keep, most_of_file(c), &e)) {
	case SPOOL_DONE:
		return true;
	case SPOOL_FULL:
		break;
	case SPOOL_FAILED:
		tell(&c->hub->no_room, "%s; what does not fit into memory waits for its "
		     "client", e.text);
		break;
	}
	return false;
}

/* Inside run(): false when the peer is gone. */
static bool hold_back(struct connection *c)
{
	struct sendbuf *out = &c->x->out;
	bool over = unread_is_over(&c->hub->unread, exchange_memory(c->x));

	if (!over && sendbuf_memory(out) <= IN_MEMORY)
		return true;
	return move_to_file(c, over ? 0 : IN_MEMORY / 2) || out->pending <= LOW_WATER ||
	       wait_until_low(c);
}

static void lose_peer(struct connection *c)
{
	c->x->rs.broken = true;
	c->hub->host->gone(c->hub->host_data, c->x);
}

static void note_unread(struct connection *c)
{
	unread_note(&c->hub->unread, &c->unread, exchange_memory(c->x), c->x->out.sent);
}

static bool gives_memory_back(struct connection *c)
{
	int64_t held = c->unread.held;

	move_to_file(c, 0);
	note_unread(c);
	release_sent(c);
	return c->unread.held < held;
}

/* Until memory suffices, from whose client is the furthest behind.  kept: is not cut off; may be
 * NULL. */
static void relieve(struct hub *hub, const struct connection *kept)
{
	struct unread *u = &hub->unread;
	struct unread_share *share;

	while (unread_is_over(u, 0) && (share = unread_last(u))) {
		struct connection *c =
			(struct connection *)((char *)share - offsetof(struct connection, unread));

		if (gives_memory_back(c))
			continue;
		if (c == kept)
			return;
		tell(&hub->cut,
		     "unread answers hold %lld KiB of memory (response-memory): the connection "
		     "whose client has taken nothing for the longest time is reset",
		     (long long)(u->held >> 10));
		if (c->state == ANSWERING)
			lose_peer(c);
		else
			give_up(c);
	}
}

/* It waits for its client, and counts.  Unless it is `running`, it may be cut off itself. */
static void settle(struct connection *c, bool running)
{
	if (sendbuf_memory(&c->x->out) > IN_MEMORY)
		move_to_file(c, IN_MEMORY / 2);
	note_unread(c);
	release_sent(c);
	relieve(c->hub, running ? c : NULL);
}

static struct exchange *exchange_of(struct sink *sink)
{
	return (struct exchange *)((char *)sink - offsetof(struct exchange, sink));
}

static bool sink_flush(struct sink *sink)
{
	struct exchange *x = exchange_of(sink);
	struct connection *c = x->connection;

	/* The client of a stray is its parent's. */
	if (x->rs.broken || uwsgi_is_stray()) {
		sendbuf_drop(&x->out);
		release_sent(c);
		return false;
	}
	enum sent sent = send_pending(c);
	bool alive = sent != SENT_FAILED;

	if (sent == SENT_SOME && c->hub->host->gone) {
		wait_to_write(c);
		settle(c, true);
	} else if (sent == SENT_SOME && !x->rs.ended) {
		alive = hold_back(c);
	}
	release_sent(c);
	return alive;
}

/* ---- the end of a response ---- */

static void start_linger(struct connection *c)
{
	shutdown(c->io.fd, SHUT_WR);
	c->state = LINGERING;
	c->lingered = 0;
	return_exchange(c);
	wait_as(c, WAIT_LINGER);
	set_deadline(c, linger_s);
	wait_for(c, EV_READ);
}

static void wait_to_cut(struct connection *c)
{
	struct ev_loop *loop = c->hub->loop;

	ev_timer_stop(loop, &c->timer);
	ev_timer_set(&c->timer, (double)progress_look_ms(CUT_MS) / 1000, 0.);
	ev_timer_start(loop, &c->timer);
}

/* What was said is sent, and broke off. */
static void start_cutting(struct connection *c)
{
	c->state = CUTTING;
	ev_io_stop(c->hub->loop, &c->io);
	set_deadline(c, 0);
	begin_progress(c);
	wait_to_cut(c);
}

static void go_on_cutting(struct connection *c)
{
	if (sock_queued(c->io.fd) > 0 && peer_goes_on(c, CUT_MS)) {
		wait_to_cut(c);
		return;
	}
	sock_reset(c->io.fd);
	connection_close(c);
}

/* All of the response is sent.  Who has sent the next request already waits until others had their
 * turn. */
static void after_response(struct connection *c)
{
	struct exchange *x = c->x;

	if (c->close_after || c->hub->grace_over) {
		c->hub->cut_off += !c->close_after;
		if (x->rs.cut && is_tcp(c))
			start_cutting(c);
		else if (c->linger || x->in.begin < x->in.end)
			start_linger(c);
		else
			connection_close(c);
		return;
	}
	renew_exchange(c);
	c->state = READING;
	c->first_byte = false;
	if (x->in.begin < x->in.end) {
		join_queue(c, &c->hub->again);
		return;
	}
	return_exchange(c);
	wait_as(c, WAIT_IDLE);
	set_deadline(c, c->listener->idle_timeout_s);
	wait_for_s(c, EV_READ, c->listener->idle_timeout_s);
}

/* The response has ended: send it. */
static void send_response(struct connection *c)
{
	enum sent sent = c->x->rs.broken ? SENT_FAILED : send_pending(c);

	release_sent(c);
	switch (sent) {
	case SENT_ALL:
		if (c->io.events & EV_WRITE)
			ev_io_stop(c->hub->loop, &c->io);
		unread_forget(&c->hub->unread, &c->unread);
		after_response(c);
		break;
	case SENT_SOME:
		c->state = WRITING;
		wait_to_write(c);
		body_discard(&c->x->rq.body);
		settle(c, false);
		break;
	case SENT_FAILED:
		if (c->x->out.failed)
			tell_no_memory(c->hub, "an answer is cut off");
		give_up(c);
		break;
	}
}

static struct slice http_date(struct hub *hub)
{
	int64_t now = (int64_t)ev_now(hub->loop);

	if (now != hub->date_s) {
		time_t t = (time_t)now;
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(hub->date_text, sizeof hub->date_text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		hub->date_s = now;
	}
	return (struct slice){ hub->date_text, 29 };
}

static void prepare_response(struct connection *c)
{
	c->x->rs.date = http_date(c->hub);
	c->x->rs.close = c->hub->rules->close ||
			 (c->hub->ending && c->listener->protocol->announces_close);
}

static void send_ended(struct connection *c)
{
	c->close_after = !c->x->rs.keep;
	c->linger = false;
	if (c->x->rs.no_memory)
		tell_no_memory(c->hub, "a request is answered with 500");
	send_response(c);
}

/* The server's own answer to a request that cannot be run. */
static void refuse(struct connection *c, bool linger)
{
	struct exchange *x = c->x;
	const char *why = x->rq.reject_why ? x->rq.reject_why : "";

	stop_waiting(c);
	if (!x->rq.reject_status)
		uwsgi_request_reject(&x->rq, 400, "malformed request");
	prepare_response(c);
	x->rs.close = true;
	uwsgi_response_refuse(&x->rs, x->rq.reject_status, (struct slice){ why, strlen(why) });
	c->hub->host->refused(c->hub->host_data, x);
	c->close_after = true;
	c->linger = linger;
	send_response(c);
}

static void note_speed(struct connection *c, ev_tstamp began)
{
	double took_s = ev_now(c->hub->loop) - began;

	c->hub->ran_s += took_s;
	c->took_s = took_s;
	if (c->is_new)
		c->hub->first_took_s = took_s;
	c->is_new = false;
}

double connection_expected_s(const struct connection *c)
{
	return c->is_new ? c->hub->first_took_s : c->took_s;
}

bool connection_expects_slow(const struct connection *c)
{
	return connection_expected_s(c) > slow_s;
}

void connection_run(struct connection *c)
{
	struct exchange *x = c->x;
	struct hub *hub = c->hub;
	ev_tstamp began = ev_now(hub->loop);

	leave_queue(c);
	prepare_response(c);
	hub->host->run(hub->host_data, x);
	if (!x->rs.ended) {
		c->state = ANSWERING;
		return;
	}
	/* Deadlines count from now, not from before the application ran. */
	ev_now_update(hub->loop);
	note_speed(c, began);
	send_ended(c);
}

/* ---- a response that ends later ---- */

static void sink_ended(struct sink *sink)
{
	struct connection *c = exchange_of(sink)->connection;

	/* In any other state run() has not returned yet, or the server itself answers. */
	if (c->state == ANSWERING)
		send_ended(c);
}

static int sink_detach(struct sink *sink, char *unread, size_t size, size_t *n)
{
	struct exchange *x = exchange_of(sink);
	struct connection *c = x->connection;

	*n = x->in.end - x->in.begin;
	if (c->state != ANSWERING || x->out.pending > 0 || *n > size)
		return -1;
	int fd = fcntl(c->io.fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (*n > 0)
		memcpy(unread, x->in.p + x->in.begin, *n);
	connection_close(c);
	return fd;
}

static void on_io_answering(struct connection *c, int events)
{
	enum sent sent = events & EV_WRITE ? send_pending(c) : SENT_ALL;

	switch (sent) {
	case SENT_FAILED:
		lose_peer(c);
		return;
	case SENT_ALL:
		/* Also when the peer says more, or that it says no more: later. */
		ev_io_stop(c->hub->loop, &c->io);
		unread_forget(&c->hub->unread, &c->unread);
		break;
	case SENT_SOME:
		note_unread(c);
		break;
	}
	/* The host may go on with that, which may end the response. */
	release_sent(c);
}

/* ---- reading ---- */

/* The head was taken and its bytes must stay: the body goes on in a buffer of its own. */
static bool pin_head(struct exchange *x)
{
	struct buffer body = { 0 };
	size_t rest = x->in.end - x->in.begin;

	if (!buffer_reserve(&body, rest > BODY_BUFFER / 2 ? rest * 2 : BODY_BUFFER))
		return false;
	memcpy(body.p, x->in.p + x->in.begin, rest);
	body.end = rest;
	x->head = x->in;
	x->in = body;
	return true;
}

/* What a head may take with its framing.  The router has judged what comes from it, and says it in
 * other words. */
static size_t head_limit(const struct connection *c)
{
	return c->listener->internal ? HEAD_MOST
				     : c->hub->head_limit + c->listener->protocol->framing;
}

/* Room to read into; the buffer of an incomplete head grows up to the limit.  False: the head
 * is too large, or memory is out. */
static bool make_room(struct connection *c)
{
	struct exchange *x = c->x;
	struct buffer *b = &x->in;

	if (x->rq.count > 0 && !x->head.p && !pin_head(x)) {
		uwsgi_request_reject(&x->rq, 500, "out of memory");
		return false;
	}
	buffer_compact(b);
	if (!x->head.p && b->end >= head_limit(c)) {
		uwsgi_request_reject(&x->rq, 431, "the request's head is larger than buffer-size");
		return false;
	}
	if (b->end < b->capacity || buffer_reserve(b, b->capacity * 2))
		return true;
	uwsgi_request_reject(&x->rq, 500, "out of memory");
	return false;
}

/* When so many bytes of a body are due that it has not brought.  It has begun with a silence that
 * may be as long as any. */
static int64_t body_due_ms(const struct connection *c)
{
	const struct exchange *x = c->x;
	int64_t rate = c->hub->body_rate;

	if (rate == 0 || x->body_began_ms == 0)
		return INT64_MAX;
	return x->body_began_ms + (int64_t)(c->listener->body_timeout_s * 1000) +
	       x->rq.body.length * 1000 / rate;
}

/* A body must go on, and at no less than the least rate in all.  This server's own router holds whole
 * ones. */
static void set_body_deadline(struct connection *c)
{
	set_deadline(c, c->listener->body_timeout_s);
	if (c->listener->internal)
		return;
	if (c->x->body_began_ms == 0)
		c->x->body_began_ms = clock_monotonic_coarse_ms();
	int64_t due_ms = body_due_ms(c);

	if (due_ms < c->deadline_ms)
		c->deadline_ms = due_ms;
}

/* One parse of what is there. */
static void step(struct connection *c)
{
	struct exchange *x = c->x;
	struct slice in = { x->in.p + x->in.begin, x->in.end - x->in.begin };
	size_t used = 0;
	enum parsed parsed =
		c->listener->protocol->parse(c->protocol_state, &x->rq, in, &used, &x->out);

	x->in.begin += used <= in.n ? used : in.n;
	/* A peer that asks and asks and takes no answer would fill the memory. */
	if (x->out.pending > 0 && parsed != PARSE_DONE &&
	    (send_pending(c) == SENT_FAILED || x->out.pending > EARLY)) {
		connection_close(c);
		return;
	}
	if (parsed != PARSE_MORE)
		stop_waiting(c);
	switch (parsed) {
	case PARSE_DONE:
		if (!request_complete(&x->rq)) {
			refuse(c, true);
		} else if (connection_expects_slow(c)) {
			c->state = READY;
			join_queue(c, &c->hub->slow);
		} else {
			connection_run(c);
		}
		return;
	case PARSE_BAD:
		refuse(c, true);
		return;
	case PARSE_CLOSE:
		c->close_after = c->linger = true;
		send_response(c);
		return;
	case PARSE_AGAIN:
		c->close_after = c->linger = false;
		send_response(c); /* what the protocol has answered; then the connection is idle */
		return;
	case PARSE_MORE:
		if (x->rq.reject_status || !make_room(c)) {
			refuse(c, true);
			return;
		}
		break;
	}
	if (x->rq.count == 0 && c->waiter.kind != WAIT_HEAD)
		wait_as(c, WAIT_HEAD);
	else if (x->rq.count > 0 && used > 0)
		wait_as(c, WAIT_BODY);
	if (used > 0 && x->rq.count > 0)
		set_body_deadline(c);
	/* A head has its whole time from its first byte on, whatever is said before it. */
	else if (!c->first_byte)
		set_deadline(c, c->listener->head_timeout_s);
	c->first_byte = true;
	wait_for(c, EV_READ);
}

void connection_go_on(struct connection *c)
{
	leave_queue(c);
	step(c);
}

/* From the router, a large body comes as the file that it is in. */
static ssize_t receive(struct connection *c, void *to, size_t n)
{
	int file;

	if (!c->listener->internal)
		return recv(c->io.fd, to, n, 0);
	ssize_t got = receiving_with_file(c->io.fd, to, n, &file);

	if (file == RECEIVING_LOST)
		uwsgi_request_reject(&c->x->rq, 503, "no descriptor is free for the body");
	else if (file >= 0)
		request_keep_file(&c->x->rq, file);
	return got;
}

void connection_read(struct connection *c)
{
	struct exchange *x = c->x ? c->x : take_exchange(c);
	ssize_t n;

	leave_queue(c);
	if (!x) {
		tell_no_memory(c->hub, "a connection is closed");
		connection_close(c);
		return;
	}
	struct buffer *b = &x->in;
	size_t room = b->capacity - b->end;

	if (!x->head.p && room > head_limit(c) - b->end)
		room = head_limit(c) - b->end;
	do
		n = receive(c, b->p + b->end, room);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		b->end += (size_t)n;
		connection_go_on(c);
	} else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		if (b->end == 0 && !x->head.p && x->out.pending == 0) {
			return_exchange(c);
			if (c->waiter.kind != WAIT_IDLE)
				wait_as(c, WAIT_IDLE);
		}
		if (!ev_is_active(&c->io))
			set_deadline(c, c->listener->head_timeout_s);
		wait_for(c, EV_READ);
	} else {
		connection_close(c);
	}
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

void connection_start(struct connection *c)
{
	if (!connection_expects_slow(c)) {
		connection_read(c);
		return;
	}
	stop_waiting(c);
	join_queue(c, &c->hub->slow);
}

/* The kernel has no memory to wait for it with. */
static void on_unwatched(struct connection *c)
{
	tell_no_memory(c->hub, "the kernel cannot watch a connection, which is closed");
	if (c->state == ANSWERING)
		lose_peer(c);
	else if (c->state == WRITING)
		give_up(c);
	else
		connection_close(c);
}

static void on_readable(struct connection *c)
{
	if (c->x)
		connection_read(c);
	else
		connection_start(c);
}

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
	struct connection *c = w->data;

	(void)loop;
	if (events & EV_ERROR) {
		on_unwatched(c);
		return;
	}
	switch (c->state) {
	case READING:
		if (!c->queue)
			on_readable(c);
		break;
	case READY:
		break;
	case ANSWERING:
		on_io_answering(c, events);
		break;
	case WRITING:
		send_response(c);
		break;
	case LINGERING:
		read_linger(c);
		break;
	case CUTTING:
		break;
	}
}

static const char *why_late(const struct connection *c)
{
	return c->x->rq.body.length > 0 && c->deadline_ms >= body_due_ms(c)
		       ? "the body came more slowly than body-min-rate"
		       : "the request did not come in time";
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct connection *c = w->data;

	(void)events;
	if (c->queue)
		return;
	double left_s = seconds_left(c);

	if (left_s > 0) {
		ev_timer_set(w, left_s, 0.);
		ev_timer_start(loop, w);
		return;
	}
	switch (c->state) {
	case READING:
		/* The lane may have had no time to look. */
		if (sock_unread(c->io.fd) > 0) {
			on_readable(c);
			break;
		}
		if (!c->x) {
			connection_close(c);
			break;
		}
		uwsgi_request_reject(&c->x->rq, 408, why_late(c));
		/* A silent peer has nothing under way that a close could cut off. */
		refuse(c, false);
		break;
	case READY:
		break;
	case ANSWERING:
		if (c->x->out.pending == 0)
			break;
		if (peer_goes_on(c, write_timeout_ms(c)))
			wait_for_progress(c);
		else
			lose_peer(c);
		break;
	case WRITING:
		if (peer_goes_on(c, write_timeout_ms(c)))
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
	}
}

bool connection_has_spoken(const struct connection *c)
{
	char byte;

	return recv(c->io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static bool is_idle(const struct connection *c)
{
	return c->state == READING && !c->x;
}

/* Who is in `again` has sent a request that was read and not looked at. */
bool connection_can_move(const struct connection *c)
{
	return is_idle(c) || (c->state == READING && c->queue == &c->hub->again &&
			      c->x->in.end - c->x->in.begin <= MIGRATE_INPUT_MAX);
}

enum migrate_result connection_give(struct connection *c, int queue)
{
	const struct buffer *in = c->x ? &c->x->in : NULL;
	struct moved moved = { .listener = c->listener->identity,
			       .deadline_ms = c->deadline_ms,
			       .took_s = c->took_s,
			       .is_new = c->is_new,
			       .input = in ? in->end - in->begin : 0 };

	memcpy(moved.state, c->protocol_state, c->listener->protocol->state_size);
	enum migrate_result result =
		migrate_give(queue, c->io.fd, &moved, in ? in->p + in->begin : NULL);
	if (result == MIGRATE_DONE) {
		backend_forget(c->hub->backend, c->io.fd);
		connection_close(c);
	}
	return result;
}

/* What the lane before has read waits for the end of this turn, as it did there. */
static void resume_with_input(struct connection *c, struct slice input)
{
	struct exchange *x = take_exchange(c);

	if (!x || !buffer_reserve(&x->in, input.n)) {
		uwsgi_log(UWSGI_ERROR, "out of memory: closing a connection");
		connection_close(c);
		return;
	}
	memcpy(x->in.p, input.p, input.n);
	x->in.end = input.n;
	join_queue(c, &c->hub->again);
}

void connection_resume(struct connection *c, const struct moved *moved, const char *input)
{
	c->took_s = moved->took_s;
	c->is_new = moved->is_new;
	if (moved->deadline_ms > 0)
		c->deadline_ms = moved->deadline_ms;
	else
		set_deadline(c, c->listener->head_timeout_s); /* nobody had looked at it yet */
	memcpy(c->protocol_state, moved->state, c->listener->protocol->state_size);
	if (moved->input > 0) {
		resume_with_input(c, (struct slice){ input, moved->input });
		return;
	}
	wait_for(c, EV_READ);
	connection_start(c);
}

static double idle_patience_s(const struct connection *c)
{
	return c->is_new ? c->listener->head_timeout_s : c->listener->idle_timeout_s;
}

double connection_silent_s(const struct connection *c)
{
	return idle_patience_s(c) - seconds_left(c);
}

void connection_end_soon(struct connection *c, double idle_s)
{
	double patience_s = idle_patience_s(c);

	if (c->state == ANSWERING && !c->x->rs.head_sent &&
	    c->listener->protocol->announces_close)
		c->x->rs.close = true;
	if (!is_idle(c) || c->queue || patience_s <= idle_s)
		return;
	c->deadline_ms -= (int64_t)((patience_s - idle_s) * 1000);
	wait_for(c, EV_READ);
}

struct connection *connection_new(struct hub *hub, const struct listener *listener, int fd,
				  const struct sockaddr *peer, socklen_t length)
{
	struct connection *c = calloc(1, sizeof *c + listener->protocol->state_size);

	if (!c) {
		tell_no_memory(hub, "a connection is closed");
		close(fd);
		return NULL;
	}
	c->hub = hub;
	c->listener = listener;
	ev_io_init(&c->io, on_io, fd, EV_READ);
	c->io.data = c;
	ev_timer_init(&c->timer, on_timer, 0., 0.);
	c->timer.data = c;
	waiter_init(&c->waiter);
	address_to_text(peer, length, &c->peer);
	LIST_INSERT_HEAD(&hub->open, c, link);
	hub->open_count++;
	return c;
}

const struct sink connection_sink = { sink_flush, sink_ended, sink_detach };
