/* SPDX-License-Identifier: MIT */
/* acceptor.h: new connections, from listeners into a hub. */
#ifndef UWSGI_ACCEPTOR_H
#define UWSGI_ACCEPTOR_H

#include "hub.h"

struct acceptor {
	struct hub *hub;
	const struct listeners *listeners; /* only those of `gateway` are its own */
	const struct gateway *gateway;     /* NULL: of the workers */
	int most;                          /* connections before anything else is looked at */
	uid_t uid;                         /* who this process is */
	ev_io *watchers;                   /* one for each listener */
	ev_timer pause;                    /* after the process ran out of descriptors */
};

/* It does not accept yet.  hub and listeners must outlive it. */
int acceptor_init(struct acceptor *, struct hub *, const struct listeners *,
		  const struct gateway *, int most, struct error *);
/* Does nothing during a pause, which ends with a start. */
void acceptor_start(struct acceptor *);
void acceptor_stop(struct acceptor *);
bool acceptor_is_paused(const struct acceptor *);
/* Whether the listener of this index is its own. */
bool acceptor_has(const struct acceptor *, size_t index);
/* One connection from that listener.  False: nobody waits any more. */
bool acceptor_take(struct acceptor *, size_t index);
void acceptor_fini(struct acceptor *);

#endif
