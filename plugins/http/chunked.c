/* SPDX-License-Identifier: MIT */
/* chunked.c: a chunked body, taken as it comes (RFC 9112 section 7.1).  Extensions and
 * trailers are checked for form, read over and forgotten, within bounds.  Does not decide whether
 * a body is chunked, nor how large it may be. */
#include "chunked.h"

#include <string.h>

/* Bytes that carry nothing: of trailers, and of extensions beyond the data that they describe. */
#define MOST_EXTRA 16384u
/* 16^15 fits into 63 bits with room to spare. */
#define MOST_DIGITS 15u

static enum parsed refuse(struct http_refusal *r, int status, const char *why)
{
	http_refuse(r, status, why);
	return PARSE_BAD;
}

static int hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void begin_size(struct http_chunked *s)
{
	s->phase = CHUNK_SIZE;
	s->digits = 0;
	s->left = 0;
}

static enum parsed take_size(struct http_chunked *s, unsigned char c, struct http_refusal *r)
{
	int digit = hex(c);

	if (digit >= 0) {
		if (++s->digits > MOST_DIGITS)
			return refuse(r, 400, "a chunk size is too large");
		s->left = s->left * 16 + digit;
		return PARSE_MORE;
	}
	if (s->digits == 0)
		return refuse(r, 400, "a chunk size is missing");
	if (c == '\r')
		s->phase = CHUNK_SIZE_LF;
	else if (c == ';')
		s->phase = CHUNK_EXTENSION;
	else if (c == ' ' || c == '\t')
		s->phase = CHUNK_SIZE_BLANK;
	else
		return refuse(r, 400, "a malformed chunk size");
	return PARSE_MORE;
}

/* Some clients fill the size up with blanks; only an extension or the end may follow. */
static enum parsed take_blank(struct http_chunked *s, unsigned char c, struct http_refusal *r)
{
	if (++s->extra > MOST_EXTRA)
		return refuse(r, 400, "too much in chunk extensions");
	if (c == '\r')
		s->phase = CHUNK_SIZE_LF;
	else if (c == ';')
		s->phase = CHUNK_EXTENSION;
	else if (c != ' ' && c != '\t')
		return refuse(r, 400, "a malformed chunk size");
	return PARSE_MORE;
}

/* A byte of an extension or of a trailer's value. */
static enum parsed take_extra(struct http_chunked *s, unsigned char c, enum chunk_phase after_cr,
			      struct http_refusal *r)
{
	if (++s->extra > MOST_EXTRA)
		return refuse(r, after_cr == CHUNK_TRAILER_LF ? 431 : 400,
			      "too much in chunk extensions or trailers");
	if (c == '\r')
		s->phase = after_cr;
	else if ((c < 0x20 && c != '\t') || c == 0x7f)
		return refuse(r, 400, "a control character in a chunk extension or trailer");
	return PARSE_MORE;
}

/* The first byte of a trailer line, or of the empty line that ends the body. */
static enum parsed take_trailer(struct http_chunked *s, unsigned char c, struct http_refusal *r)
{
	if (c == '\r')
		s->phase = CHUNK_END_LF;
	else if (http_is_token_char(c))
		s->phase = CHUNK_TRAILER_NAME;
	else
		return refuse(r, 400, "a malformed trailer");
	return PARSE_MORE;
}

/* Not any line will do: a request behind the last chunk is not to be swallowed as a trailer. */
static enum parsed take_trailer_name(struct http_chunked *s, unsigned char c,
				     struct http_refusal *r)
{
	if (++s->extra > MOST_EXTRA)
		return refuse(r, 431, "too much in chunk extensions or trailers");
	if (c == ':')
		s->phase = CHUNK_TRAILER_VALUE;
	else if (!http_is_token_char(c))
		return refuse(r, 400, "a malformed trailer");
	return PARSE_MORE;
}

static enum parsed expect(struct http_chunked *s, unsigned char c, char expected,
			  enum chunk_phase next, const char *why, struct http_refusal *r)
{
	if (c != (unsigned char)expected)
		return refuse(r, 400, why);
	s->phase = next;
	return PARSE_MORE;
}

/* The size line is whole. */
static enum parsed take_size_lf(struct http_chunked *s, unsigned char c, struct http_refusal *r)
{
	enum chunk_phase next = s->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
	uint64_t paid = (uint64_t)s->left < s->extra ? (uint64_t)s->left : s->extra;

	s->extra -= (uint32_t)paid;
	return expect(s, c, '\n', next, "a bare CR after a chunk size", r);
}

/* One byte that is not data. */
static enum parsed take_byte(struct http_chunked *s, unsigned char c, struct http_refusal *r)
{
	switch (s->phase) {
	case CHUNK_SIZE:
		return take_size(s, c, r);
	case CHUNK_SIZE_BLANK:
		return take_blank(s, c, r);
	case CHUNK_EXTENSION:
		return take_extra(s, c, CHUNK_SIZE_LF, r);
	case CHUNK_SIZE_LF:
		return take_size_lf(s, c, r);
	case CHUNK_DATA_CR:
		return expect(s, c, '\r', CHUNK_DATA_LF, "a chunk is longer than its size", r);
	case CHUNK_DATA_LF:
		begin_size(s);
		return expect(s, c, '\n', CHUNK_SIZE, "a bare CR after a chunk", r);
	case CHUNK_TRAILER:
		return take_trailer(s, c, r);
	case CHUNK_TRAILER_NAME:
		return take_trailer_name(s, c, r);
	case CHUNK_TRAILER_VALUE:
		return take_extra(s, c, CHUNK_TRAILER_LF, r);
	case CHUNK_TRAILER_LF:
		return expect(s, c, '\n', CHUNK_TRAILER, "a bare CR in a trailer", r);
	case CHUNK_END_LF:
		return c == '\n' ? PARSE_DONE : refuse(r, 400, "a bare CR after the last chunk");
	case CHUNK_DATA:
		break;
	}
	return PARSE_MORE;
}

static struct slice take_data(struct http_chunked *s, struct slice in)
{
	size_t n = in.n < (uint64_t)s->left ? in.n : (size_t)s->left;

	s->left -= (int64_t)n;
	if (s->left == 0)
		s->phase = CHUNK_DATA_CR;
	return (struct slice){ in.p, n };
}

enum parsed http_next_chunk(struct http_chunked *s, struct slice in, size_t *used,
			    struct slice *data, struct http_refusal *r)
{
	size_t at = 0;
	enum parsed parsed = PARSE_MORE;

	*data = (struct slice){ 0 };
	while (at < in.n && parsed == PARSE_MORE && data->n == 0) {
		if (s->phase == CHUNK_DATA) {
			*data = take_data(s, (struct slice){ in.p + at, in.n - at });
			at += data->n;
		} else {
			parsed = take_byte(s, (unsigned char)in.p[at++], r);
		}
	}
	*used += at;
	return parsed;
}
