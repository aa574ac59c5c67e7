/* SPDX-License-Identifier: MIT */
/* totals.h: what the server has done since it started, whichever generations and processes did it.  It
 * lies in memory that outlives them. */
#ifndef UWSGI_TOTALS_H
#define UWSGI_TOTALS_H

#include "base/ring.h"
#include "base/seldom.h"

#include <uwsgi/plugin.h>
#include <stdatomic.h>

/* The most that `processes` may be: a worker's row is found by its number in every generation.  Rows
 * that nobody uses take no memory. */
enum { WORKERS_MAX = 4096 };

/* One worker's row: what its processes that are gone have done, and how many it had. */
struct worker_score {
	_Alignas(64) atomic_uint_fast64_t requests;
	atomic_uint_fast64_t failed, sent, running_us;
	atomic_uint spawns, harakiri;
	_Atomic int64_t since; /* as struct slot_score's, of the last one */
};

struct totals {
	/* Lanes and gateways write these two. */
	atomic_uint_fast64_t requests;
	struct seldom untrusted; /* as struct trust's */
	/* The master writes the rest, but for spawns and since of workers. */
	_Alignas(64) _Atomic int64_t started_us;
	atomic_int generation; /* that serves, or the first one before it does */
	atomic_uint reloads, failed_reloads;
	/* When the master last said that it lives, by clock_monotonic_ms(): each second while there
	 * are services; 0: not yet. */
	_Atomic int64_t beat_ms;
	/* Odd while what a process has done moves from the scoreboard to here: who reads both wants
	 * the same even number before and after. */
	atomic_uint moving;
	struct counts gone; /* of all processes that are gone */
	struct worker_score worker[WORKERS_MAX];
};

void totals_begin_move(struct totals *);
void totals_end_move(struct totals *);
/* Before reading; what it returns is for totals_is_whole() afterwards.  It waits a little, at most. */
unsigned totals_read(const struct totals *);
bool totals_is_whole(const struct totals *, unsigned before);

/* The last slow requests, and behind them those that are recorded as spans, in memory that outlives
 * generations, too. */
enum { SLOW_KEPT = 32, SPANS_KEPT = 2048 };
size_t slow_memory_size(void);
struct ring slow_ring(void *memory);
struct ring spans_ring(void *memory);

#endif
