/* SPDX-License-Identifier: MIT */
/* hub.h: the connections of one lane together: new ones, whose turn it is, and the end. */
#ifndef UWSGI_HUB_H
#define UWSGI_HUB_H

#include "wire/connection.h"

/* What the configuration says of connections; borrowed. */
struct hub_setup {
	const struct config *config;
	const struct header_rules *rules;
	struct request_limits limits;
	struct unread_limits unread;
	size_t buffer_size;
	int64_t body_rate; /* bytes a second that a body must bring; 0: any */
	const struct listeners *listeners;
	struct room_setup room;
	/* Queues that connections may be given to; -1: there is none.  Neighbours: lanes of the same
	 * generation, which may have time now.  Successors: whoever stays when this hub leaves. */
	int neighbours, successors;
	double idle_s; /* when the server ends, how long a connection may be silent */
};

/* loop and host must outlive the hub.  The loop is kept alive by open connections only. */
void hub_init(struct hub *, struct ev_loop *, const struct hub_host *, void *host_data,
	      const struct hub_setup *);
void hub_fini(struct hub *);
/* Nothing is left for another connection, and no open one can make room.  any: an open descriptor. */
bool hub_is_full(struct hub *, int any);
/* Closes the connection that waits longest for its peer to speak; one that runs, or whose request is
 * just coming in, is left alone.  False: there is none to close. */
bool hub_make_room(struct hub *);
/* Takes over an accepted descriptor, for which another connection may have to make room; its request
 * runs now, or when this turn ends. */
void hub_accept(struct hub *, const struct listener *, int fd, const struct sockaddr *, socklen_t);
/* The next connection that another hub has given away.  LATER: there is none. */
enum migrate_result hub_take_over(struct hub *, int queue);
/* Serves those that wait for the others, and frees what was closed; the loop does it in each of its
 * turns. */
void hub_end_turn(struct hub *);
/* Others serve on: each connection is given to the successors as soon as it is between two
 * requests. */
void hub_leave(struct hub *);
/* The server ends: answers close their connections where the protocol can say so, and silent ones
 * are closed, after idle_s at the latest. */
void hub_end(struct hub *, double idle_s);

#endif
