/* SPDX-License-Identifier: MIT */
/* connection.h: one accepted connection: waited for, read from, sent to, closed. */
#ifndef UWSGI_CONNECTION_H
#define UWSGI_CONNECTION_H

#include "wire/wire.h"

struct connection_events {
	void (*io)(struct ev_loop *, ev_io *, int events);
	void (*timer)(struct ev_loop *, ev_timer *, int events);
};

/* Takes fd over.  NULL: no memory, and fd is closed. */
struct connection *connection_new(struct clients *, const struct listener *, int fd,
				  const struct sockaddr *, socklen_t,
				  const struct connection_events *);
/* NULL: no memory. */
struct exchange *connection_take_exchange(struct connection *);
void connection_return_exchange(struct connection *);

/* What it waits for its peer for; meanwhile it may make room for another one. */
void connection_wait_as(struct connection *, enum wait_kind);
void connection_stop_waiting(struct connection *);
void connection_set_deadline(struct connection *, double seconds);
double connection_seconds_left(const struct connection *);
/* Waits for the peer, READ or WRITE, until the deadline. */
void connection_wait_for(struct connection *, int events);

/* Waits for its turn, which comes when the others have had theirs. */
void connection_wait_for_turn(struct connection *, enum run_kind);

/* It is between two requests, and nothing of the next one was read. */
bool connection_is_idle(const struct connection *);
/* How long the peer of an idle one may be silent, and how long it has been, in seconds. */
double connection_patience_s(const struct connection *);
double connection_silent_s(const struct connection *);

/* What may be read of a head, with its framing. */
size_t connection_head_limit(const struct connection *);
/* As recv(): into its exchange, with the file that the router may send beside the bytes. */
ssize_t connection_receive(struct connection *);
/* A body that comes in pieces must go on: by then, or it is late; and when that is because it comes
 * more slowly than body-min-rate. */
void connection_set_body_deadline(struct connection *);
int64_t connection_body_due_ms(const struct connection *);

/* Its response is about to begin: what it says of the time, and of this connection. */
void connection_prepare_response(struct connection *);
/* More is to be sent than the kernel takes now. */
void connection_wait_to_write(struct connection *);
/* The answer waits for its client, and counts.  Unless it is `running`, it may be cut off itself. */
void connection_settle(struct connection *, bool running);
/* The peer is gone, or of no use any more: the host ends the response now, and nobody gets to see it. */
void connection_lose_peer(struct connection *);
/* Sends what is pending, then closes or goes on as close_after says. */
void connection_send(struct connection *);
/* Its response has ended. */
void connection_send_ended(struct connection *);
/* The same, and of the request's body some was not read: nothing can follow. */
void connection_send_early(struct connection *);

/* What its io and timer say after the end of its response. */
void connection_on_io(struct connection *);
void connection_on_deadline(struct connection *);
/* The kernel has no memory to wait for it with. */
void connection_unwatched(struct connection *);
/* A line in the log, seldom. */
void connection_tell_no_memory(struct clients *, const char *what);
/* Frees all but the connection itself, which lives until the turn ends. */
void connection_close(struct connection *);

#endif
