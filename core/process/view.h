/* SPDX-License-Identifier: MIT */
/* view.h: how a command sees what a running server does.  It sends the master SIGUSR1 with a random
 * ticket, which only root and the server's user may do, and listens on an abstract UNIX socket that is
 * named after that.  The master sends it the memories in which the server counts, to be read only. */
#ifndef UWSGI_VIEW_H
#define UWSGI_VIEW_H

#include "base/shared.h"
#include "process/status.h"

/* ---- the master's side: never blocks ---- */

struct view_source {
	const struct shared *totals, *slow, *warnings, *vassals;
	const struct listeners *listeners;
	/* The i-th generation's, the youngest first; NULL: there are no more. */
	const struct scoreboard *(*board)(void *data, size_t i);
	void *data;
};
/* Whoever does not listen, or is neither root nor this user, is told nothing. */
void view_tell(uint64_t ticket, const struct view_source *);

/* ---- the command's side ---- */

struct letter;

struct view {
	struct status status; /* view_receive() fills it in */
	struct shared totals, slow, warnings, vassals;
	struct letter *letter; /* owned */
};

/* Of the server with this master.  Returns -1 with the reason. */
int view_init(struct view *, pid_t master, struct error *);
void view_fini(struct view *);
/* A socket to poll for reading, the caller's to close, and its ticket; or -1. */
int view_listen(uint64_t *ticket, struct error *);
/* What the master has sent there is seen from then on, until the next time.  1: it is, 0: nothing has
 * come from the master, -1 with the reason: it cannot be read. */
int view_receive(struct view *, int fd, struct error *);

#endif
