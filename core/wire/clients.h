/* SPDX-License-Identifier: MIT */
/* clients.h: the connections of one lane, or of a gateway's process: new ones, whose turn it is, who
 * makes room, and the end. */
#ifndef UWSGI_CLIENTS_H
#define UWSGI_CLIENTS_H

#include "base/seldom.h"
#include "wire/connection.h"
#include "wire/migrate.h"

/* What is done with the requests of clients: by a lane, or by a gateway's process. */
struct clients_host {
	/* Runs the whole request of x; its response has ended when this returns, or, with gone(),
	 * may end later. */
	void (*run)(void *host, struct exchange *x);
	/* The peer is gone before the response has ended, which must be ended in this call; NULL:
	 * run() ends all. */
	void (*gone)(void *host, struct exchange *x);
	/* While a response is to come that ends later: the peer says no more, and may still want it.
	 * NULL: that makes no difference. */
	void (*said_all)(void *host, struct exchange *x);
	/* For a host whose requests run before their bodies are whole, and side by side; NULL for any
	 * other.  The response has ended, inside run() or later, or its connection was detached; after
	 * this the exchange is somebody else's. */
	void (*ended)(void *host, struct exchange *x);
	/* All that was said is sent. */
	void (*drained)(void *host, struct exchange *x);
	/* A portion of the body has come, or its end. */
	void (*body)(void *host, struct exchange *x);
	/* A request that the server answered itself (refused): for log and counters. */
	void (*refused)(void *host, struct exchange *x);
	/* The peer did not take all of an answer. */
	void (*unsent)(void *host, struct exchange *x);
	/* Around a wait inside run(); NULL where gone() is not. */
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
	double idle_s;   /* when the server ends, how long a connection may be silent */
	bool leaving;    /* connections move, or end */
	bool ending;     /* they end: answers say so where the protocol can */
	bool grace_over; /* and who is between two requests is closed at once */
	size_t cut_off;  /* closed although more requests could be on their way */
	ev_check turn;   /* fed when something is to be done at the end of a turn; active while leaving */
	ev_idle more;    /* runs while a turn has left something to the next one */
	ev_timer retry;  /* successors had no room */
	ev_timer look;   /* for peers that leave before they are answered; with said_all() only */
	ev_timer grace;  /* after it, idle connections are closed */
	struct seldom no_memory, no_room, cut, made_room; /* said in the log */
	int64_t date_s; /* the second that date_text says */
	char date_text[32];
};

/* What the configuration says of connections; borrowed. */
struct clients_setup {
	const struct config *config;
	const struct header_rules *rules;
	struct request_limits limits;
	struct unread_limits unread;
	size_t buffer_size;
	int64_t body_rate; /* bytes a second that a body must bring; 0: any */
	const struct listeners *listeners;
	struct room_setup room;
	/* Queues that connections may be given to; -1: there is none.  Neighbours: lanes of the same
	 * generation, which may have time now.  Successors: whoever stays when these leave. */
	int neighbours, successors;
	double idle_s; /* when the server ends, how long a connection may be silent */
};

/* loop and host must outlive them.  The loop is kept alive by open connections only. */
void clients_init(struct clients *, struct ev_loop *, const struct clients_host *, void *host_data,
		  const struct clients_setup *);
void clients_fini(struct clients *);
/* There is no room for another connection, and no open one can make it.  any: an open descriptor. */
bool clients_are_full(struct clients *, int any);
/* Closes the connection that waits longest for its peer to speak; one that runs, or whose request is
 * just coming in, is left alone.  False: there is none to close. */
bool clients_make_room(struct clients *);
/* Takes over an accepted descriptor, for which another connection may have to make room; its request
 * runs now, or when this turn ends. */
void clients_accept(struct clients *, const struct listener *, int fd, const struct sockaddr *,
		    socklen_t);
/* Takes over the next connection that another lane has given away.  LATER: there is none. */
enum migrate_result clients_take_over(struct clients *, int queue);
/* Serves those that wait for the others, and frees what was closed; the loop does it at the end of each
 * turn in which there is something of that. */
void clients_end_turn(struct clients *);
/* Others serve on: each connection is given to the successors as soon as it is between two
 * requests. */
void clients_leave(struct clients *);
/* The server ends: answers close their connections where the protocol can say so, and silent ones
 * are closed, after idle_s at the latest. */
void clients_end(struct clients *, double idle_s);

#endif
