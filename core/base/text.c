/* SPDX-License-Identifier: MIT */
/* text.c: a string that grows at its end and keeps its first failure.  The expansion of values
 * and the help build with it.  Zeroed is empty. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add(struct text *t, struct slice s)
{
	if (t->failed || s.n == 0)
		return;
	if (s.n > TEXT_MAX - t->n) {
		t->failed = true;
		return;
	}
	if (s.n > t->capacity - t->n) {
		size_t wanted = t->capacity ? t->capacity : 64;

		while (wanted - t->n < s.n)
			wanted *= 2;
		char *grown = realloc(t->p, wanted);
		if (!grown) {
			t->failed = true;
			return;
		}
		t->p = grown;
		t->capacity = wanted;
	}
	memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
}

void text_addf(struct text *t, const char *fmt, ...)
{
	char *said;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&said, fmt, ap);
	va_end(ap);
	if (n < 0) {
		t->failed = true;
		return;
	}
	text_add(t, (struct slice){ said, (size_t)n });
	free(said);
}

const char *text_take(struct text *t, struct arena *a)
{
	struct slice whole = { 0 };

	text_add(t, (struct slice){ "", 1 });
	if (!t->failed)
		whole = arena_copy(a, (struct slice){ t->p, t->n });
	free(t->p);
	*t = (struct text){ 0 };
	return whole.p;
}

void text_carry(struct text *t, size_t from, struct carry *c)
{
	char *p = c->reading || !t->p ? NULL : t->p + from;
	size_t n = p ? t->n - from : 0;

	carry_bytes(c, &p, &n, TEXT_MAX);
	if (c->reading)
		*t = (struct text){ .p = p, .n = n, .capacity = n };
}
