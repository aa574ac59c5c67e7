/* SPDX-License-Identifier: MIT */
/* acceptor.h: where a lane's connections come from: listeners, and queues of those that other lanes
 * have given away. */
#ifndef UWSGI_ACCEPTOR_H
#define UWSGI_ACCEPTOR_H

#include "wire/clients.h"

/* Connections from lanes of the same generation that are busy; and from whoever has left. */
enum { ACCEPTOR_NEIGHBOURS, ACCEPTOR_LEFT, ACCEPTOR_QUEUES };

struct acceptor {
	struct clients *clients;
	const struct gateway *gateway; /* only its listeners are its own; NULL: the workers' */
	int most;                      /* connections before anything else is looked at */
	uid_t uid;                     /* who this process is */
	ev_io *watchers;               /* one for each listener, then for each queue */
	size_t count;
	bool started;
	unsigned vain;      /* how often nobody waited at a UNIX socket */
	bool last;          /* no new client can connect: see acceptor_last_call() */
	ev_timer pause;     /* after the process ran out of descriptors */
	struct seldom full; /* said in the log */
};

/* It does not accept yet.  The clients must outlive it, and their listeners are accepted from.  queues: the
 * ends that are taken from; -1: there is none. */
int acceptor_init(struct acceptor *, struct clients *, const struct gateway *,
		  const int queues[ACCEPTOR_QUEUES], int most, struct error *);
/* Does nothing during a pause, which ends with a start. */
void acceptor_start(struct acceptor *);
void acceptor_stop(struct acceptor *);
bool acceptor_is_paused(const struct acceptor *);
/* The socket or queue of this index, below count; -1: it belongs to another process. */
int acceptor_fd(const struct acceptor *, size_t index);
/* One connection from there.  False: nobody waits any more. */
bool acceptor_take(struct acceptor *, size_t index);
/* All that is in a queue. */
void acceptor_empty(struct acceptor *, int queue);
/* The listeners take no new connections: what waits there is taken, but for sockets that were passed
 * on, whose queue is for the next server. */
void acceptor_last_call(struct acceptor *);
/* After that: nobody waits there any more.  Where no connection is open, the next one is taken. */
bool acceptor_is_through(struct acceptor *);
void acceptor_fini(struct acceptor *);

#endif
