/* SPDX-License-Identifier: MIT */
/* fifo.h: a FIFO through which the master takes orders (master-fifo). */
#ifndef UWSGI_FIFO_H
#define UWSGI_FIFO_H

#include "base/carry.h"
#include "process/cause.h"
#include "wire/watch.h"

#include <uwsgi/plugin.h>

extern const struct option_table fifo_options;

enum fifo_order {
	FIFO_RELOAD,
	FIFO_CHAIN_RELOAD, /* one worker after the other, with lazy-apps */
	FIFO_STOP,         /* when what runs is answered */
	FIFO_STOP_NOW,     /* at once */
	FIFO_MORE,         /* one worker */
	FIFO_FEWER,
	FIFO_SLEEP, /* no worker, until a client connects */
	FIFO_PAUSE, /* no worker, until the next such order */
	FIFO_REOPEN_LOG,
	FIFO_ROTATE_LOG,
	FIFO_STATUS,    /* into the log */
	FIFO_PIDFILES,  /* uWSGI writes its pidfiles anew; here the pid never changes */
	FIFO_ELSEWHERE, /* of uWSGI, for what this server does not have */
};

struct fifo {
	struct ev_loop *loop;
	/* step() of the master is to follow. */
	void (*ordered)(void *data, enum fifo_order, const struct cause *);
	void *data;
	char *paths[10]; /* owned; the digit d chooses paths[d] */
	size_t count, active;
	struct watch watch; /* io.fd -1: closed */
};

void fifo_init(struct fifo *, struct ev_loop *);
/* The FIFOs of this configuration; NULL: none.  The one that is open stays so, if it is still named and
 * nobody has removed it; else one is made: the first, or that one.  What cannot be made, the log says. */
void fifo_use(struct fifo *, const struct config *);
/* For the program that takes this one's place; behind it, fifo_use() goes on with it. */
void fifo_carry(struct fifo *, struct carry *);
void fifo_enter_child(struct fifo *);
void fifo_fini(struct fifo *);

#endif
