/* SPDX-License-Identifier: MIT */
/* status.h: what a service sees of the server. */
#ifndef UWSGI_STATUS_H
#define UWSGI_STATUS_H

#include "wire/listener.h"
#include "work/scoreboard.h"

/* What part of memory is a process's own; the kernel takes milliseconds to find that out. */
struct share {
	pid_t pid;
	int64_t at_ms;
	uint64_t own, share; /* bytes */
};

struct status {
	const struct totals *totals;
	struct ring slow, spans, warnings, daemons, vassals;
	struct ring crons;                 /* zeroed: there are none */
	const struct metrics *metrics;     /* NULL: there are none */
	const struct listeners *listeners; /* NULL: what follows was told of them */
	struct socket_status *told;
	size_t told_count;
	unsigned long long overflows;
	struct scoreboard *boards; /* of generations, the youngest first; owned */
	size_t count;
	struct share *shares; /* by pid; owned; NULL: only what the kernel says at once is told */
	pid_t master;
	int channel; /* to it, non-blocking */
	/* Takes what the master has said meanwhile; NULL: it says nothing. */
	void (*hear)(void *hearer);
	void *hearer;
};

/* All are borrowed.  Returns -1 with the reason. */
int status_init(struct status *, const struct listeners *, const struct totals *, void *slow,
		struct ring warnings, struct ring daemons, struct error *);
/* One more scoreboard, behind fd, which stays the caller's; those of generations that are gone are let
 * go.  Where there is no memory, it is not seen. */
void status_look_at(struct status *, int fd, size_t slots, size_t lanes);

#endif
