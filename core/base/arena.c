/* SPDX-License-Identifier: MIT */
/* arena.c: a chain of blocks from which memory is cut in order.  The first block is made at
 * the first use and kept, so that a request that fits into it costs no malloc. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 8192u
#define ALIGN 16u

struct arena_block {
	struct arena_block *next;
	size_t size; /* of data */
	_Alignas(ALIGN) char data[];
};

void arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

static void use_block(struct arena *a, struct arena_block *b)
{
	a->current = b;
	a->at = b->data;
	a->end = b->data + b->size;
}

static void free_after(struct arena_block *b)
{
	while (b) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
}

void arena_fini(struct arena *a)
{
	free_after(a->first);
	*a = (struct arena){ 0 };
}

void arena_reset(struct arena *a)
{
	a->failed = false;
	if (!a->first)
		return;
	free_after(a->first->next);
	a->first->next = NULL;
	if (a->first->size > BLOCK_SIZE) {
		arena_fini(a);
		return;
	}
	use_block(a, a->first);
}

static bool add_block(struct arena *a, size_t need)
{
	size_t size = need > BLOCK_SIZE ? need : BLOCK_SIZE;

	if (size > SIZE_MAX - sizeof(struct arena_block))
		return false;
	struct arena_block *b = malloc(sizeof *b + size);
	if (!b)
		return false;
	b->next = NULL;
	b->size = size;
	if (a->current)
		a->current->next = b;
	else
		a->first = b;
	use_block(a, b);
	return true;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n > SIZE_MAX - ALIGN) {
		a->failed = true;
		return NULL;
	}
	size_t need = (n + (n == 0) + ALIGN - 1) & ~(size_t)(ALIGN - 1);

	if ((size_t)(a->end - a->at) < need && !add_block(a, need)) {
		a->failed = true;
		return NULL;
	}
	void *p = a->at;
	a->at += need;
	return p;
}

struct slice arena_copy(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.n);

	if (!p)
		return (struct slice){ 0 };
	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct slice){ p, s.n };
}

char *arena_string(struct arena *a, const char *text, size_t n)
{
	char *p = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

	if (!p)
		return NULL;
	if (n)
		memcpy(p, text, n);
	p[n] = '\0';
	return p;
}
