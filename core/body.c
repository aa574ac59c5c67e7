/* SPDX-License-Identifier: MIT */
/* body.c: stores the bytes of a request body as they come.  The request feeds it, the
 * application reads it through a view.  The file has no name, so nothing is left behind by a
 * process that dies. */
#include "body.h"

#include "tempfile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char what[] = "the request body";

/* A larger buffer is not kept for the next request. */
#define KEPT_CAPACITY 65536u

void body_init(struct body *b)
{
	*b = (struct body){ .fd = -1 };
}

void body_fini(struct body *b)
{
	if (b->fd >= 0)
		close(b->fd);
	free(b->memory);
	body_init(b);
}

void body_reset(struct body *b)
{
	if (b->capacity > KEPT_CAPACITY) {
		body_fini(b);
		return;
	}
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	b->length = 0;
}

static int to_memory(struct body *b, struct slice s, struct error *e)
{
	size_t used = (size_t)b->length;

	if (s.n > b->capacity - used) {
		size_t wanted = b->capacity ? b->capacity : 4096;

		while (wanted - used < s.n)
			wanted *= 2; /* bounded by twice the limit, which fits */
		char *grown = realloc(b->memory, wanted);
		if (!grown)
			return uwsgi_error_set(e, "out of memory for the request body");
		b->memory = grown;
		b->capacity = wanted;
	}
	memcpy(b->memory + used, s.p, s.n);
	return 0;
}

int body_add(struct body *b, struct slice s, int64_t in_memory, struct error *e)
{
	if (s.n == 0)
		return 0;
	if (b->fd < 0 && b->length + (int64_t)s.n <= in_memory) {
		if (to_memory(b, s, e))
			return -1;
	} else {
		if (b->fd < 0) {
			b->fd = tempfile_open(what, e);
			if (b->fd < 0)
				return -1;
			if (tempfile_write(b->fd, (struct slice){ b->memory, (size_t)b->length },
					   what, e))
				return -1;
		}
		if (tempfile_write(b->fd, s, what, e))
			return -1;
	}
	b->length += (int64_t)s.n;
	return 0;
}
