/* SPDX-License-Identifier: MIT */
/* chunked.c: a chunked request body, taken as it comes (RFC 9112 section 7.1).  Extensions and
 * trailers are read over, within bounds. */
#include "http.h"

/* Bytes of extensions and trailers that one body may carry. */
#define MOST_EXTRA 16384u
/* 16^15 fits into 63 bits with room to spare. */
#define MOST_DIGITS 15u

static int hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum parsed refuse(struct http_refusal *r, int status, const char *why)
{
	*r = (struct http_refusal){ status, why };
	return PARSE_BAD;
}

static void begin_size(struct http *s)
{
	s->chunk = CHUNK_SIZE;
	s->chunk_digits = 0;
	s->left = 0;
}

static enum parsed take_size(struct http *s, unsigned char c, struct http_refusal *r)
{
	int digit = hex(c);

	if (digit >= 0) {
		if (++s->chunk_digits > MOST_DIGITS)
			return refuse(r, 400, "a chunk size is too large");
		s->left = s->left * 16 + digit;
	} else if (s->chunk_digits == 0) {
		return refuse(r, 400, "a chunk size is missing");
	} else if (c == ';' || c == ' ' || c == '\t') {
		s->chunk = CHUNK_EXTENSION;
	} else if (c == '\r') {
		s->chunk = CHUNK_SIZE_LF;
	} else {
		return refuse(r, 400, "a malformed chunk size");
	}
	return PARSE_MORE;
}

/* A byte of an extension or of a trailer line. */
static enum parsed take_extra(struct http *s, unsigned char c, enum chunk_phase after_cr,
			      struct http_refusal *r)
{
	if (++s->chunk_extra > MOST_EXTRA)
		return refuse(r, 431, "too much in chunk extensions and trailers");
	if (c == '\r')
		s->chunk = after_cr;
	else if ((c < 0x20 && c != '\t') || c == 0x7f)
		return refuse(r, 400, "a control character in a chunk extension or trailer");
	return PARSE_MORE;
}

/* One byte that is not data. */
static enum parsed take_byte(struct http *s, unsigned char c, struct http_refusal *r)
{
	switch (s->chunk) {
	case CHUNK_SIZE:
		return take_size(s, c, r);
	case CHUNK_EXTENSION:
		return take_extra(s, c, CHUNK_SIZE_LF, r);
	case CHUNK_SIZE_LF:
		if (c != '\n')
			return refuse(r, 400, "a bare CR after a chunk size");
		s->chunk = s->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
		return PARSE_MORE;
	case CHUNK_DATA_CR:
		if (c != '\r')
			return refuse(r, 400, "a chunk is longer than its size");
		s->chunk = CHUNK_DATA_LF;
		return PARSE_MORE;
	case CHUNK_DATA_LF:
		if (c != '\n')
			return refuse(r, 400, "a bare CR after a chunk");
		begin_size(s);
		return PARSE_MORE;
	case CHUNK_TRAILER:
		if (c == '\r') {
			s->chunk = CHUNK_END_LF;
			return PARSE_MORE;
		}
		if (!http_is_token_char(c))
			return refuse(r, 400, "a malformed trailer");
		s->chunk = CHUNK_TRAILER_LINE;
		return take_extra(s, c, CHUNK_TRAILER_LF, r);
	case CHUNK_TRAILER_LINE:
		return take_extra(s, c, CHUNK_TRAILER_LF, r);
	case CHUNK_TRAILER_LF:
		if (c != '\n')
			return refuse(r, 400, "a bare CR in a trailer");
		s->chunk = CHUNK_TRAILER;
		return PARSE_MORE;
	case CHUNK_END_LF:
		return c == '\n' ? PARSE_DONE : refuse(r, 400, "a bare CR after the last chunk");
	case CHUNK_DATA:
		break;
	}
	return PARSE_MORE;
}

enum parsed http_read_chunked(struct http *s, struct request *rq, struct slice in, size_t *used,
			      struct http_refusal *r)
{
	size_t at = 0;
	enum parsed parsed = PARSE_MORE;

	while (at < in.n && parsed == PARSE_MORE) {
		if (s->chunk != CHUNK_DATA) {
			parsed = take_byte(s, (unsigned char)in.p[at++], r);
			continue;
		}
		size_t n = in.n - at < (uint64_t)s->left ? in.n - at : (size_t)s->left;
		if (!uwsgi_request_body(rq, (struct slice){ in.p + at, n }))
			parsed = PARSE_BAD;
		at += n;
		s->left -= (int64_t)n;
		if (s->left == 0)
			s->chunk = CHUNK_DATA_CR;
	}
	*used += at;
	return parsed;
}
