/* SPDX-License-Identifier: MIT */
/* rolling.h: the workers of a generation are replaced one after the other, each when the one before it
 * serves (touch-chain-reload with lazy-apps): what each imports is new, and the others serve on. */
#ifndef UWSGI_ROLLING_H
#define UWSGI_ROLLING_H

#include "process/slot.h"

#include <stddef.h>

struct generation;

struct rolling {
	int place;     /* 1..: where the worker is being replaced; 0: nowhere */
	pid_t old;     /* who serves there until the new one does; 0: it is not chosen yet */
	int done;      /* places that have a new one */
	bool again;    /* it was asked for once more meanwhile */
	bool ended;    /* not told yet */
	char why[512]; /* it was given up; "": it was not */
};

/* In a generation that serves.  Once more while it goes on: it begins anew when it is done. */
void rolling_begin(struct generation *);
void rolling_step(struct generation *);
/* A worker in this place has to import the application, or to end with the reason. */
bool rolling_is_at(const struct generation *, const struct slot *);
/* A worker said why it ends. */
void rolling_hear(struct generation *, const struct slot *, const char *why);
/* It has ended.  True: it should have replaced another one, which stays; all others do, too. */
bool rolling_lost(struct generation *, const struct slot *, const char *end);

#endif
