/* SPDX-License-Identifier: MIT */
/* cells.h: where the numbers of metrics are.  A metric that a reload defines as it was keeps its cell,
 * and so its value; another definition gets a cell of its own, while the old generation goes on with
 * the old one. */
#ifndef UWSGI_CELLS_H
#define UWSGI_CELLS_H

#include "base/metrics.h"
#include "process/outliving.h"

struct cell_use {
	uint64_t definition; /* 0: the cell is free */
	unsigned users;      /* generations */
};

/* The master's. */
struct cells {
	struct outliving *outliving;
	struct shared *memory; /* NULL: there was no metric yet */
	struct cell_use *use;  /* [count]; owned */
	size_t count;
};

/* Gives each metric its cell; new ones begin with their first value.  Aliases share that of the metric
 * that they name.  Returns -1 with the reason, and none is taken then. */
int cells_take(struct cells *, struct metrics *, struct error *);
void cells_give_back(struct cells *, struct metrics *);
/* To another program.  A cell that no generation takes there stays as it is: old processes write to it. */
void cells_carry(struct cells *, struct carry *);
void cells_fini(struct cells *);

#endif
