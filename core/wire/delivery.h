/* SPDX-License-Identifier: MIT */
/* delivery.h: an answer whose client does not take it as fast as it comes: where it waits, and whether
 * the client still takes anything.  Closing connections is connection.c's. */
#ifndef UWSGI_DELIVERY_H
#define UWSGI_DELIVERY_H

#include "wire/wire.h"

/* Owners of what was sent, or forgotten, get it back. */
static inline void delivery_release(struct connection *c)
{
	struct sendbuf *out = &c->x->out;

	if (out->done_count == 0)
		return;
	c->clients->host->release(c->clients->host_data, out->done, out->done_count);
	out->done_count = 0;
}

/* The client is waited for from now on; delivery_goes_on() is to be asked each look_ms(). */
void delivery_begin_wait(struct connection *);
int64_t delivery_look_ms(const struct connection *);
/* False: it has taken nothing, or next to nothing, for timeout_ms. */
bool delivery_goes_on(struct connection *, int64_t timeout_ms);
/* write_timeout_s of its listener. */
int64_t delivery_timeout_ms(const struct connection *);

/* Inside run(): what is pending stays in memory, or goes to a file, or the application waits here for
 * the client.  False: that is gone. */
bool delivery_hold(struct connection *);
/* Outside: it stays, and counts; a large one goes to a file. */
void delivery_settle(struct connection *);
/* It counts what is left of it. */
void delivery_note(struct connection *);
/* Answers hold more memory than they may: some go to files, and if that does not do, the connection
 * whose client is the furthest behind is to be cut off, which this returns.  NULL: memory suffices. */
struct connection *delivery_furthest_behind(struct clients *);

#endif
