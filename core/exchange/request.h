/* SPDX-License-Identifier: MIT */
/* request.h: one request as its protocol said it: variables and body.  It is embedded in an
 * exchange and used again after a reset; protocols and applications reach it through the
 * uwsgi_request_* functions of plugin.h. */
#ifndef UWSGI_REQUEST_H
#define UWSGI_REQUEST_H

#include "base/arena.h"
#include "exchange/body.h"
#include "exchange/trust.h"

/* What the configuration says of any request; constant, shared by all. */
struct request_limits {
	int64_t post_buffering;    /* body bytes held in memory */
	int64_t limit_post;        /* body bytes accepted; 0: no limit */
	const struct trust *trust; /* NULL: nobody is believed */
};

struct logvar {
	struct logvar *next;
	struct slice name, value;
};

struct request {
	const struct request_limits *limits;
	const struct endpoint *peer, *local; /* the connection's */
	struct arena arena;
	struct var *vars; /* kept for the next request */
	size_t count, capacity;
	size_t vars_size;       /* as a uwsgi packet would count them; for the log */
	struct logvar *logvars; /* in the arena */
	struct body body;
	int64_t passed_on; /* of a body that is taken in portions, all before the one in body */
	int passed;        /* a file that came beside the head, which the body may be; -1: none */
	bool knows_client; /* REMOTE_ADDR is what this server has found */
	bool unlogged;     /* it leaves no line in the log */
	int reject_status; /* 0: not refused */
	const char *reject_why;
	struct slice method; /* request_method()'s; p is NULL until it was found */
	struct slice
		start;    /* X-Request-Start, noticed as it comes; p is NULL where there is none */
	int64_t taken_us; /* uwsgi_request_taken(); 0: nobody says */
};

void request_init(struct request *, const struct request_limits *);
void request_fini(struct request *);
void request_reset(struct request *);
/* REQUEST_METHOD, once all variables are there; empty: there is none. */
struct slice request_method(struct request *);
/* Whether forwarded-allow-ips has the client that the server knows, else the connection's peer. */
bool request_is_forwarded(const struct request *);
/* Takes over a file that came beside the head. */
void request_keep_file(struct request *, int fd);
/* All of it is here: what is to be in a file is written, and a body whose length nobody has said gets
 * its CONTENT_LENGTH (RFC 3875 section 4.1.2), as whoever takes chunks apart has to (RFC 9112 section
 * 7.1.3).  False: refused, memory or disk is out. */
bool request_complete(struct request *);
/* The peer gets a short answer; the person on call the reason and who it was. */
void request_log_refusal(const struct request *);

#endif
