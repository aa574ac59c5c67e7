/* SPDX-License-Identifier: MIT */
/* relay.h: orders of services on their way through the master to a worker. */
#ifndef UWSGI_RELAY_H
#define UWSGI_RELAY_H

#include "process/succession.h"

/* Zeroed at first. */
struct relay {
	int64_t second; /* the one in which it counts */
	int orders;
};

/* Passes an order on, and a copy of the descriptor for its answer.  What is no proper order, comes too
 * often, or is for nobody who serves, is dropped: whoever waits for the answer sees its end. */
void relay_order(struct relay *, const struct succession *, const struct message *, int fd);

#endif
