/* SPDX-License-Identifier: MIT */
/* ring.h: the last entries of something in shared memory.  Any process writes, without a lock; one that
 * dies in the middle spoils that entry alone. */
#ifndef UWSGI_RING_H
#define UWSGI_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_memory;

/* Each process has its own; what others may have spoilt is not relied on. */
struct ring {
	struct ring_memory *memory; /* NULL: nothing is kept */
	size_t count, size;         /* entries, and bytes of each: a multiple of 8 */
};

/* Bytes that it takes, zeroed at first. */
size_t ring_memory_size(size_t count, size_t size);
/* Returns the entry's number. */
uint64_t ring_write(const struct ring *, const void *entry);
/* Writes that one again, if it is still there. */
void ring_rewrite(const struct ring *, uint64_t number, const void *entry);
bool ring_read(const struct ring *, uint64_t number, void *entry);
/* The number that the next entry will have. */
uint64_t ring_end(const struct ring *);
/* The next one that is there, the last one first; *i begins as 0.  False: there are no more. */
bool ring_next(const struct ring *, size_t *i, void *entry);

#endif
