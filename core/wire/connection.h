/* SPDX-License-Identifier: MIT */
/* connection.h: one accepted connection: bytes in through its protocol, bytes out to its peer.
 * A hub is what the connections of one lane share.  Everything here belongs to the lane's
 * thread; nothing is locked. */
#ifndef UWSGI_CONNECTION_H
#define UWSGI_CONNECTION_H

#include "exchange/exchange.h"
#include "wire/listener.h"
#include "wire/migrate.h"
#include "wire/room.h"
#include "wire/unread.h"
#include <ev.h>
#include <sys/queue.h>

/* What the lane does for its connections. */
struct hub_host {
	/* Runs the whole request of x; its response has ended when this returns, or, with gone(),
	 * may end later. */
	void (*run)(void *host, struct exchange *x);
	/* The peer is gone before the response has ended, which must be ended in this call; NULL:
	 * run() ends all. */
	void (*gone)(void *host, struct exchange *x);
	/* A request that the server answered itself (refused): for log and counters. */
	void (*refused)(void *host, struct exchange *x);
	/* The peer did not take all of an answer. */
	void (*unsent)(void *host, struct exchange *x);
	/* Around a wait inside run(). */
	void (*pause)(void *host);
	void (*resume)(void *host);
	void (*release)(void *host, void *const *owners, size_t count);
};

/* Something that may happen often and is said seldom. */
struct told {
	int64_t at_ms;  /* when it was last said, on the monotonic clock; 0: never */
	unsigned since; /* how often it has happened since */
};

LIST_HEAD(connections, connection);
TAILQ_HEAD(connection_queue, connection);

struct hub {
	struct ev_loop *loop;
	int backend; /* of the loop, for those that move; -1: not known */
	const struct hub_host *host;
	void *host_data;
	const struct config *config;
	const struct header_rules *rules;
	struct request_limits limits;
	size_t head_limit; /* the most bytes read before a head is taken, but for its framing */
	int64_t body_rate; /* bytes a second that a body must bring; 0: any */
	struct connections open;
	struct connections closed;     /* freed at the end of this turn of the loop */
	struct connection_queue again; /* they have read more than they have answered */
	struct connection_queue slow;  /* readable or READY, and expected to take long */
	struct exchange_pool pool;
	struct unread unread;
	size_t open_count;
	struct room room; /* who waits for its peer */
	bool reserve_touched; /* nobody could make room for the last one that came */
	unsigned made_room;   /* closed for others since that was last said in the log */
	ev_tstamp told_made_room; /* 0: never */
	const struct listeners *listeners;
	int neighbours, successors; /* queues, as struct hub_setup's */
	double idle_s;   /* when the server ends, how long a connection may be silent */
	double ran_s;    /* how long requests ran in this turn */
	double first_took_s; /* the first request of the last new connection */
	bool leaving;    /* connections move, or end */
	bool ending;     /* they end: answers say so where the protocol can */
	bool grace_over; /* and who is between two requests is closed at once */
	size_t cut_off;  /* closed although more requests could be on their way */
	ev_check turn;   /* the end of a turn of the loop */
	ev_idle more;    /* runs while a turn has left something to the next one */
	ev_timer retry;  /* successors had no room */
	ev_timer grace;  /* after it, idle connections are closed */
	struct told no_memory, no_room, cut; /* what the log says of each */
	int64_t date_s;           /* the second that date_text says */
	char date_text[32];
};

enum connection_state {
	READING,   /* between requests, or inside one that is not whole */
	READY,     /* a request is whole, and waits because it is expected to take long */
	ANSWERING, /* the host has the request; its response has not ended yet */
	WRITING,   /* the response is said, the kernel has not taken all of it */
	LINGERING, /* all is said; reads on so that the peer gets to see it */
	CUTTING,   /* the answer broke off: reset once what was said has arrived */
};

struct connection {
	LIST_ENTRY(connection) link; /* in open or closed */
	TAILQ_ENTRY(connection) turn;
	struct unread_share unread;
	struct connection_queue *queue; /* that it is in by `turn`; NULL: none */
	struct hub *hub;
	const struct listener *listener;
	struct exchange *x; /* NULL: idle */
	struct waiter waiter;
	ev_io io;
	ev_timer timer; /* runs while the loop waits for the peer; late ones are set on */
	int64_t deadline_ms; /* monotonic: setting the clock closes nobody */
	enum connection_state state;
	bool first_byte;  /* the deadline of this head is set */
	double took_s;    /* its last request */
	bool is_new;      /* it had none yet */
	bool close_after; /* once all is sent */
	bool linger;      /* the peer may still be sending */
	int64_t lingered;
	struct address_text peer;
	_Alignas(16) char protocol_state[];
};

/* What responses do to their connections; for the exchanges of a hub. */
extern const struct sink connection_sink;

/* Takes fd over.  NULL: no memory, and fd is closed. */
struct connection *connection_new(struct hub *, const struct listener *, int fd,
				  const struct sockaddr *, socklen_t);
/* Bytes may be there: reads them now, or is queued as one of the slow. */
void connection_start(struct connection *);
/* Reads what is there, and runs the request if it is whole and not expected to take long. */
void connection_read(struct connection *);
/* Goes on with what was read before. */
void connection_go_on(struct connection *);
/* Runs the request of one that is READY. */
void connection_run(struct connection *);
/* How long its request is expected to take: what the one before took, in seconds. */
double connection_expected_s(const struct connection *);
/* That is so long that no other client should wait for it. */
bool connection_expects_slow(const struct connection *);
/* How long the peer of an idle one has been silent, in seconds. */
double connection_silent_s(const struct connection *);
/* It is between two requests, and of the next one nothing was looked at. */
bool connection_can_move(const struct connection *);
/* DONE: another lane has it, and it is closed here. */
enum migrate_result connection_give(struct connection *, int queue);
/* Goes on with one that another lane has given; input: what that one has read ahead. */
void connection_resume(struct connection *, const struct moved *, const char *input);
/* The server ends: an answer that has not begun yet tells its client so, and a client that stays
 * silent for idle_s, what it has been silent already included, is not waited for. */
void connection_end_soon(struct connection *, double idle_s);
/* Bytes of its peer are there to be read. */
bool connection_has_spoken(const struct connection *);
/* Frees all but the connection itself, which lives until the turn ends. */
void connection_close(struct connection *);

#endif
