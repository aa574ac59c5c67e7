/* SPDX-License-Identifier: MIT */
/* strike.h: what becomes of a request that has run for too long. */
#ifndef UWSGI_STRIKE_H
#define UWSGI_STRIKE_H

#include "work/lane.h"

/* What the watchdog of a worker strikes with. */
struct striker {
	const struct lane_setup *setup;
	int channel; /* to the master */
	int slot;
	struct exchange_pool pool; /* for answers of its own */
	char stack[16384];
};

void striker_init(struct striker *, const struct lane_setup *, int channel, int slot);
/* "worker 3 (pid 71), thread 2". */
#define STRIKE_WHO 64
void striker_name(const struct striker *, const struct lane *, char who[STRIKE_WHO]);
/* "GET /path", as nobody can forge a line with it; there is room behind it.  Its length. */
#define STRIKE_WHAT 2048
size_t strike_tell(struct slice method, struct slice uri, char what[STRIKE_WHAT]);
/* The lane's deadline, which was at_ms, is struck: answers its client, counts the request, gives it
 * back, has the worker replaced, and says all that in the log. */
void strike(struct striker *, struct lane *, int64_t at_ms);

#endif
