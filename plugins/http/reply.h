/* SPDX-License-Identifier: MIT */
/* reply.h: the head of another server's answer. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "head.h"

/* Whose answer it is, from the laxest to the strictest reading. */
enum speaks {
	SPEAKS_WORKER, /* a worker of this server: a body without a length is in chunks */
	SPEAKS_UWSGI,
	SPEAKS_HTTP, /* RFC 9112 holds: hop-by-hop fields, one framing only */
};

struct reply {
	int status;
	struct slice line; /* "200 OK" */
	int64_t length;    /* -1: not said */
	bool chunked;      /* without a length, the body is in chunks */
	struct http_head head;
};

/* text ends with an empty line.  False: it is no HTTP response; *why says what is wrong with it, for
 * the log. */
bool reply_read(struct slice text, enum speaks, struct reply *, const char **why);
/* Whether a field is for the server's own connection only, and ends here (RFC 9110 section 7.6.1). */
bool reply_is_hop_by_hop(const struct reply *, struct slice name);

#endif
