/* SPDX-License-Identifier: MIT */
/* connection.h: one accepted connection: bytes in through its protocol, bytes out to its peer.
 * A hub is what the connections of one lane share.  Everything here belongs to the lane's
 * thread; nothing is locked. */
#ifndef UWSGI_CONNECTION_H
#define UWSGI_CONNECTION_H

#include "exchange.h"
#include "listener.h"
#include <ev.h>

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

/* What the configuration says of connections; borrowed. */
struct hub_setup {
	const struct config *config;
	const struct header_rules *rules;
	struct request_limits limits;
	size_t buffer_size;
	const struct listeners *listeners;
	int handover; /* where idle connections may be given away; -1: nowhere */
};

struct hub {
	struct ev_loop *loop;
	const struct hub_host *host;
	void *host_data;
	const struct config *config;
	const struct header_rules *rules;
	struct request_limits limits;
	size_t head_limit;         /* the most bytes read before a head is taken */
	struct connection *open;   /* all open connections, doubly linked */
	struct connection *closed; /* freed at the end of this turn of the loop */
	struct exchange_pool pool;
	size_t open_count;
	const struct listeners *listeners;
	int handover;     /* -1: none */
	bool first_slow;  /* the first request of the last new connection was slow */
	bool leaving;     /* every response closes its connection */
	bool grace_over;  /* and idle ones are closed at once */
	ev_prepare sweep; /* frees `closed` */
	ev_timer grace;   /* after it, idle connections are closed */
	int64_t date_s;   /* the second that date_text says */
	char date_text[32];
};

/* loop and host must outlive the hub.  The loop is kept alive by open connections only. */
void hub_init(struct hub *, struct ev_loop *, const struct hub_host *, void *host_data,
	      const struct hub_setup *);
void hub_fini(struct hub *);
/* Takes over an accepted descriptor; reads and answers at once what is there. */
void hub_accept(struct hub *, const struct listener *, int fd, const struct sockaddr *, socklen_t);
/* The next connection that another hub has given away.  False: there is none. */
bool hub_take_over(struct hub *, int queue);
/* Frees what was closed; the loop does it in each of its turns. */
void hub_sweep(struct hub *);
/* From now on every response closes its connection; idle ones may still send one request and are
 * closed soon: for_good, almost at once, because nobody else will serve them. */
void hub_leave(struct hub *, bool for_good);

#endif
