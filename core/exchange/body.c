/* SPDX-License-Identifier: MIT */
/* body.c: stores the bytes of a request body as they come.  The request feeds it, the
 * application reads it through a view.  The file has no name, so nothing is left behind by a
 * process that dies.  Small pieces are gathered in memory: a peer that sends single bytes must not
 * cost a system call for each. */
#include "exchange/body.h"

#include "base/tempfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char what[] = "the request body";

enum {
	KEPT_CAPACITY = 65536,  /* a larger buffer is not kept for the next request */
	GATHER_CAPACITY = 16384 /* the least that is gathered for a write */
};

void body_init(struct body *b)
{
	*b = (struct body){ .fd = -1 };
}

void body_discard(struct body *b)
{
	int64_t length = b->length;

	if (b->fd >= 0)
		close(b->fd);
	free(b->memory);
	*b = (struct body){ .fd = -1, .length = length };
}

void body_fini(struct body *b)
{
	body_discard(b);
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
	b->length = b->stored = 0;
}

static enum stored write_all(struct body *b, struct slice s, struct error *e)
{
	struct iovec piece = { (void *)(uintptr_t)s.p, s.n };

	if (tempfile_write_at(b->fd, &piece, 1, b->stored, what, e))
		return errno == ENOSPC || errno == EDQUOT ? BODY_NO_ROOM : BODY_FAILED;
	b->stored += (int64_t)s.n;
	return BODY_STORED;
}

static enum stored resize(struct body *b, size_t capacity, struct error *e)
{
	char *resized = realloc(b->memory, capacity);

	if (!resized) {
		uwsgi_error_set(e, "out of memory for the request body");
		return BODY_FAILED;
	}
	b->memory = resized;
	b->capacity = capacity;
	return BODY_STORED;
}

/* What is in memory: all of the body, or what the file does not have yet. */
static size_t held(const struct body *b)
{
	return (size_t)(b->length - b->stored);
}

static void hold(struct body *b, struct slice s)
{
	memcpy(b->memory + held(b), s.p, s.n);
	b->length += (int64_t)s.n;
}

static enum stored to_memory(struct body *b, struct slice s, struct error *e)
{
	size_t used = held(b), wanted = b->capacity ? b->capacity : 4096;

	while (wanted - used < s.n)
		wanted *= 2; /* bounded by twice the limit, which fits */
	if (wanted > b->capacity && resize(b, wanted, e))
		return BODY_FAILED;
	hold(b, s);
	return BODY_STORED;
}

/* From now on memory only gathers. */
static enum stored move_to_file(struct body *b, struct error *e)
{
	b->fd = tempfile_open(what, e);
	if (b->fd < 0)
		return errno == ENOSPC ? BODY_NO_ROOM : BODY_FAILED;
	enum stored stored = body_finish(b, e);

	if (stored)
		return stored;
	if (b->capacity < GATHER_CAPACITY)
		return resize(b, GATHER_CAPACITY, e);
	return b->capacity > KEPT_CAPACITY ? resize(b, KEPT_CAPACITY, e) : BODY_STORED;
}

static enum stored to_file(struct body *b, struct slice s, struct error *e)
{
	enum stored stored;

	if (s.n <= b->capacity - held(b)) {
		hold(b, s);
		return BODY_STORED;
	}
	stored = body_finish(b, e);
	if (stored)
		return stored;
	if (s.n <= b->capacity) {
		hold(b, s);
		return BODY_STORED;
	}
	stored = write_all(b, s, e);
	b->length = b->stored;
	return stored;
}

enum stored body_add(struct body *b, struct slice s, int64_t in_memory, struct error *e)
{
	if (s.n == 0)
		return BODY_STORED;
	if (b->fd < 0 && b->length + (int64_t)s.n <= in_memory)
		return to_memory(b, s, e);
	if (b->fd < 0) {
		enum stored stored = move_to_file(b, e);

		if (stored)
			return stored;
	}
	return to_file(b, s, e);
}

void body_adopt(struct body *b, int fd, int64_t length)
{
	b->fd = fd;
	b->length = b->stored = length;
}

enum stored body_finish(struct body *b, struct error *e)
{
	if (b->fd < 0 || held(b) == 0)
		return BODY_STORED;
	return write_all(b, (struct slice){ b->memory, held(b) }, e);
}
