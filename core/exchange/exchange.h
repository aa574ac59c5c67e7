/* SPDX-License-Identifier: MIT */
/* exchange.h: the part of a connection that exists while it is not idle: its input, one request
 * and its response.  They are kept for the connections of one hub to use again. */
#ifndef UWSGI_EXCHANGE_H
#define UWSGI_EXCHANGE_H

#include "exchange/progress.h"
#include "exchange/requestlog.h"
#include "exchange/spool.h"

struct connection;

struct buffer {
	char *p;
	size_t begin, end, capacity;
};

struct exchange {
	struct exchange *next; /* in the pool */
	struct connection *connection;
	struct request rq;
	struct response rs;
	struct sendbuf out;
	struct spool spool; /* of out */
	struct progress progress; /* of the peer, while it is waited for */
	int64_t body_began_ms;    /* when a body that comes in pieces began to; 0: it did not */
	struct sink sink;
	struct logged logged; /* the host's; rq is NULL until there is an answer */
	bool has_line;        /* in the log */
	void *handled;        /* the host's, of a response that ends later */
	struct buffer in, head; /* head: where variables point while the body comes into `in` */
};

/* What all exchanges of a hub have in common; limits and rules must outlive it. */
struct exchange_pool {
	const struct request_limits *limits;
	const struct header_rules *rules;
	struct sink sink;
	struct exchange *spare;
	size_t count;
};

/* What a body of unknown size is read with. */
enum { BODY_BUFFER = 65536 };

/* False: no memory. */
bool buffer_reserve(struct buffer *, size_t capacity);
/* Moves what is in it to the front. */
void buffer_compact(struct buffer *);

/* One with room for input; the caller fills in whose it is, and renews it.  NULL: no memory. */
struct exchange *exchange_take(struct exchange_pool *);
/* Bytes that it holds for its answer and its request, but for the kilobytes that all have. */
int64_t exchange_memory(const struct exchange *);
void exchange_return(struct exchange_pool *, struct exchange *);
/* Makes it ready for the next request of a connection; unread input stays. */
void exchange_renew(struct exchange *, const struct protocol *, void *protocol_state);
void exchange_pool_fini(struct exchange_pool *);

#endif
