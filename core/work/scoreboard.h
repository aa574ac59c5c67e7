/* SPDX-License-Identifier: MIT */
/* scoreboard.h: what workers let the master see.  One anonymous shared mapping a generation: a
 * lane writes its own row with relaxed atomics, the master and services read, nobody locks. */
#ifndef UWSGI_SCOREBOARD_H
#define UWSGI_SCOREBOARD_H

#include "base/seldom.h"

#include <uwsgi/plugin.h>
#include <stdatomic.h>

#define SCORE_METHOD 16
#define SCORE_URI 224

/* One lane's row, on cache lines of its own. */
struct lane_score {
	_Alignas(64) atomic_bool busy;
	_Atomic int64_t deadline_ms; /* monotonic; the request must be done by then; 0: none */
	_Atomic int64_t began_ms;    /* monotonic */
	atomic_uint_fast64_t requests;
	atomic_uint_fast64_t failed, unsent; /* by the application; to the client */
	atomic_uint_fast64_t sent;           /* bytes of heads and bodies */
	atomic_uint_fast64_t running_us;     /* all requests together */
	atomic_uint_fast64_t average_us;     /* each counts as much as all before it */
	/* Of the running or last request, cut and NUL-terminated; for people to read, so a torn
	 * one does no harm. */
	char method[SCORE_METHOD], uri[SCORE_URI];
};

/* One worker slot's row. */
struct slot_score {
	_Alignas(64) atomic_uint_fast64_t requests; /* of its present worker */
	atomic_int pid, worker;                     /* which one that is; pid 0: none serves */
	_Atomic int64_t since;                      /* it serves, in seconds since 1970 */
};

/* One worker's row: what its processes that are gone have done, and how many it had. */
struct worker_score {
	_Alignas(64) atomic_uint_fast64_t requests;
	atomic_uint_fast64_t failed, sent, running_us;
	atomic_uint spawns, harakiri;
	_Atomic int64_t since; /* as struct slot_score's, of the last one */
};

/* Counters that outlive a generation. */
struct tally {
	atomic_uint_fast64_t requests;
	struct seldom untrusted; /* as struct trust's */
};

struct scoreboard {
	size_t slots, lanes;
	struct slot_score *slot;     /* [slots] */
	struct worker_score *worker; /* [slots]: there are no more workers than slots */
	struct lane_score *lane;     /* [slots * lanes] */
	size_t mapped;
	int fd; /* of the mapping: for a process that was forked before it was made; -1: none */
};

/* Returns -1 with the reason. */
int scoreboard_init(struct scoreboard *, size_t slots, size_t lanes, struct error *);
void scoreboard_fini(struct scoreboard *);
struct lane_score *scoreboard_lane(const struct scoreboard *, size_t slot, size_t lane);
/* In a worker: it serves from now on. */
void scoreboard_begin(const struct scoreboard *, size_t slot, int worker);
/* Its process is gone: what it has done is its worker's. */
void scoreboard_retire(const struct scoreboard *, size_t slot);
/* A view of the mapping behind fd, which can only be read.  -1: not possible. */
int scoreboard_view(struct scoreboard *, int fd, size_t slots, size_t lanes);
/* For a new worker in this slot. */
void scoreboard_clear(const struct scoreboard *, size_t slot);

struct tally *tally_new(struct error *);
void tally_free(struct tally *);

#endif
