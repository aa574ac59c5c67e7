/* SPDX-License-Identifier: MIT */
/* wire.h: what this folder works on: a connection, and what those of a lane have in common.
 * Everything here belongs to the lane's thread; nothing is locked. */
#ifndef UWSGI_WIRE_H
#define UWSGI_WIRE_H

#include "base/counts.h"
#include "base/seldom.h"
#include "exchange/exchange.h"
#include "wire/listener.h"
#include "wire/room.h"
#include "wire/runqueue.h"
#include "wire/unread.h"

#include <ev.h>
#include <sys/socket.h>

struct clients;

enum connection_state {
	READING, /* between requests, or inside one that is not whole */
	READY, /* a request is whole, and waits: it is expected to take long, or a handler that has
		    * said later is to be asked again */
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
	ev_timer timer; /* armed while the loop waits for the peer; where it fires early, again */
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
	((struct connection *)((char *)(uintptr_t)(pointer)-offsetof(struct connection, member)))

static inline bool connection_is_tcp(const struct connection *c)
{
	return listener_is_tcp(c->listener);
}

/* What is done with the requests of clients: by a lane, or by a gateway's process. */
struct clients_host {
	/* Runs the request of x; its response has ended when this returns, or ends later. */
	void (*run)(void *host, struct exchange *x);
	/* The peer is gone before the response has ended, which must be ended in this call. */
	void (*gone)(void *host, struct exchange *x);
	/* While a response is to come that ends later: the peer says no more, and may still want it.
	 * NULL: it counts as gone where the host has ended(), and else makes no difference. */
	void (*said_all)(void *host, struct exchange *x);
	/* A handler that made a response wait is to be asked again; NULL: run() is called again when
	 * the connection's turn comes. */
	void (*go_on)(void *host, struct exchange *x);
	/* A response has ended after run() had returned, or inside it where there is body(), or its
	 * connection was detached; after this the exchange is somebody else's. */
	void (*ended)(void *host, struct exchange *x);
	/* All that was said is sent, and the response has not ended; NULL: nobody waits for that. */
	void (*drained)(void *host, struct exchange *x);
	/* A portion of the body has come, or its end.  Such a host runs requests before their bodies
	 * are whole, and side by side; NULL: it does not. */
	void (*body)(void *host, struct exchange *x);
	/* A request that the server answered itself (refused): for log and counters. */
	void (*refused)(void *host, struct exchange *x);
	/* The peer did not take all of an answer. */
	void (*unsent)(void *host, struct exchange *x);
	/* It did, but not at once: it took so long.  NULL: that makes no difference. */
	void (*sent)(void *host, struct exchange *x, uint64_t us);
	/* Around a wait inside run(); NULL: nothing waits there. */
	void (*pause)(void *host);
	void (*resume)(void *host);
	/* Bytes or files that were lent to responses are sent. */
	void (*release)(void *host, void *const *owners, size_t count);
};

LIST_HEAD(connections, connection);

struct clients {
	struct ev_loop *loop;
	int backend; /* of the loop, for those that move; -1: not known */
	const struct clients_host *host;
	void *host_data;
	struct counts *counts; /* what is counted here; NULL: nothing */
	const struct config *config;
	const struct header_rules *rules;
	struct request_limits limits;
	size_t head_limit; /* the most bytes read before a head is taken, but for its framing */
	int64_t body_rate; /* bytes a second that a body must bring; 0: any */
	struct connections open;
	struct connections closed; /* freed at the end of this turn of the loop */
	size_t open_count;
	struct runqueue queue;
	struct exchange_pool pool;
	struct unread unread; /* answers that their clients have not taken */
	struct room room;     /* who waits for its peer */
	bool reserve_touched; /* nobody could make room for the last one that came */
	const struct listeners *listeners;
	int neighbours, successors; /* queues, as struct clients_setup's */
	double idle_s;              /* when the server ends, how long a connection may be silent */
	bool leaving;               /* connections move, or end */
	bool ending;                /* they end: answers say so where the protocol can */
	bool grace_over;            /* and who is between two requests is closed at once */
	size_t cut_off;             /* closed although more requests could be on their way */
	ev_check
		turn; /* fed when something is to be done at the end of a turn; active while leaving */
	ev_idle more;   /* runs while a turn has left something to the next one */
	ev_timer retry; /* successors had no room */
	ev_timer look;  /* a gateway's, for peers that leave before they are answered */
	ev_timer grace; /* after it, idle connections are closed */
	struct seldom no_memory, no_room, cut, made_room; /* said in the log */
	int64_t date_s;                                   /* the second that date_text says */
	char date_text[UWSGI_DATE_SIZE];
};

#endif
