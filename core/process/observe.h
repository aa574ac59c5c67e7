/* SPDX-License-Identifier: MIT */
/* observe.h: what the master can see of its processes: for limit.c to judge, and for people. */
#ifndef UWSGI_OBSERVE_H
#define UWSGI_OBSERVE_H

#include "process/generation.h"

/* Whether workers have to be looked at at all, once a second. */
bool observe_is_needed(const struct generation *);
/* A worker's age, memory and running requests, as far as they are limited. */
void observe(const struct generation *, const struct slot *, struct observed *);
/* Where in the kernel it is: lines for harakiri-verbose. */
void observe_log(const struct slot *);

/* A line for each process. */
void observe_print(const struct generation *);

#endif
