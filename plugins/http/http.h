/* SPDX-License-Identifier: MIT */
/* http.h: what the files of the HTTP plugin share: the state of a connection, and the steps
 * from bytes to a request and from a response to bytes (RFC 9110, RFC 9112). */
#ifndef HTTP_H
#define HTTP_H

#include "plugin.h"

#include <string.h>

enum http_phase {
	HTTP_HEAD,    /* between requests, or inside a head that is not whole */
	HTTP_LENGTH,  /* a body of known length */
	HTTP_CHUNKED,
};

/* Inside a chunked body (RFC 9112 section 7.1). */
enum chunk_phase {
	CHUNK_SIZE,
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_TRAILER,     /* at the start of a trailer line */
	CHUNK_TRAILER_LINE,
	CHUNK_TRAILER_LF,
	CHUNK_END_LF,
};

/* One connection's, kept across requests. */
struct http {
	enum http_phase phase;
	uint32_t searched;      /* bytes of an incomplete head that hold no end */
	int64_t left;           /* of the body, or of the present chunk */
	enum chunk_phase chunk;
	uint32_t chunk_digits, chunk_extra; /* of the size; bytes of extensions and trailers */
	/* The present request, as the response needs to know it. */
	bool version_1_1, keep_alive, refused;
	/* The present response. */
	bool chunking;
};

/* The lines of a head, in the buffer. */
#define HTTP_MAX_FIELDS 256
struct http_field {
	struct slice name, value;
};
struct http_head {
	struct slice method, target;
	int minor;
	struct http_field fields[HTTP_MAX_FIELDS];
	size_t count;
};

/* What the fields say of the request (fields.c). */
struct http_meaning {
	int64_t length;     /* -1: no Content-Length */
	bool chunked, close, keep_alive, expects_continue;
	struct slice host;
};

/* A refusal: the status and why, for uwsgi_request_reject(). */
struct http_refusal {
	int status;
	const char *why;
};

/* parse.c: text is a whole head, its last empty line included. */
bool http_parse_head(struct slice text, struct http_head *, struct http_refusal *);
bool http_is_token_char(unsigned char);

/* fields.c */
bool http_read_fields(const struct http_head *, struct http_meaning *, struct http_refusal *);
/* Makes the request's variables of the head; false: refused. */
bool http_make_variables(const struct http_head *, const struct http_meaning *, struct request *,
			 struct http_refusal *);

/* target.c: the parts of a request-target (RFC 9112 section 3.2).  path is decoded into memory
 * of the request. */
struct http_target {
	struct slice raw, path, query, authority; /* authority: of the absolute form, else empty */
};
bool http_read_target(const struct http_head *, struct request *, struct http_target *,
		      struct http_refusal *);

/* chunked.c: takes what it can of a chunked body. */
enum parsed http_read_chunked(struct http *, struct request *, struct slice in, size_t *used,
			      struct http_refusal *);

/* frame.c: struct protocol's head, body and end. */
void http_say_head(void *state, const struct head *, struct out *);
void http_say_body(void *state, const struct piece *, struct out *);
bool http_say_end(void *state, bool complete, struct out *);

#endif
