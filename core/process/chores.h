/* SPDX-License-Identifier: MIT */
/* chores.h: what the master does beside keeping processes: it runs commands by the clock and for files
 * that are touched, reloads for others, and takes orders from FIFOs. */
#ifndef UWSGI_CHORES_H
#define UWSGI_CHORES_H

#include "process/crons.h"
#include "process/fifo.h"
#include "process/jobs.h"
#include "process/succession.h"
#include "process/touch.h"

extern const struct option_table chores_options;

struct chores {
	struct jobs jobs;
	struct crons crons;
	struct fifo fifo;
	struct touch reload, chain, exec, hook;
	struct succession *succession;
	/* The server is to stop; what has changed is to be done. */
	void (*stop)(void *data, const struct cause *, bool now);
	void (*print)(void *data); /* what runs, into the log */
	void (*wake)(void *data);
	void *data;
};

/* jobs.fork and what follows on the touches are to be set before. */
void chores_init(struct chores *, struct ev_loop *, struct ring crons);
/* This configuration is in force; NULL: none any more, and nothing begins. */
void chores_use(struct chores *, const struct config *);
/* Does what is due; when to call it again, 0: when something has happened. */
int64_t chores_step(struct chores *, int64_t now_ms);
/* A child has ended and is not reaped yet.  False: it was none of these. */
bool chores_ended(struct chores *, const siginfo_t *, int64_t now_ms);
/* For the program that takes this one's place; behind it comes chores_use(). */
void chores_carry(struct chores *, struct carry *);
void chores_enter_child(struct chores *);
void chores_fini(struct chores *);

#endif
