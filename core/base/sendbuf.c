/* SPDX-License-Identifier: MIT */
/* sendbuf.c: a queue of bytes on their way to the peer.  Protocols and responses write to it, the
 * connection sends from its front.  Copied bytes lie in one buffer that starts again whenever
 * the queue is empty, so that a response that fits costs no malloc.  A long response to a slow peer
 * may never let it get empty: before memory grows, what was sent makes room. */
#include "base/sendbuf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A segment of copied bytes stays or moves whole: this is about the most that one has. */
enum { COPIED_PIECE = 65536 };

void sendbuf_init(struct sendbuf *o)
{
	*o = (struct sendbuf){ 0 };
}

void sendbuf_fini(struct sendbuf *o)
{
	free(o->segments);
	free(o->copied);
	free(o->done);
	*o = (struct sendbuf){ 0 };
}

/* Makes room for one more element; the array doubles. */
static bool reserve(struct sendbuf *o, void **array, size_t *capacity, size_t count, size_t size)
{
	if (count < *capacity)
		return true;
	size_t wanted = *capacity ? *capacity * 2 : 8;
	void *grown = reallocarray(*array, wanted, size);

	if (!grown) {
		o->failed = true;
		return false;
	}
	*array = grown;
	*capacity = wanted;
	return true;
}

/* Moves segments to the front when more of them were sent than were not. */
static void compact_segments(struct sendbuf *o)
{
	if (o->count < o->capacity || o->first <= o->count / 2)
		return;
	o->count -= o->first;
	memmove(o->segments, o->segments + o->first, o->count * sizeof *o->segments);
	o->first = 0;
}

static struct sendbuf_segment *add_segment(struct sendbuf *o)
{
	compact_segments(o);
	if (!reserve(o, (void **)&o->segments, &o->capacity, o->count, sizeof *o->segments))
		return NULL;
	struct sendbuf_segment *s = &o->segments[o->count++];
	*s = (struct sendbuf_segment){ .fd = -1 };
	return s;
}

static void give_back(struct sendbuf *o, void *owner)
{
	if (reserve(o, (void **)&o->done, &o->done_capacity, o->done_count, sizeof *o->done))
		o->done[o->done_count++] = owner;
}

/* An owner keeps all that it has lent until the last of it is sent. */
static void let_go(struct sendbuf *o, const struct sendbuf_segment *s)
{
	if (s->p)
		o->behind += s->at;
	if (!s->owner)
		return;
	give_back(o, s->owner);
	o->lent -= o->behind;
	o->behind = 0;
}

static bool is_copied(const struct sendbuf_segment *s)
{
	return !s->p && s->fd < 0;
}

/* Copied bytes are sent in order: what lies before the first that are still to send is free. */
static size_t copied_sent(const struct sendbuf *o)
{
	for (size_t i = o->first; i < o->count; i++)
		if (is_copied(&o->segments[i]) && o->segments[i].length > 0)
			return (size_t)o->segments[i].at;
	return o->copied_length;
}

/* Takes so many that were sent from the front of the copied bytes. */
static void drop_copied(struct sendbuf *o, size_t sent)
{
	o->copied_length -= sent;
	memmove(o->copied, o->copied + sent, o->copied_length);
	for (size_t i = o->first; i < o->count; i++)
		if (is_copied(&o->segments[i]))
			o->segments[i].at -= (int64_t)sent;
}

/* As compact_segments(). */
static void compact_copied(struct sendbuf *o)
{
	size_t sent = copied_sent(o);

	if (sent > o->copied_length / 2)
		drop_copied(o, sent);
}

static bool grow_copied(struct sendbuf *o, size_t n)
{
	size_t wanted = o->copied_capacity ? o->copied_capacity : 4096;

	if (o->copied_length > 0)
		compact_copied(o);
	while (wanted - o->copied_length < n) {
		if (wanted > SIZE_MAX / 2) {
			o->failed = true;
			return false;
		}
		wanted *= 2;
	}
	if (wanted == o->copied_capacity)
		return true;
	char *grown = realloc(o->copied, wanted);

	if (!grown) {
		o->failed = true;
		return false;
	}
	o->copied = grown;
	o->copied_capacity = wanted;
	return true;
}

/* Room for n more copied bytes at the end; the caller fills them. */
static char *extend_copied(struct sendbuf *o, size_t n)
{
	if (n > o->copied_capacity - o->copied_length && !grow_copied(o, n))
		return NULL;
	struct sendbuf_segment *last = o->count > o->first ? &o->segments[o->count - 1] : NULL;

	if (!last || !is_copied(last) || last->owner || last->length > COPIED_PIECE) {
		last = add_segment(o);
		if (!last)
			return NULL;
		last->at = (int64_t)o->copied_length;
	}
	last->length += (int64_t)n;
	char *p = o->copied + o->copied_length;
	o->copied_length += n;
	o->pending += (int64_t)n;
	return p;
}

void uwsgi_sendbuf_bytes(struct sendbuf *o, struct slice s)
{
	if (s.n == 0 || o->failed)
		return;
	char *p = extend_copied(o, s.n);

	if (p)
		memcpy(p, s.p, s.n);
}

void uwsgi_sendbuf_printf(struct sendbuf *o, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof text) {
		o->failed = true; /* a longer text is written with uwsgi_out_bytes */
		return;
	}
	uwsgi_sendbuf_bytes(o, (struct slice){ text, (size_t)n });
}

void uwsgi_sendbuf_piece(struct sendbuf *o, const struct piece *piece)
{
	if (piece->length <= 0 || o->failed)
		return;
	if (piece->fd < 0 && piece->bytes.n <= UWSGI_COPY_MAX) {
		uwsgi_sendbuf_bytes(o, piece->bytes);
		return;
	}
	struct sendbuf_segment *s = add_segment(o);
	if (!s)
		return;
	s->p = piece->fd < 0 ? piece->bytes.p : NULL;
	s->fd = piece->fd < 0 ? -1 : piece->fd;
	s->at = piece->fd < 0 ? piece->length : piece->at;
	s->length = piece->length;
	o->pending += piece->length;
	o->lent += piece->fd < 0 ? piece->length : 0;
}

static void write_chunk_size(struct sendbuf *o, uint64_t size)
{
	char text[18];
	size_t at = sizeof text;

	text[--at] = '\n';
	text[--at] = '\r';
	for (; size > 0; size >>= 4)
		text[--at] = "0123456789abcdef"[size & 15];
	uwsgi_sendbuf_bytes(o, (struct slice){ text + at, sizeof text - at });
}

void uwsgi_sendbuf_chunk(struct sendbuf *o, const struct piece *piece)
{
	if (piece->length <= 0)
		return;
	write_chunk_size(o, (uint64_t)piece->length);
	uwsgi_sendbuf_piece(o, piece);
	uwsgi_sendbuf_bytes(o, SLICE("\r\n"));
}

void sendbuf_owner(struct sendbuf *o, void *owner)
{
	if (o->first == o->count) {
		give_back(o, owner);
		return;
	}
	struct sendbuf_segment *last = &o->segments[o->count - 1];

	if (last->owner) {
		/* Nothing was written since the last owner: an empty segment carries this one. */
		last = add_segment(o);
		if (!last) {
			give_back(o, owner);
			return;
		}
	}
	last->owner = owner;
}

size_t sendbuf_pieces(const struct sendbuf *o, size_t *i, struct iovec *v, size_t max)
{
	size_t n = 0;

	for (; *i < o->count && n < max; ++*i) {
		const struct sendbuf_segment *s = &o->segments[*i];

		if (s->fd >= 0)
			break;
		if (s->length == 0)
			continue;
		v[n].iov_base = s->p ? (void *)(uintptr_t)s->p : o->copied + s->at;
		v[n].iov_len = (size_t)s->length;
		n++;
	}
	return n;
}

size_t sendbuf_vector(const struct sendbuf *o, struct iovec *v, size_t max)
{
	size_t i = o->first;

	return sendbuf_pieces(o, &i, v, max);
}

const struct sendbuf_segment *sendbuf_front_file(const struct sendbuf *o)
{
	return o->first < o->count && o->segments[o->first].fd >= 0 ? &o->segments[o->first] : NULL;
}

bool sendbuf_has_file(const struct sendbuf *o)
{
	for (size_t i = o->first; i < o->count; i++)
		if (o->segments[i].fd >= 0 && o->segments[i].length > 0)
			return true;
	return false;
}

void sendbuf_advance(struct sendbuf *o, int64_t n)
{
	o->pending -= n;
	o->sent += n;
	while (o->first < o->count) {
		struct sendbuf_segment *s = &o->segments[o->first];
		int64_t taken = n < s->length ? n : s->length;

		if (s->p)
			s->p += taken;
		else
			s->at += taken;
		s->length -= taken;
		n -= taken;
		if (s->length > 0)
			return;
		let_go(o, s);
		o->first++;
	}
	o->first = o->count = 0;
	o->copied_length = 0;
	o->lent = o->behind = 0;
}

int64_t sendbuf_memory(const struct sendbuf *o)
{
	return o->lent + (int64_t)o->copied_length;
}

size_t sendbuf_movable(const struct sendbuf *o, int64_t keep, int fd)
{
	bool owned = false; /* by an owner that comes with a later segment */
	int64_t kept = 0;
	size_t i = o->first;

	for (; i < o->count; i++) {
		const struct sendbuf_segment *s = &o->segments[i];

		if (s->fd < 0 && s->length > 0 && !owned && kept >= keep)
			break;
		kept += s->fd < 0 ? s->length : 0;
		owned = !s->owner && (owned || s->p || (s->fd >= 0 && s->fd != fd));
	}
	return i;
}

/* Where the copied bytes end that are still in use. */
static size_t copied_in_use(const struct sendbuf *o)
{
	for (size_t i = o->count; i > o->first; i--)
		if (is_copied(&o->segments[i - 1]) && o->segments[i - 1].length > 0)
			return (size_t)(o->segments[i - 1].at + o->segments[i - 1].length);
	return 0;
}

static void shrink_copied(struct sendbuf *o)
{
	o->copied_length = copied_in_use(o);
	if (o->copied_length == 0) {
		free(o->copied);
		o->copied = NULL;
		o->copied_capacity = 0;
		return;
	}
	drop_copied(o, copied_sent(o));
	char *shrunk = realloc(o->copied, o->copied_length); /* NOLINT: what is pending stays */

	if (!shrunk)
		return;
	o->copied = shrunk;
	o->copied_capacity = o->copied_length;
}

void sendbuf_moved(struct sendbuf *o, size_t i, size_t end, int fd, int64_t at)
{
	struct sendbuf_segment moved = { .fd = fd, .at = at };
	bool is_first = true; /* whether what was sent belongs to the first owner here */

	for (size_t k = o->first; k < i; k++)
		is_first = is_first && !o->segments[k].owner;
	int64_t behind = o->behind;
	if (!is_first)
		o->behind = 0;
	for (size_t k = i; k < end; k++) {
		moved.length += o->segments[k].length;
		let_go(o, &o->segments[k]);
	}
	if (!is_first)
		o->behind = behind;
	struct sendbuf_segment *before = i > o->first ? &o->segments[i - 1] : NULL;

	if (before && before->fd == fd && before->at + before->length == at)
		before->length += moved.length;
	else
		o->segments[i++] = moved;
	memmove(o->segments + i, o->segments + end, (o->count - end) * sizeof *o->segments);
	o->count -= end - i;
	shrink_copied(o);
}

void sendbuf_drop(struct sendbuf *o)
{
	sendbuf_advance(o, o->pending);
}

void sendbuf_trim(struct sendbuf *o)
{
	enum { COPIED_KEPT = 65536, ELEMENTS_KEPT = 256 };

	assert(o->count == 0 && o->done_count == 0);
	if (o->copied_capacity > COPIED_KEPT) {
		free(o->copied);
		o->copied = NULL;
		o->copied_capacity = 0;
	}
	if (o->capacity > ELEMENTS_KEPT) {
		free(o->segments);
		o->segments = NULL;
		o->capacity = 0;
	}
	if (o->done_capacity > ELEMENTS_KEPT) {
		free(o->done);
		o->done = NULL;
		o->done_capacity = 0;
	}
}
