/* SPDX-License-Identifier: MIT */
/* totals.c: how the server's counters are read while they are moved. */
#include "work/totals.h"

#include <sched.h>

/* The master moves a few kilobytes, and waits for nothing meanwhile. */
enum { PATIENCE = 1000 };

void totals_begin_move(struct totals *t)
{
	atomic_fetch_add_explicit(&t->moving, 1, memory_order_acq_rel);
	atomic_thread_fence(memory_order_release);
}

void totals_end_move(struct totals *t)
{
	atomic_fetch_add_explicit(&t->moving, 1, memory_order_release);
}

unsigned totals_read(const struct totals *t)
{
	unsigned now = 0;

	for (int i = 0; i < PATIENCE; i++) {
		now = atomic_load_explicit(&t->moving, memory_order_acquire);
		if (now % 2 == 0)
			break;
		sched_yield();
	}
	return now;
}

bool totals_is_whole(const struct totals *t, unsigned before)
{
	atomic_thread_fence(memory_order_acquire);
	return before % 2 || atomic_load_explicit(&t->moving, memory_order_relaxed) == before;
}

/* Whole cache lines, as what lies behind wants it. */
static size_t slow_size(void)
{
	return (ring_memory_size(SLOW_KEPT, sizeof(struct slow_status)) + 63) / 64 * 64;
}

size_t slow_memory_size(void)
{
	return slow_size() + ring_memory_size(SPANS_KEPT, sizeof(struct span_status));
}

struct ring slow_ring(void *memory)
{
	return (struct ring){ memory, SLOW_KEPT, sizeof(struct slow_status) };
}

struct ring spans_ring(void *memory)
{
	return (struct ring){ memory ? (void *)((char *)memory + slow_size()) : NULL, SPANS_KEPT,
			      sizeof(struct span_status) };
}
