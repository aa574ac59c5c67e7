/* SPDX-License-Identifier: MIT */
/* compressor.c: the body of one answer, as gzip (RFC 1952) has it. */
#include "gzip.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { FILE_STEP = 16384 };

struct compressor {
	z_stream z;
	unsigned char out[UWSGI_COPY_MAX]; /* what has come of it and not gone on */
	bool holds;                        /* bytes were written since the last flush */
	bool broken;                       /* a file was shorter than it was said to be */
};

static void empty(struct compressor *c)
{
	c->z.next_out = c->out;
	c->z.avail_out = sizeof c->out;
}

struct compressor *compressor_new(int level)
{
	/* 32 KiB of window, and a gzip header. */
	enum { WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8 };
	struct compressor *c = calloc(1, sizeof *c);

	if (c && deflateInit2(&c->z, level, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
			      Z_DEFAULT_STRATEGY) != Z_OK) {
		free(c);
		return NULL;
	}
	if (c)
		empty(c);
	return c;
}

void compressor_free(struct compressor *c)
{
	if (!c)
		return;
	deflateEnd(&c->z);
	free(c);
}

void compressor_reset(struct compressor *c)
{
	deflateReset(&c->z);
	empty(c);
	c->holds = c->broken = false;
}

static void pass_on(struct compressor *c, struct next *next)
{
	uwsgi_next_bytes(next,
			 (struct slice){ (const char *)c->out, sizeof c->out - c->z.avail_out });
	empty(c);
}

/* Until zlib has taken the bytes and, with a flush, given all that comes of them. */
static void deflate_to(struct compressor *c, struct next *next, struct slice bytes, int flush)
{
	c->z.next_in = (unsigned char *)(uintptr_t)bytes.p;
	c->z.avail_in = (uInt)bytes.n;
	do {
		if (c->z.avail_out == 0)
			pass_on(c, next);
		deflate(&c->z, flush);
	} while (c->z.avail_out == 0);
	if (flush != Z_NO_FLUSH)
		pass_on(c, next);
}

static void write_bytes(struct compressor *c, struct next *next, struct slice bytes)
{
	enum { MOST = 1 << 30 }; /* zlib counts in unsigned int */

	while (bytes.n > 0) {
		size_t n = bytes.n < MOST ? bytes.n : MOST;

		deflate_to(c, next, (struct slice){ bytes.p, n }, Z_NO_FLUSH);
		bytes.p += n;
		bytes.n -= n;
	}
}

static void write_file(struct compressor *c, struct next *next, const struct piece *piece)
{
	char bytes[FILE_STEP];
	int64_t at = 0;

	while (at < piece->length && !c->broken) {
		int64_t left = piece->length - at;
		ssize_t n = pread(piece->fd, bytes, left < FILE_STEP ? (size_t)left : FILE_STEP,
				  piece->at + at);

		if (n > 0)
			write_bytes(c, next, (struct slice){ bytes, (size_t)n });
		else
			c->broken = true;
		at += n;
	}
}

void compressor_write(struct compressor *c, struct next *next, const struct piece *piece)
{
	c->holds = true;
	if (piece->fd < 0)
		write_bytes(c, next, piece->bytes);
	else
		write_file(c, next, piece);
}

void compressor_flush(struct compressor *c, struct next *next)
{
	if (c->holds)
		deflate_to(c, next, SLICE(""), Z_SYNC_FLUSH);
	c->holds = false;
}

void compressor_finish(struct compressor *c, struct next *next)
{
	if (!c->broken)
		deflate_to(c, next, SLICE(""), Z_FINISH);
}
