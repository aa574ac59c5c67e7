/* SPDX-License-Identifier: MIT */
/* observe.h: what the master sees of its processes: do they keep the limits, and what to print. */
#ifndef UWSGI_OBSERVE_H
#define UWSGI_OBSERVE_H

#include "process/generation.h"

/* Whether workers have to be looked at at all, once a second. */
bool observe_is_needed(const struct generation *);
/* Looks at a worker's age, memory and running requests, as far as they are limited: whether it has
 * to go, and why.  Where it is to be killed and harakiri-verbose is set, logs where it is. */
enum limits_verdict observe_judge(const struct generation *, const struct slot *,
				  struct error *why);

/* A line for the generation, for each of its processes, and for each request that they run. */
void observe_print(const struct generation *);

#endif
