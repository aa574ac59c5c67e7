/* SPDX-License-Identifier: MIT */
/* ring.c: each entry has a version, odd while it is written, which says its number, too: who reads an
 * entry takes it for whole when the version is the expected one before and after. */
#include "base/ring.h"

struct ring_memory {
	_Alignas(64) atomic_uint_fast64_t next;
	_Alignas(64) uint64_t words[];
};

struct slot {
	atomic_uint_fast64_t version;
	uint64_t words[];
};

static size_t slot_size(size_t size)
{
	return sizeof(struct slot) + size;
}

size_t ring_memory_size(size_t count, size_t size)
{
	return sizeof(struct ring_memory) + count * slot_size(size);
}

static struct slot *slot_of(const struct ring *r, uint64_t number)
{
	return (struct slot *)((char *)r->memory->words + number % r->count * slot_size(r->size));
}

static uint64_t version_of(uint64_t number)
{
	return 2 * number + 2;
}

static void fill(const struct ring *r, uint64_t number, const void *entry)
{
	struct slot *slot = slot_of(r, number);
	const uint64_t *words = entry;

	atomic_store_explicit(&slot->version, version_of(number) - 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < r->size / sizeof *words; i++)
		__atomic_store_n(&slot->words[i], words[i], __ATOMIC_RELAXED);
	atomic_store_explicit(&slot->version, version_of(number), memory_order_release);
}

uint64_t ring_write(const struct ring *r, const void *entry)
{
	if (!r->memory)
		return 0;
	uint64_t number = atomic_fetch_add_explicit(&r->memory->next, 1, memory_order_relaxed);

	fill(r, number, entry);
	return number;
}

void ring_rewrite(const struct ring *r, uint64_t number, const void *entry)
{
	if (r->memory && atomic_load_explicit(&slot_of(r, number)->version, memory_order_relaxed) ==
				 version_of(number))
		fill(r, number, entry);
}

bool ring_read(const struct ring *r, uint64_t number, void *entry)
{
	if (!r->memory)
		return false;
	struct slot *slot = slot_of(r, number);
	uint64_t *words = entry;

	if (atomic_load_explicit(&slot->version, memory_order_acquire) != version_of(number))
		return false;
	for (size_t i = 0; i < r->size / sizeof *words; i++)
		words[i] = __atomic_load_n(&slot->words[i], __ATOMIC_RELAXED);
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&slot->version, memory_order_relaxed) == version_of(number);
}

uint64_t ring_end(const struct ring *r)
{
	return r->memory ? atomic_load_explicit(&r->memory->next, memory_order_acquire) : 0;
}

bool ring_next(const struct ring *r, size_t *i, void *entry)
{
	uint64_t next = ring_end(r);

	while (*i < r->count && *i < next)
		if (ring_read(r, next - ++*i, entry))
			return true;
	return false;
}
