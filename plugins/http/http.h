/* SPDX-License-Identifier: MIT */
/* http.h: what the files of the HTTP plugin share: the state of a connection, and the steps
 * from bytes to a request and from a response to bytes (RFC 9110, RFC 9112). */
#ifndef HTTP_H
#define HTTP_H

#include "head.h"

#include <uwsgi/plugin.h>

#include <string.h>

enum http_phase {
	HTTP_HEAD,   /* between requests, or inside a head that is not whole */
	HTTP_LENGTH, /* a body of known length */
	HTTP_CHUNKED,
};

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

/* Whom a proxy in front speaks for. */
struct http_proxied {
	bool expected;        /* its line has to come yet */
	unsigned char family; /* AF_INET, AF_INET6; 0: it speaks for itself */
	uint16_t port;
	unsigned char address[16];
};

/* One connection's, kept across requests. */
struct http {
	struct http_proxied proxied;
	enum http_phase phase;
	struct http_search search; /* for the end of an incomplete head */
	struct http_chunked body;  /* of one whose length is known, only `left` is used */
	/* The present request, as the response needs to know it. */
	bool one_request; /* connections are not kept */
	bool version_1_1, keep_alive, refused;
	/* The present response. */
	bool chunking, until_close; /* what ends it; neither: its length does */
};

/* target.c: path is decoded into memory of the request, or a slice of the head. */
bool http_read_target(const struct http_head *, struct request *, struct http_target *,
		      struct http_refusal *);

/* variables.c: makes the request's CGI variables. */
bool http_make_variables(const struct http_head *, const struct http_meaning *,
			 const struct http_target *, const struct endpoint *peer, struct request *);

/* proxied.c: PARSE_MORE, PARSE_DONE or PARSE_BAD; *used is set when it is done. */
enum parsed http_read_proxied(struct slice in, struct http_proxied *, size_t *used);
/* The client as text, in memory of the request; without a proxy the connection's peer. */
bool http_find_peer(const struct http_proxied *, struct request *, struct endpoint *);

/* chunked.c: the next stretch of a chunked body's data, a slice of in; adds to *used what was
 * taken.  PARSE_MORE: call again with what is left, or, when that is nothing, with what comes.  A
 * state of zeroes is the beginning. */
enum parsed http_next_chunk(struct http_chunked *, struct slice in, size_t *used,
			    struct slice *data, struct http_refusal *);

/* frame.c: struct protocol's head, body and end. */
void http_say_head(void *state, const struct head *, struct sendbuf *);
void http_say_body(void *state, const struct piece *, struct sendbuf *);
enum ended http_say_end(void *state, bool complete, struct sendbuf *);

#endif
