/* SPDX-License-Identifier: MIT */
/* exchange.c: exchanges and their buffers, and what the protocol makes of the bytes in them.  Nothing
 * is read or sent here. */
#include "exchange/exchange.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
	INITIAL_BUFFER = 16384, /* holds nearly every head with its body */
	SPARE_EXCHANGES = 64,
};

bool buffer_reserve(struct buffer *b, size_t capacity)
{
	if (b->capacity >= capacity)
		return true;
	char *grown = realloc(b->p, capacity);

	if (!grown)
		return false;
	b->p = grown;
	b->capacity = capacity;
	return true;
}

/* Moves what is in it to the front. */
static void compact(struct buffer *b)
{
	if (b->begin > 0 && b->begin < b->end)
		memmove(b->p, b->p + b->begin, b->end - b->begin);
	b->end -= b->begin;
	b->begin = 0;
}

static void keep(struct exchange_pool *pool, struct exchange *x)
{
	x->next = pool->spare;
	pool->spare = x;
	pool->count++;
}

static struct exchange *make(struct exchange_pool *pool)
{
	struct exchange *x = calloc(1, sizeof *x);

	if (!x)
		return NULL;
	request_init(&x->rq, pool->limits);
	sendbuf_init(&x->out);
	spool_init(&x->spool);
	response_init(&x->rs, &x->rq, &x->out, pool->rules);
	x->rs.deadline = pool->deadline;
	response_reset(&x->rs, NULL, NULL);
	return x;
}

struct exchange *exchange_take(struct exchange_pool *pool, const struct protocol *protocol,
			       void *protocol_state)
{
	struct exchange *x = pool->spare;

	if (x) {
		pool->spare = x->next;
		pool->count--;
	} else {
		x = make(pool);
	}
	if (x && !buffer_reserve(&x->in, INITIAL_BUFFER)) {
		keep(pool, x);
		return NULL;
	}
	if (x) {
		x->protocol = x->rs.protocol = protocol;
		x->protocol_state = x->rs.state = protocol_state;
	}
	return x;
}

static void exchange_free(struct exchange *x)
{
	request_fini(&x->rq);
	response_fini(&x->rs);
	sendbuf_fini(&x->out);
	spool_close(&x->spool);
	free(x->in.p);
	free(x->head.p);
	free(x);
}

void exchange_renew(struct exchange *x)
{
	request_reset(&x->rq);
	response_reset(&x->rs, x->protocol, x->protocol_state);
	x->logged.rq = NULL;
	x->slow_number = 0;
	x->span.is_recorded = false;
	x->body_began_ms = 0;
	if (x->spool.fd >= 0)
		spool_close(&x->spool);
	free(x->head.p);
	x->head = (struct buffer){ 0 };
	compact(&x->in);
}

/* ---- reading ---- */

size_t exchange_room(const struct exchange *x, size_t head_limit)
{
	size_t room = x->in.capacity - x->in.end;

	return !x->head.p && room > head_limit - x->in.end ? head_limit - x->in.end : room;
}

enum parsed exchange_parse(struct exchange *x, size_t *used)
{
	struct slice in = { x->in.p + x->in.begin, x->in.end - x->in.begin };

	*used = 0;
	enum parsed parsed = x->protocol->parse(x->protocol_state, &x->rq, in, used, &x->out);

	x->in.begin += *used <= in.n ? *used : in.n;
	return parsed;
}

/* The head was taken and its bytes must stay: the body goes on in a buffer of its own. */
static bool pin_head(struct exchange *x)
{
	struct buffer body = { 0 };
	size_t rest = x->in.end - x->in.begin;

	if (!buffer_reserve(&body, rest > BODY_BUFFER / 2 ? rest * 2 : BODY_BUFFER))
		return false;
	memcpy(body.p, x->in.p + x->in.begin, rest);
	body.end = rest;
	x->head = x->in;
	x->in = body;
	return true;
}

bool exchange_make_room(struct exchange *x, size_t head_limit)
{
	struct buffer *b = &x->in;

	if (x->rq.count > 0 && !x->head.p && !pin_head(x)) {
		uwsgi_request_reject(&x->rq, 500, "out of memory");
		return false;
	}
	compact(b);
	if (!x->head.p && b->end >= head_limit) {
		uwsgi_request_reject(&x->rq, 431, "the request's head is larger than buffer-size");
		return false;
	}
	if (b->end < b->capacity || buffer_reserve(b, b->capacity * 2))
		return true;
	uwsgi_request_reject(&x->rq, 500, "out of memory");
	return false;
}

/* ---- its time ---- */

void uwsgi_request_limit(struct request *rq, int64_t ms)
{
	struct deadline *d = exchange_of_request(rq)->rs.deadline;

	/* What a stray does is not its parent's. */
	if (d && !uwsgi_is_stray())
		deadline_set_user(d, clock_monotonic_coarse_ms(), ms);
}

/* ---- life ---- */

int64_t exchange_memory(const struct exchange *x)
{
	size_t large = x->in.capacity > INITIAL_BUFFER ? x->in.capacity : 0;

	return sendbuf_memory(&x->out) + (x->spool.in_memory ? x->spool.length : 0) +
	       (int64_t)(large + x->head.capacity + x->rq.body.capacity);
}

void exchange_return(struct exchange_pool *pool, struct exchange *x)
{
	x->in.begin = x->in.end = 0;
	exchange_renew(x);
	x->connection = NULL;
	if (pool->count >= SPARE_EXCHANGES) {
		exchange_free(x);
		return;
	}
	if (x->in.capacity > BODY_BUFFER) {
		free(x->in.p);
		x->in = (struct buffer){ 0 };
	}
	sendbuf_trim(&x->out);
	keep(pool, x);
}

void exchange_pool_fini(struct exchange_pool *pool)
{
	while (pool->spare) {
		struct exchange *x = pool->spare;

		pool->spare = x->next;
		exchange_free(x);
	}
}
