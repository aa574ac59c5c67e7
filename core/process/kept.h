/* SPDX-License-Identifier: MIT */
/* kept.h: one process that the master keeps running: forked again, with growing delay, when it ends
 * unasked, and anew when what it is made of changes.  A roster decides when. */
#ifndef UWSGI_KEPT_H
#define UWSGI_KEPT_H

#include "process/roster.h"

#include <signal.h>

struct kept;

/* What such a process is.  The slot is its own: one of the roster's two. */
struct kept_kind {
	/* Its pid, or -1 with the reason.  It may give the slot another name. */
	pid_t (*fork)(struct kept *, struct slot *, struct error *);
	void (*ask)(struct kept *, const struct slot *); /* to leave */
	void (*kill)(struct kept *, const struct slot *);
	/* It has ended, and is not reaped yet; leaving: as it was to. */
	void (*ended)(struct kept *, struct slot *, bool leaving);
	bool is_ready; /* with its fork; else whoever hears of it says roster_ready() */
};

struct kept {
	const struct kept_kind *kind;
	const char *name; /* "stats": what its slots are called until fork() says otherwise */
	int64_t mercy_ms; /* how long it may take to leave */
	int64_t start_ms; /* … and to be ready */
	int64_t longest_delay_ms; /* 0: as the roster has it */
	int64_t own_delay_ms;     /* set by ended(): the delay of the next start; 0: the roster's */
	bool once;                /* when it ends unasked, the server is to end with it */
	/* A number for what it is made of; 0: it is not wanted, or it does not run. */
	uint64_t wanted, running;
	struct roster roster; /* as long as `running` says so */
};

/* Does what is due, and says in *due_ms if something is due earlier than that. */
void kept_step(struct kept *, int64_t now_ms, int64_t *due_ms);
/* The process with this pid; NULL: it is another one's. */
struct slot *kept_find(const struct kept *, pid_t);
/* It has ended.  True: though nobody had asked it to, and the log says so. */
bool kept_ended(struct kept *, struct slot *, const siginfo_t *, int64_t now_ms);
/* To another program, of one with the same kind and settings there. */
void kept_carry(struct kept *, struct carry *);
/* A process that is to leave gets no more time. */
void kept_hurry(struct kept *, int64_t now_ms);

#endif
