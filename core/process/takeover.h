/* SPDX-License-Identifier: MIT */
/* takeover.h: a master whose program was upgraded executes the new one, in the same process: its children
 * stay, its sockets stay open, and the reload that brought this about follows.  The new program is asked
 * before, as a process of its own, whether it can go on with what it would find. */
#ifndef UWSGI_TAKEOVER_H
#define UWSGI_TAKEOVER_H

#include "process/program.h"
#include "process/state.h"

/* ---- the program that goes ---- */

struct takeover {
	struct state mine;
	long long patience_s; /* how long the new program may think: it imports nothing */
	struct program program;
	enum { TAKEOVER_NONE, TAKEOVER_ASKED, TAKEOVER_AGREED, TAKEOVER_REFUSED } state;
	pid_t asked;
	int answer; /* what it says; -1: nobody was asked */
	int64_t ask_until_ms;
	struct cause cause;
	struct error why; /* REFUSED */
};

enum takeover_news {
	TAKEOVER_QUIET,
	TAKEOVER_READY, /* takeover_execute() is due */
	TAKEOVER_OVER,  /* given up, which was said: this program reloads, because of `cause` */
};

void takeover_init(struct takeover *, const struct state *);
/* A reload is to begin.  True: the program has changed, and the new one is asked.  False: this one goes on. */
bool takeover_begin(struct takeover *, const struct cause *);
/* A child has ended.  False: it was not the one that was asked. */
bool takeover_ended(struct takeover *, const siginfo_t *);
/* *due_ms: when to call it again at the latest. */
enum takeover_news takeover_step(struct takeover *, int64_t now_ms, int64_t *due_ms);
/* Returns only when that fails, and says why. */
void takeover_execute(struct takeover *);
/* The server ends. */
void takeover_cancel(struct takeover *);
void takeover_enter_child(const struct takeover *);
void takeover_fini(struct takeover *);

/* ---- the program that comes ---- */

/* The descriptor of the state that this process is to go on with; -1: there is none, or the process was not
 * meant.  Takes it out of the environment. */
int takeover_descriptor(void);
/* What --check-takeover says when it can. */
#define TAKEOVER_YES "it can take over"

#endif
