/* SPDX-License-Identifier: MIT */
/* head.h: the head of a request, from its bytes to what it means (RFC 9112).  It knows nothing of
 * connections and requests, so plugins that have their own take it in, too. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <uwsgi/plugin.h>

/* How far the end of a head was looked for; zeroes: from its beginning. */
struct http_search {
	uint32_t searched; /* bytes that hold no end */
	bool line_checked; /* the request line is there, and is sound */
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

/* uri-host [ ":" port ] (RFC 9110 section 7.2); host may be empty, port too. */
struct http_authority {
	struct slice whole, host, port;
};

/* What the fields say of the request. */
struct http_meaning {
	int64_t length; /* -1: no Content-Length */
	bool chunked;
	bool other_coding; /* a transfer coding that is not chunked */
	bool close, keep_alive, expects_continue;
	bool has_host;
	struct http_authority host;
};

/* The parts of a request-target (RFC 9112 section 3.2). */
struct http_target {
	struct slice path, query;
	struct http_authority authority; /* of the absolute and authority forms, else empty */
};

/* A refusal: the status and why, for uwsgi_request_reject().  Status 0: the request is marked
 * as refused already. */
struct http_refusal {
	int status;
	const char *why;
};

static inline bool http_refuse(struct http_refusal *r, int status, const char *why)
{
	*r = (struct http_refusal){ status, why };
	return false;
}

/* find.c: the whole head in *text, which lies in `in`; what stands before it are empty lines.
 * END_MISSING: call again with more behind the same bytes. */
enum http_found { HTTP_END_MISSING, HTTP_END_FOUND, HTTP_END_BAD };
enum http_found http_find_head(struct http_search *, struct slice in, struct slice *text,
			       struct http_refusal *);

/* parse.c: the lines of a head behind its first one, until the empty one. */
bool http_parse_fields(struct slice text, struct http_head *, struct http_refusal *);
/* text is a whole head, its last empty line included; line has lost its CRLF.  Slices
 * of what is found point into them. */
bool http_parse_head(struct slice text, struct http_head *, struct http_refusal *);
bool http_parse_request_line(struct slice line, struct http_head *, struct http_refusal *);
bool http_is_token_char(unsigned char);

/* fields.c: what framing, connection, Host and Expect say. */
bool http_read_fields(const struct http_head *, struct http_meaning *, struct http_refusal *);
/* A value of Content-Length; *length is set only when it is one. */
bool http_read_length(struct slice value, int64_t *length, struct http_refusal *);
/* What a field Transfer-Encoding adds to the meaning. */
bool http_read_transfer_encoding(struct slice value, struct http_meaning *, struct http_refusal *);
/* The next member of a comma-separated list, trimmed; empty ones are passed over.  False at
 * the end. */
bool http_next_member(struct slice *list, struct slice *member);

/* target.c: the parts as they were sent. */
bool http_split_target(const struct http_head *, struct http_target *, struct http_refusal *);
bool http_read_authority(struct slice, struct http_authority *);

#endif
