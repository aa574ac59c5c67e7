/* SPDX-License-Identifier: MIT */
/* text.h: a string under construction. */
#ifndef UWSGI_TEXT_H
#define UWSGI_TEXT_H

#include "base/arena.h"
#include "base/carry.h"

/* Longer ones fail: values that name one another must not fill the memory. */
enum { TEXT_MAX = 1 << 20 };

struct text {
	char *p; /* not terminated */
	size_t n, capacity;
	bool failed; /* too long, or memory ran out: the string is not whole */
};

void text_add(struct text *, struct slice);
void text_addf(struct text *, const char *fmt, ...) UWSGI_PRINTF(2, 3);
/* What stands from there on, to another program, where the text is empty. */
void text_carry(struct text *, size_t from, struct carry *);
/* Frees the text and returns a terminated copy in the arena, or NULL when it failed. */
const char *text_take(struct text *, struct arena *);

#endif
