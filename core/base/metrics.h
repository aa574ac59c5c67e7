/* SPDX-License-Identifier: MIT */
/* metrics.h: the metrics of one generation: what they are called, and where their numbers are. */
#ifndef UWSGI_METRICS_H
#define UWSGI_METRICS_H

#include "base/arena.h"

#include <stdatomic.h>

/* One number, in memory that all processes share.  It has a cache line of its own, so that workers
 * that count different things do not slow one another down. */
struct metric_cell {
	_Alignas(64) _Atomic int64_t value;
};

struct metrics {
	struct arena arena;   /* names */
	struct metric *items; /* in the order of their definition; owned */
	size_t count, room;
	uint32_t *index;   /* by hash of the name: where in items, + 1; 0: free; owned */
	size_t index_size; /* a power of 2; 0: not made yet */
	bool failed;       /* memory was out */
};

void metrics_init(struct metrics *);
void metrics_fini(struct metrics *);
/* When all are defined: from now on they are found by name.  -1: out of memory. */
int metrics_settle(struct metrics *, struct error *);
/* A number for all that this one is: what has another one does not go on with its value. */
uint64_t metrics_definition(const struct metric *);
/* The same for all together; 0: there are none. */
uint64_t metrics_definitions(const struct metrics *);

#endif
