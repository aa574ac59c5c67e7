/* SPDX-License-Identifier: MIT */
/* client.c: one connection: requests that are read, routed and answered, one after the other.  Each
 * phase has its time, and nothing here waits. */
#include "server.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Seconds: to say a request once it has begun; between two; to take an answer, or anything of one that
 * streams; until it closes after the last one; before what is answered late. */
#define HEAD_S 5.
#define IDLE_S 75.
#define TAKE_S 10.
#define CLOSE_S 1.
#define LATE_S 1.

/* ---- phases ---- */

static void listen_for(struct client *c, int events)
{
	ev_io_stop(c->server->loop, &c->io);
	ev_io_set(&c->io, c->io.fd, events);
	if (events)
		ev_io_start(c->server->loop, &c->io);
}

static void enter(struct client *c, enum phase phase, int events, double seconds)
{
	struct ev_loop *loop = c->server->loop;

	c->phase = phase;
	c->since = ev_now(loop);
	listen_for(c, events);
	ev_timer_stop(loop, &c->deadline);
	ev_timer_set(&c->deadline, seconds, 0.);
	if (seconds > 0.)
		ev_timer_start(loop, &c->deadline);
}

static void drop_answer(struct client *c)
{
	free(c->out);
	c->out = NULL;
	c->length = c->sent = c->size = 0;
}

static void tell_gone(struct client *c)
{
	void (*gone)(void *) = c->gone;

	c->gone = NULL;
	if (gone)
		gone(c->mine);
}

void client_end(struct client *c)
{
	enter(c, CLIENT_FREE, 0, 0.);
	close(c->io.fd);
	drop_answer(c);
	c->busy = false;
	tell_gone(c);
}

/* ---- sending ---- */

/* Closing while something of the client is unread would be a reset, which can destroy what it has not
 * read yet: so its own end is waited for. */
static void finish(struct client *c)
{
	drop_answer(c);
	c->busy = false;
	if (!c->keep) {
		shutdown(c->io.fd, SHUT_WR);
		enter(c, CLIENT_CLOSES, EV_READ, CLOSE_S);
		return;
	}
	enter(c, CLIENT_READS, EV_READ, c->have ? HEAD_S : IDLE_S);
	if (c->have)
		ev_feed_event(c->server->loop, &c->io, EV_CUSTOM);
}

/* What the kernel takes.  False: the connection is broken. */
static bool push(struct client *c)
{
	while (c->sent < c->length) {
		ssize_t n = send(c->io.fd, c->out + c->sent, c->length - c->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		c->sent += (size_t)n;
	}
	return true;
}

static void send_on(struct client *c)
{
	if (!push(c)) {
		client_end(c);
		return;
	}
	if (c->sent < c->length)
		return;
	if (c->phase == CLIENT_TAKES)
		finish(c);
	else /* all of a stream's that was said so far */
		enter(c, CLIENT_STREAMS, EV_READ, 0.);
}

/* ---- answers ---- */

/* False: no memory. */
static bool add(struct client *c, struct slice bytes)
{
	size_t needed = c->length + bytes.n;

	if (needed > c->size) {
		char *bigger = realloc(c->out, needed);

		if (!bigger)
			return false;
		c->out = bigger;
		c->size = needed;
	}
	if (bytes.n)
		memcpy(c->out + c->length, bytes.p, bytes.n);
	c->length = needed;
	return true;
}

static UWSGI_PRINTF(2, 3) bool add_text(struct client *c, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return false;
	bool added = add(c, (struct slice){ text, (size_t)n });

	free(text);
	return added;
}

/* length < 0: it has no end but that of the connection. */
static bool add_head(struct client *c, const struct answer *a, int64_t length)
{
	char date[UWSGI_DATE_SIZE];

	uwsgi_http_date(time(NULL), date);
	return add_text(c,
			"HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\n"
			"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
			"Referrer-Policy: no-referrer\r\nX-Frame-Options: DENY\r\n%s%s",
			a->status, uwsgi_reason(a->status), date, a->type, a->extra ? a->extra : "",
			c->keep ? "Connection: keep-alive\r\n" : "Connection: close\r\n") &&
	       (length < 0 || add_text(c, "Content-Length: %lld\r\n", (long long)length)) &&
	       add(c, SLICE("\r\n"));
}

/* false: no memory, and the client is gone. */
static bool compose(struct client *c, const struct answer *a)
{
	struct slice body = c->head_only ? (struct slice){ NULL, 0 } : a->body;

	assert(c->phase == CLIENT_READS || c->phase == CLIENT_WAITS);
	if (add_head(c, a, (int64_t)a->body.n) && add(c, body))
		return true;
	client_end(c);
	return false;
}

void client_answer(struct client *c, const struct answer *a)
{
	c->gone = NULL;
	if (!compose(c, a))
		return;
	enter(c, CLIENT_TAKES, EV_READ | EV_WRITE, TAKE_S);
	send_on(c);
}

/* Counted as busy, so that whoever guesses passwords takes no place that is kept for probes. */
void client_answer_late(struct client *c, const struct answer *a)
{
	c->busy = true;
	if (!compose(c, a))
		return;
	enter(c, CLIENT_WAITS, EV_READ, LATE_S);
}

void client_answer_text(struct client *c, const struct answer *a, char *text, size_t n)
{
	struct answer whole = *a;

	whole.body = (struct slice){ text, n };
	if (text)
		client_answer(c, &whole);
	else
		client_refuse(c, 503, NULL, "out of memory\n");
	free(text);
}

void client_refuse(struct client *c, int status, const char *extra, const char *text)
{
	const struct answer a = {
		status, "text/plain; charset=utf-8", extra, { text, strlen(text) }
	};

	client_answer(c, &a);
}

void client_wait(struct client *c, void (*gone)(void *mine), void *mine)
{
	c->gone = gone;
	c->mine = mine;
	enter(c, CLIENT_WAITS, EV_READ, 0.);
}

bool client_stream(struct client *c, const char *type, void (*gone)(void *mine), void *mine)
{
	const struct answer head = { .status = 200, .type = type };

	c->keep = false;
	c->gone = gone;
	c->mine = mine;
	if (!add_head(c, &head, -1)) {
		client_end(c);
		return false;
	}
	enter(c, c->head_only ? CLIENT_TAKES : CLIENT_STREAMS, EV_READ | EV_WRITE, TAKE_S);
	if (c->head_only)
		tell_gone(c);
	send_on(c);
	return c->phase == CLIENT_STREAMS;
}

/* The kernel would keep hours of events for who reads none, so what waits there counts, too. */
static bool has_taken_all(const struct client *c)
{
	int waits = 0;

	return c->sent == c->length && (ioctl(c->io.fd, SIOCOUTQ, &waits) < 0 || waits == 0);
}

bool client_say(struct client *c, struct slice bytes)
{
	if (!has_taken_all(c)) {
		if (ev_now(c->server->loop) - c->since >= TAKE_S)
			client_end(c);
		return false;
	}
	drop_answer(c);
	if (!add(c, bytes))
		return false;
	enter(c, CLIENT_STREAMS, EV_READ | EV_WRITE, TAKE_S);
	ev_feed_event(c->server->loop, &c->io, EV_WRITE);
	return true;
}

const struct status *client_status(const struct client *c)
{
	return c->server->status;
}

struct events *client_events(const struct client *c)
{
	return c->server->events;
}

/* ---- events ---- */

static void on_left(struct client *c)
{
	if (c->phase == CLIENT_TAKES) { /* only its half, perhaps */
		c->said_all = true;
		c->keep = false;
		enter(c, CLIENT_TAKES, EV_WRITE, TAKE_S);
	} else if (c->phase == CLIENT_READS && c->have) {
		c->said_all = true;
		request_look(c);
	} else {
		client_end(c);
	}
}

static void hear(struct client *c)
{
	char ignored[512];
	bool listens = c->phase != CLIENT_CLOSES && c->phase != CLIENT_STREAMS;
	char *to = listens ? c->in + c->have : ignored;
	size_t room = listens ? sizeof c->in - c->have : sizeof ignored;

	if (room == 0) { /* it says much before it is answered: until then nobody listens */
		listen_for(c, c->io.events & EV_WRITE);
		return;
	}
	ssize_t n = recv(c->io.fd, to, room, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		on_left(c);
		return;
	}
	if (!listens)
		return;
	if (c->phase == CLIENT_READS && c->have == 0)
		enter(c, CLIENT_READS, EV_READ, HEAD_S);
	c->have += (size_t)n;
	if (c->phase == CLIENT_READS)
		request_look(c);
}

static void on_event(struct ev_loop *loop, ev_io *w, int events)
{
	struct client *c = w->data;

	(void)loop;
	if ((events & EV_CUSTOM) && c->phase == CLIENT_READS)
		request_look(c);
	else if ((events & EV_WRITE) && (c->phase == CLIENT_TAKES || c->phase == CLIENT_STREAMS))
		send_on(c);
	else if (events & EV_READ)
		hear(c);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
	struct client *c = w->data;

	(void)loop;
	(void)events;
	if (c->phase == CLIENT_WAITS && c->out) {
		enter(c, CLIENT_TAKES, EV_READ | EV_WRITE, TAKE_S);
		send_on(c);
	} else if (c->phase == CLIENT_READS && c->have) {
		request_refuse(c, 408, "the request did not come in time");
	} else {
		client_end(c);
	}
}

void client_begin(struct client *c, struct server *s, int fd, enum visitor visitor)
{
	*c = (struct client){ .server = s, .visitor = visitor };
	ev_io_init(&c->io, on_event, fd, EV_READ);
	ev_init(&c->deadline, on_deadline);
	c->io.data = c->deadline.data = c;
	enter(c, CLIENT_READS, EV_READ, HEAD_S);
	hear(c);
}
