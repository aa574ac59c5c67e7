/* SPDX-License-Identifier: MIT */
/* clients.h: the connections of one lane, or of a gateway's process: new ones, whose turn it is, who
 * makes room, and the end. */
#ifndef UWSGI_CLIENTS_H
#define UWSGI_CLIENTS_H

#include "wire/migrate.h"
#include "wire/wire.h"

/* What the configuration says of connections; borrowed. */
struct clients_setup {
	struct counts *counts; /* for what is counted here; NULL: nothing is */
	const struct config *config;
	const struct header_rules *rules;
	struct deadline *deadline; /* of the requests; NULL: nothing limits them */
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
/* After clients_end(): idle_s begins anew. */
void clients_prolong(struct clients *);

#endif
