/* SPDX-License-Identifier: MIT */
/* scoreboard.h: what workers let the master see.  One shared mapping a generation: a lane writes its
 * own row with relaxed atomics, the master and services read, nobody locks. */
#ifndef UWSGI_SCOREBOARD_H
#define UWSGI_SCOREBOARD_H

#include "base/counts.h"
#include "base/shared.h"
#include "work/totals.h"

#include <stdatomic.h>

#define SCORE_METHOD 16
#define SCORE_URI 224

/* One lane's row, on cache lines of its own. */
struct lane_score {
	_Alignas(64) atomic_bool busy;
	_Atomic int64_t deadline_ms;     /* monotonic; the request must be done by then; 0: none */
	_Atomic int64_t began_ms;        /* monotonic */
	atomic_uint_fast64_t average_us; /* of a request: each counts as much as all before it */
	/* Of the running or last request, cut and NUL-terminated; for people to read, so a torn
	 * one does no harm. */
	char method[SCORE_METHOD], uri[SCORE_URI];
	struct counts counts;
};

/* One worker slot's row. */
struct slot_score {
	_Alignas(64) atomic_uint_fast64_t requests; /* of its present worker */
	atomic_int pid, worker;                     /* which one that is; pid 0: none */
	atomic_int stage;                           /* enum stage */
	_Atomic int64_t since_us;                   /* when the stage began */
	_Atomic int64_t serves_since;               /* seconds since 1970; 0: not yet */
	/* Bytes of its memory, as struct memory's, where nobody else can find them out; 0: others can. */
	atomic_uint_fast64_t address_space, resident, own, share;
};

/* The generation's row: the master's. */
struct board_score {
	_Alignas(64) atomic_int generation, workers;
	atomic_int wanted;        /* workers that are to run now, of these */
	atomic_bool paused;       /* none is, even if clients connect */
	atomic_int stage;         /* STAGE_GONE: nobody looks at it any more */
	_Atomic int64_t since_us; /* when the stage began */
	_Atomic int64_t import_ms;
};

struct scoreboard {
	size_t slots, lanes;
	struct totals *totals; /* NULL where it is only looked at */
	struct board_score *board;
	struct slot_score *slot; /* [slots] */
	struct lane_score *lane; /* [slots * lanes] */
	struct shared memory;    /* owned */
};

/* What one begins with. */
struct scoreboard_setup {
	struct totals *totals; /* borrowed */
	int generation, workers;
	size_t slots, lanes;
};

/* Returns -1 with the reason. */
int scoreboard_init(struct scoreboard *, const struct scoreboard_setup *, struct error *);
/* That of another program, behind its memory's `own`, which is this one's from now on; rehearsal: as
 * shared_take_over()'s. */
int scoreboard_take_over(struct scoreboard *, const struct scoreboard_setup *, int own,
			 bool rehearsal, struct error *);
void scoreboard_fini(struct scoreboard *);
struct lane_score *scoreboard_lane(const struct scoreboard *, size_t slot, size_t lane);
/* How many of the slot's lanes run a request. */
int scoreboard_busy(const struct scoreboard *, size_t slot);
/* In the master: the generation has come to this stage. */
void scoreboard_show(const struct scoreboard *, enum stage);
/* In a worker: it starts; it serves from now on. */
void scoreboard_enter(const struct scoreboard *, size_t slot, int worker);
void scoreboard_begin(const struct scoreboard *, size_t slot, int worker);
/* In the master: it is asked to leave, which it may hear only after its request. */
void scoreboard_leave(const struct scoreboard *, size_t slot);
/* Its process is gone: what it has done is this worker's and the server's. */
void scoreboard_retire(const struct scoreboard *, size_t slot, int worker);
/* A view of the mapping behind fd, which can only be read.  -1: not possible. */
int scoreboard_view(struct scoreboard *, int fd, size_t slots, size_t lanes);
/* For a new worker in this slot. */
void scoreboard_clear(const struct scoreboard *, size_t slot);

#endif
