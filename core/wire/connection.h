/* SPDX-License-Identifier: MIT */
/* connection.h: one accepted connection: bytes in through its protocol, bytes out to its peer.
 * Everything here belongs to the lane's thread; nothing is locked. */
#ifndef UWSGI_CONNECTION_H
#define UWSGI_CONNECTION_H

#include "exchange/exchange.h"
#include "wire/listener.h"
#include "wire/room.h"
#include "wire/runqueue.h"
#include "wire/unread.h"

#include <ev.h>

struct clients;

enum connection_state {
	READING,   /* between requests, or inside one that is not whole */
	READY,     /* a request is whole, and waits because it is expected to take long */
	ANSWERING, /* the host has the request; its response has not ended yet */
	WRITING,   /* the response has ended, the kernel has not taken all of it */
	LINGERING, /* all is sent; reads on so that the peer gets to see it */
	CUTTING,   /* the answer broke off: reset once what was sent has arrived */
};

/* Of a request that runs meanwhile. */
enum body_state {
	BODY_WHOLE,
	BODY_HELD,   /* a portion is the application's */
	BODY_WANTED, /* it has asked for more */
};

struct connection {
	LIST_ENTRY(connection) link; /* in open or closed of its clients */
	struct runner runner;
	struct unread_share unread;
	struct waiter waiter;
	struct clients *clients;
	const struct listener *listener;
	struct exchange *x; /* NULL: idle */
	ev_io io;
	ev_timer timer; /* armed while the loop waits for the peer; early: armed again */
	int64_t deadline_ms; /* monotonic: setting the clock closes nobody */
	enum connection_state state;
	bool first_byte;  /* the deadline of this head is set */
	bool close_after; /* once all is sent */
	bool linger;      /* the peer may still be sending */
	enum body_state body;
	/* While ANSWERING: behind its request something came, so that its end cannot be seen, or that
	 * end; and it has been so for a while. */
	bool spoke, long_since;
	int64_t lingered;
	struct address_text peer;
	_Alignas(16) char protocol_state[];
};

/* The connection that has this as its runner, unread or waiter. */
#define connection_of(pointer, member)                                                             \
	((struct connection *)((char *)(uintptr_t)(pointer) - offsetof(struct connection, member)))

struct connection_events {
	void (*io)(struct ev_loop *, ev_io *, int events);
	void (*timer)(struct ev_loop *, ev_timer *, int events);
};

/* Takes fd over.  NULL: no memory, and fd is closed. */
struct connection *connection_new(struct clients *, const struct listener *, int fd,
				  const struct sockaddr *, socklen_t, const struct connection_events *);
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
bool connection_is_tcp(const struct connection *);

/* Sends what is pending, then closes or goes on as close_after says. */
void connection_send(struct connection *);
/* Its response has ended. */
void connection_send_ended(struct connection *);
/* The same, and of the request's body some was not read: nothing can follow. */
void connection_send_early(struct connection *);

/* What its io and timer say while it does not read requests. */
void connection_on_io(struct connection *, int events);
void connection_on_deadline(struct connection *);
/* The kernel has no memory to wait for it with. */
void connection_unwatched(struct connection *);
/* A line in the log, seldom. */
void connection_tell_no_memory(struct clients *, const char *what);
/* Frees all but the connection itself, which lives until the turn ends. */
void connection_close(struct connection *);

#endif
