/* SPDX-License-Identifier: MIT */
/* handover.h: idle connections on their way from a lane that will be busy for long to one that is
 * free, in any worker of the generation.  The kernel's queue hands them out, as it does with new
 * ones. */
#ifndef UWSGI_HANDOVER_H
#define UWSGI_HANDOVER_H

#include "plugin.h"

/* The most that a protocol may keep of a connection that moves. */
enum { HANDOVER_STATE_MAX = 256 };

/* One queue of a generation: what is given to ends[0] comes out of ends[1]. */
int handover_open(int ends[2], struct error *);
/* What goes along. */
struct parcel {
	size_t listener; /* its index */
	bool slow;       /* the connection's last request was slow */
	char state[HANDOVER_STATE_MAX];
};

/* True: fd is another lane's, and only this process's copy is left to close.  False: the queue is
 * full. */
bool handover_give(int queue, int fd, const struct parcel *);
/* The next one, or -1. */
int handover_take(int queue, struct parcel *);

#endif
