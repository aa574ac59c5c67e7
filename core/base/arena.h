/* SPDX-License-Identifier: MIT */
/* arena.h: memory that is given back all at once.  One arena serves one request. */
#ifndef UWSGI_ARENA_H
#define UWSGI_ARENA_H

#include <uwsgi/plugin.h>

struct arena_block;

struct arena {
	struct arena_block *first, *current; /* first is kept over a reset */
	char *at, *end;                      /* what is free of current */
	bool failed;                         /* an allocation returned NULL since the last reset */
};

void arena_init(struct arena *);
void arena_fini(struct arena *);
/* Aligned for any object; NULL when memory is out.  Valid until the reset. */
void *arena_alloc(struct arena *, size_t n);
/* A copy; {NULL, 0} when memory is out. */
struct slice arena_copy(struct arena *, struct slice);
/* A copy that ends with a NUL; NULL when memory is out. */
char *arena_string(struct arena *, const char *text, size_t n);
/* Takes back everything that was given out. */
void arena_reset(struct arena *);

#endif
