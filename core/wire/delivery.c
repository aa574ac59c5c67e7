/* SPDX-License-Identifier: MIT */
/* delivery.c: first memory, then a file, then the application waits, all within the limits that
 * response-memory and response-file-max set. */
#include "wire/delivery.h"

#include "base/clock.h"
#include "base/sock.h"

#include <errno.h>
#include <poll.h>

enum {
	IN_MEMORY = 1 << 20, /* of an answer; what is beyond goes to a file */
	LOW_WATER = 65536,   /* an application that waits goes on when less than this is left */
};

/* ---- how far the client is ---- */

int64_t delivery_timeout_ms(const struct connection *c)
{
	return (int64_t)(c->listener->write_timeout_s * 1000);
}

int64_t delivery_look_ms(const struct connection *c)
{
	return progress_look_ms(delivery_timeout_ms(c));
}

void delivery_begin_wait(struct connection *c)
{
	progress_begin(&c->x->progress, clock_monotonic_coarse_ms(), c->x->out.sent);
}

/* Of this server's own router nothing is asked: it waits for its client and gives up on that, which
 * ends this connection, too. */
bool delivery_goes_on(struct connection *c, int64_t timeout_ms)
{
	if (c->listener->internal)
		return true;
	const struct progress_view v = { .now_ms = clock_monotonic_coarse_ms(),
					 .sent = c->x->out.sent,
					 .queued = sock_queued(c->io.fd),
					 .tcp = connection_is_tcp(c) };

	return progress_goes_on(&c->x->progress, &v, timeout_ms);
}

static bool look_is_due(const struct connection *c)
{
	return clock_monotonic_coarse_ms() - c->x->progress.looked_ms >= delivery_look_ms(c);
}

/* Blocks until enough is sent for the application to go on. */
static bool wait_until_low(struct connection *c)
{
	struct pollfd p = { .fd = c->io.fd, .events = POLLOUT };
	enum sent sent = SENT_SOME;

	delivery_begin_wait(c);
	while (sent == SENT_SOME && c->x->out.pending > LOW_WATER) {
		int ready = poll(&p, 1, (int)delivery_look_ms(c));

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready > 0)
			sent = sock_send(c->io.fd, &c->x->out);
		else if (ready < 0)
			sent = SENT_FAILED;
		if (sent == SENT_SOME && (ready == 0 || look_is_due(c)) &&
		    !delivery_goes_on(c, delivery_timeout_ms(c)))
			sent = SENT_FAILED;
	}
	return sent != SENT_FAILED;
}

/* ---- where it waits ---- */

/* A file on a file system of memory would gain little. */
static int64_t most_of_file(const struct connection *c)
{
	const struct unread_limits *limits = &c->clients->unread.limits;

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
		seldom_log(&c->clients->no_room, UWSGI_ERROR,
			   "%s; what does not fit into memory waits for its client", e.text);
		break;
	}
	return false;
}

bool delivery_hold(struct connection *c)
{
	const struct clients *clients = c->clients;
	struct sendbuf *out = &c->x->out;
	bool over = unread_is_over(&clients->unread, exchange_memory(c->x));

	if (!over && sendbuf_memory(out) <= IN_MEMORY)
		return true;
	/* Disk and client may be slow: the application's other threads go on meanwhile. */
	clients->host->pause(clients->host_data);
	bool goes_on = move_to_file(c, over ? 0 : IN_MEMORY / 2) || out->pending <= LOW_WATER ||
		       wait_until_low(c);
	clients->host->resume(clients->host_data);
	return goes_on;
}

void delivery_note(struct connection *c)
{
	unread_note(&c->clients->unread, &c->unread, exchange_memory(c->x), c->x->out.sent);
}

void delivery_settle(struct connection *c)
{
	if (sendbuf_memory(&c->x->out) > IN_MEMORY)
		move_to_file(c, IN_MEMORY / 2);
	delivery_note(c);
	delivery_release(c);
}

/* ---- all of them together ---- */

static bool gives_memory_back(struct connection *c)
{
	int64_t held = c->unread.held;

	move_to_file(c, 0);
	delivery_note(c);
	delivery_release(c);
	return c->unread.held < held;
}

struct connection *delivery_furthest_behind(struct clients *clients)
{
	struct unread *u = &clients->unread;
	struct unread_share *share;

	while (unread_is_over(u, 0) && (share = unread_last(u))) {
		struct connection *c = connection_of(share, unread);

		if (!gives_memory_back(c))
			return c;
	}
	return NULL;
}
