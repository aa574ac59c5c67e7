/* SPDX-License-Identifier: MIT */
/* spool.c: writes behind what the file has already; when all of that is sent it begins again. */
#include "exchange/spool.h"

#include "base/tempfile.h"

#include <unistd.h>

static const char what[] = "an answer";

void spool_init(struct spool *s)
{
	*s = (struct spool){ .fd = -1 };
}

void spool_close(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	spool_init(s);
}

static int begin(struct spool *s, struct error *e)
{
	s->fd = tempfile_open(what, e);
	s->in_memory = s->fd >= 0 && tempfile_is_memory(s->fd);
	return s->fd < 0 ? -1 : 0;
}

/* Gives the disk back. */
static void begin_again(struct spool *s)
{
	if (s->length > 0 && ftruncate(s->fd, 0) == 0)
		s->length = 0;
}

static int64_t size_of(const struct iovec *v, size_t n)
{
	int64_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += (int64_t)v[i].iov_len;
	return size;
}

/* The memory from segment `first` to the next file or the end. */
static enum spooled take_stretch(struct spool *s, struct sendbuf *out, size_t first, int64_t most,
				 struct error *e)
{
	struct iovec v[64];
	size_t i = first, n;
	int64_t end = s->length;

	while ((n = sendbuf_pieces(out, &i, v, sizeof v / sizeof *v)) > 0) {
		int64_t size = size_of(v, n);

		if (end + size > most)
			return SPOOL_FULL;
		if (tempfile_write_at(s->fd, v, (int)n, end, what, e))
			return SPOOL_FAILED;
		end += size;
	}
	sendbuf_moved(out, first, i, s->fd, s->length);
	s->length = end;
	return SPOOL_DONE;
}

enum spooled spool_take(struct spool *s, struct sendbuf *out, int64_t keep, int64_t most,
			struct error *e)
{
	enum spooled done = SPOOL_DONE;
	size_t first = sendbuf_movable(out, keep, s->fd);

	if (first == out->count)
		return SPOOL_DONE;
	if (most == 0)
		return SPOOL_FULL;
	if (s->fd < 0 && begin(s, e))
		return SPOOL_FAILED;
	if (!sendbuf_has_file(out))
		begin_again(s);
	for (; done == SPOOL_DONE && first < out->count; first = sendbuf_movable(out, keep, s->fd))
		done = take_stretch(s, out, first, most, e);
	return done;
}
