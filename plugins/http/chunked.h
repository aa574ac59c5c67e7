/* SPDX-License-Identifier: MIT */
/* chunked.h: a body in chunks, of a client or of another server. */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include "head.h"

/* Inside a chunked body (RFC 9112 section 7.1). */
enum chunk_phase {
	CHUNK_SIZE,
	CHUNK_SIZE_BLANK, /* white space behind the size */
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_TRAILER, /* at the start of a trailer line */
	CHUNK_TRAILER_NAME,
	CHUNK_TRAILER_VALUE,
	CHUNK_TRAILER_LF,
	CHUNK_END_LF,
};

/* How far a chunked body is read. */
struct http_chunked {
	enum chunk_phase phase;
	uint32_t digits; /* of the size, so far */
	uint32_t extra;  /* bytes of extensions that no data has paid for, and of trailers */
	int64_t left;    /* of the present chunk */
};

/* The next stretch of a chunked body's data, a slice of in; adds to *used what was
 * taken.  PARSE_MORE: call again with what is left, or, when that is nothing, with what comes.  A
 * state of zeroes is the beginning. */
enum parsed http_next_chunk(struct http_chunked *, struct slice in, size_t *used,
			    struct slice *data, struct http_refusal *);

#endif
