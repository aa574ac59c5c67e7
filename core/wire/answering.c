/* SPDX-License-Identifier: MIT */
/* answering.c: sends what is said of a response as the peer takes it, reads a body as it is asked for,
 * and notices when the peer leaves.  Each call of the host may end the response, and with it the
 * connection. */
#include "wire/answering.h"

#include "base/clock.h"
#include "base/sock.h"
#include "wire/delivery.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A deadline that is none. */
enum { NEVER_MS = 1 << 30 };

/* Most answers are there sooner: to watch their clients would cost more than it gives. */
static const double long_s = 0.5;

static struct connection *asked_by(const struct request *rq)
{
	return exchange_of_request(rq)->connection;
}

/* One that was closed has no exchange until the turn ends. */
static bool goes_on(const struct connection *c)
{
	return c->x && c->state == ANSWERING;
}

/* ---- what is waited for ---- */

static bool is_sending(const struct connection *c)
{
	return ev_is_active(&c->io) && c->io.events & EV_WRITE;
}

static int64_t look_at_ms(const struct connection *c)
{
	return c->x->progress.looked_ms + delivery_look_ms(c);
}

/* The end of the peer is looked for only where it is the next thing that could come. */
static void watch(struct connection *c)
{
	bool sends = c->x->out.pending > 0;
	bool looks =
		(c->clients->host->ended || c->long_since) && c->body == BODY_WHOLE && !c->spoke;
	bool reads = looks || c->body == BODY_WANTED;
	int64_t now_ms = clock_monotonic_coarse_ms();

	if (!sends && !reads) {
		ev_io_stop(c->clients->loop, &c->io);
		return;
	}
	if (sends && !is_sending(c))
		delivery_begin_wait(c);
	c->deadline_ms = now_ms + NEVER_MS;
	if (sends)
		clock_keep_earlier(&c->deadline_ms, look_at_ms(c));
	if (c->body == BODY_WANTED)
		clock_keep_earlier(&c->deadline_ms, c->x->body_deadline_ms);
	connection_wait_for(c, (sends ? EV_WRITE : 0) | (reads ? EV_READ : 0));
}

bool answering_waits_for_peer(const struct connection *c)
{
	return c->x->out.pending > 0 || c->body == BODY_WANTED;
}

void answering_on_unsent(struct connection *c)
{
	watch(c);
}

/* ---- life ---- */

/* Of who is being answered since the look before. */
static void on_look(struct ev_loop *loop, ev_timer *w, int events)
{
	struct clients *clients = w->data;
	struct connection *c;
	bool any = false;

	(void)events;
	LIST_FOREACH(c, &clients->open, link) {
		if (!goes_on(c))
			continue;
		any = true;
		if (c->long_since && !c->spoke)
			watch(c);
		c->long_since = true;
	}
	if (!any)
		ev_timer_stop(loop, w);
}

void answering_init(struct clients *clients)
{
	ev_timer_init(&clients->look, on_look, long_s, long_s);
	clients->look.data = clients;
}

void answering_begin(struct connection *c)
{
	struct clients *clients = c->clients;

	c->state = ANSWERING;
	c->spoke = c->x->in.begin < c->x->in.end;
	c->long_since = false;
	if (clients->host->ended)
		watch(c);
	if (!clients->host->said_all || clients->host->ended)
		return;
	if (!ev_is_active(&clients->look))
		ev_timer_again(clients->loop, &clients->look);
}

void answering_run(struct connection *c)
{
	const struct clients *clients = c->clients;

	c->state = ANSWERING;
	c->runner.is_new = false;
	c->spoke = c->body == BODY_WHOLE && c->x->in.begin < c->x->in.end;
	clients->host->run(clients->host_data, c->x);
	if (goes_on(c))
		watch(c);
}

void answering_end(struct connection *c)
{
	struct clients *clients = c->clients;
	bool unread = c->body != BODY_WHOLE;

	if (!clients->host->ended) {
		connection_send_ended(c);
		return;
	}
	clients->host->ended(clients->host_data, c->x);
	c->body = BODY_WHOLE;
	c->x->rq.passed_on = 0;
	if (unread)
		connection_send_early(c);
	else
		connection_send_ended(c);
	/* It may move now, also when this is outside of any turn. */
	if (clients->leaving)
		ev_feed_event(clients->loop, &clients->turn, EV_CUSTOM);
}

/* ---- a body in portions ---- */

enum body_read {
	BODY_NOTHING, /* nothing has come that is worth telling */
	BODY_PORTION, /* it is the request's body; or its end, when the connection's body is WHOLE */
	BODY_LOST,    /* nothing more comes that can be understood; the log says why */
};

static void renew_body_deadline(struct connection *c)
{
	connection_set_body_deadline(c);
	c->x->body_deadline_ms = c->deadline_ms;
}

/* The time that the application took is not the peer's. */
static void want_body(struct connection *c)
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
			connection_prepare_response(c);
		return BODY_PORTION;
	case PARSE_MORE:
		if (x->rq.reject_status || !exchange_make_room(x, connection_head_limit(c)))
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

static enum body_read read_body(struct connection *c)
{
	struct buffer *b = &c->x->in;
	ssize_t n = connection_receive(c);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return BODY_NOTHING;
	if (n <= 0)
		return BODY_LOST;
	b->end += (size_t)n;
	return hand_on(c);
}

/* ---- events ---- */

enum peer_state {
	PEER_SPEAKS,
	PEER_SAID_ALL, /* a TCP peer may be gone, too: that shows when something is sent to it */
	PEER_GONE,
};

/* Bytes of a request behind this one hide the peer's end until they are read. */
static enum peer_state look_at_peer(struct connection *c)
{
	struct pollfd fd = { .fd = c->io.fd };
	char byte;
	ssize_t n = recv(c->io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	c->spoke = n > 0;
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return PEER_SPEAKS;
	return n < 0 || (poll(&fd, 1, 0) > 0 && fd.revents) ? PEER_GONE : PEER_SAID_ALL;
}

/* For a host that is not a gateway.  A peer that has shut down its side is not looked at again. */
static void hear_of_peer(struct connection *c)
{
	const struct clients_host *host = c->clients->host;
	enum peer_state state = look_at_peer(c);

	if (state == PEER_SPEAKS)
		return;
	if (state == PEER_GONE || !host->said_all) {
		connection_lose_peer(c);
		return;
	}
	c->spoke = true;
	host->said_all(c->clients->host_data, c->x);
}

/* Of a gateway's, whose answers are for half-closed connections, too. */
static void hear_for_gateway(struct connection *c)
{
	const struct clients_host *host = c->clients->host;

	if (host->said_all && !c->spoke && look_at_peer(c) != PEER_SPEAKS) {
		c->spoke = true;
		host->said_all(c->clients->host_data, c->x);
	}
	if (goes_on(c))
		watch(c);
}

static void send_for_gateway(struct connection *c, int events)
{
	if (!(events & EV_WRITE)) {
		hear_for_gateway(c);
		return;
	}
	switch (sock_send(c->io.fd, &c->x->out)) {
	case SENT_FAILED:
		connection_lose_peer(c);
		return;
	case SENT_ALL:
		ev_io_stop(c->clients->loop, &c->io);
		unread_forget(&c->clients->unread, &c->unread);
		break;
	case SENT_SOME:
		delivery_note(c);
		break;
	}
	/* The host may go on with that, which may end the response. */
	delivery_release(c);
}

static void send_more(struct connection *c)
{
	enum sent sent = sock_send(c->io.fd, &c->x->out);

	if (sent == SENT_FAILED) {
		connection_lose_peer(c);
		return;
	}
	if (sent == SENT_SOME) {
		delivery_note(c);
		delivery_release(c);
		return;
	}
	unread_forget(&c->clients->unread, &c->unread);
	delivery_release(c);
	if (c->clients->host->drained)
		c->clients->host->drained(c->clients->host_data, c->x);
}

static void read_on(struct connection *c)
{
	switch (read_body(c)) {
	case BODY_NOTHING:
		break;
	case BODY_PORTION:
		c->clients->host->body(c->clients->host_data, c->x);
		break;
	case BODY_LOST:
		connection_lose_peer(c);
		break;
	}
}

void answering_on_io(struct connection *c, int events)
{
	if (!c->clients->host->ended) {
		send_for_gateway(c, events);
		return;
	}
	if (events & EV_WRITE && c->x->out.pending > 0)
		send_more(c);
	if (goes_on(c) && events & EV_READ && c->body == BODY_WANTED)
		read_on(c);
	else if (goes_on(c) && events & EV_READ && c->body == BODY_WHOLE)
		hear_of_peer(c);
	if (goes_on(c))
		watch(c);
}

void answering_on_deadline(struct connection *c)
{
	int64_t now_ms = clock_monotonic_coarse_ms();
	bool late = c->body == BODY_WANTED && now_ms >= c->x->body_deadline_ms;

	if (c->x->out.pending > 0 && now_ms >= look_at_ms(c) &&
	    !delivery_goes_on(c, delivery_timeout_ms(c))) {
		connection_lose_peer(c);
		return;
	}
	/* The lane may have had no time to look. */
	if (late && sock_unread(c->io.fd) > 0) {
		read_on(c);
	} else if (late) {
		uwsgi_request_reject(&c->x->rq, 408, "the body did not come in time");
		request_log_refusal(&c->x->rq);
		connection_lose_peer(c);
	}
	if (goes_on(c))
		watch(c);
}

/* ---- what a plugin asks and says ---- */

bool uwsgi_request_is_whole(const struct request *rq)
{
	return asked_by(rq)->body == BODY_WHOLE;
}

void uwsgi_request_read_on(struct request *rq)
{
	struct connection *c = asked_by(rq);

	if (c->body != BODY_HELD)
		return;
	want_body(c);
	watch(c);
}

void uwsgi_response_set_handled(struct response *rs, void *handled)
{
	exchange_of_response(rs)->handled = handled;
}

int uwsgi_response_detach(struct response *rs, char *unread, size_t size, size_t *n)
{
	struct exchange *x = exchange_of_response(rs);
	struct connection *c = x->connection;

	*n = x->in.end - x->in.begin;
	if (rs->head_sent || c->state != ANSWERING || c->body != BODY_WHOLE || x->out.pending > 0 ||
	    *n > size)
		return -1;
	int fd = fcntl(c->io.fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (*n > 0)
		memcpy(unread, x->in.p + x->in.begin, *n);
	if (c->clients->host->ended)
		c->clients->host->ended(c->clients->host_data, x);
	connection_close(c);
	return fd;
}
