/* SPDX-License-Identifier: MIT */
/* room.h: how many connections a lane may have, and which of them makes room for a new one: pure.
 * Those wait here that their peer keeps waiting; a connection whose request runs, or whose answer is
 * being sent, has its place for as long as that takes. */
#ifndef UWSGI_ROOM_H
#define UWSGI_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* What a peer keeps us waiting for, and the order in which connections make room. */
enum wait_kind {
	WAIT_IDLE,   /* its next request */
	WAIT_HEAD,   /* the rest of a head */
	WAIT_LINGER, /* its close, after all was said */
	WAIT_BODY,   /* the rest of a body */
	WAIT_KINDS,
	WAIT_NONE = WAIT_KINDS, /* it does not wait for its peer to speak */
};

/* A body of which nothing came for so long, in seconds, makes room, too. */
#define ROOM_BODY_SILENT_S 5.

struct waiter {
	TAILQ_ENTRY(waiter) link;
	enum wait_kind kind;
	double since; /* when it began to wait like this */
};

TAILQ_HEAD(waiter_queue, waiter);

struct room {
	struct waiter_queue waiting[WAIT_KINDS]; /* who waits longest comes first */
	size_t most;                             /* connections of this lane */
	int64_t descriptors; /* of this process, without those left to the application */
};

/* What the room of a process depends on. */
struct room_setup {
	long long most;            /* max-connections; 0: as many as its descriptors allow */
	uint64_t descriptor_limit; /* of the process */
	int descriptors_each;      /* that a connection may need at a time */
	size_t lanes;              /* each has an equal share */
};

void room_init(struct room *, const struct room_setup *);
/* Of such a limit, the descriptors that are not for connections. */
int64_t room_reserve(uint64_t descriptor_limit);
void waiter_init(struct waiter *);
/* From now on it waits for this, as the last one; NONE: for nothing. */
void room_wait(struct room *, struct waiter *, enum wait_kind, double now);
/* Who makes room; NULL: nobody can.  has_spoken: whether bytes have come that were not read yet;
 * what may be a request is not cut. */
struct waiter *room_choose(const struct room *, double now,
			   bool (*has_spoken)(const struct waiter *));

#endif
