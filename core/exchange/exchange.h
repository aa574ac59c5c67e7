/* SPDX-License-Identifier: MIT */
/* exchange.h: the part of a connection that exists while it is not idle: its input, one request
 * and its response.  They are kept for the connections of a lane to use again. */
#ifndef UWSGI_EXCHANGE_H
#define UWSGI_EXCHANGE_H

#include "exchange/progress.h"
#include "exchange/requestlog.h"
#include "exchange/spool.h"
#include "exchange/trace.h"

#include <sys/queue.h>

struct connection;

struct buffer {
	char *p;
	size_t begin, end, capacity;
};

struct exchange {
	struct exchange *next; /* in the pool */
	struct connection *connection;
	const struct protocol *protocol; /* the connection's, and its state */
	void *protocol_state;
	struct request rq;
	struct response rs;
	struct sendbuf out;
	struct spool spool;       /* of out */
	struct progress progress; /* of the peer, while it is waited for */
	int64_t body_began_ms;    /* when a body that comes in pieces began to; 0: it did not */
	/* Of one whose request runs meanwhile: since when its application has not asked for more, and
	 * when more must have come. */
	int64_t body_held_ms, body_deadline_ms;
	struct logged logged; /* the host's; rq is NULL until there is an answer */
	bool has_line;        /* in the log */
	uint64_t waited_us;   /* the host's: before it ran */
	int64_t unsent_us;    /* since when its end waits for the peer, on the loop's clock */
	struct span span;     /* the host's, where requests are recorded */
	uint64_t slow_number; /* the host's, where it is kept among the slow ones; 0: it is not */
	/* The host's, of a response that ends later. */
	void *handled;
	TAILQ_ENTRY(exchange) flight;
	int64_t began_us, left_ms;
	struct buffer in, head; /* head: where variables point while the body comes into `in` */
};

/* Whose request or response this is. */
static inline struct exchange *exchange_of_request(const struct request *rq)
{
	return (struct exchange *)((uintptr_t)rq - offsetof(struct exchange, rq));
}
static inline struct exchange *exchange_of_response(const struct response *rs)
{
	return (struct exchange *)((uintptr_t)rs - offsetof(struct exchange, rs));
}

/* What all exchanges of a lane have in common; limits and rules must outlive it. */
struct exchange_pool {
	const struct request_limits *limits;
	const struct header_rules *rules;
	struct deadline *deadline; /* NULL: nothing limits how long a request may run */
	struct exchange *spare;
	size_t count;
};

/* What a body of unknown size is read with. */
enum { BODY_BUFFER = 65536 };

/* False: no memory. */
bool buffer_reserve(struct buffer *, size_t capacity);

/* One with room for input, ready for a request of a connection with this protocol and its state; the
 * caller fills in whose it is.  NULL: no memory. */
struct exchange *exchange_take(struct exchange_pool *, const struct protocol *,
			       void *protocol_state);
/* Bytes that it holds for its answer and its request, but for the kilobytes that all have. */
int64_t exchange_memory(const struct exchange *);
void exchange_return(struct exchange_pool *, struct exchange *);
/* Makes it ready for the next request of its connection; unread input stays. */
void exchange_renew(struct exchange *);
/* How many bytes may be read to in.p + in.end now.  head_limit: the most that is read of a head. */
size_t exchange_room(const struct exchange *, size_t head_limit);
/* The protocol takes what it can of what was read.  used: how many bytes that was. */
enum parsed exchange_parse(struct exchange *, size_t *used);
/* After PARSE_MORE: there is room for more.  False: the request is refused, because its head is larger
 * than head_limit or there is no memory. */
bool exchange_make_room(struct exchange *, size_t head_limit);
void exchange_pool_fini(struct exchange_pool *);

#endif
