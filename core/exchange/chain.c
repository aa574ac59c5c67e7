/* SPDX-License-Identifier: MIT */
/* chain.c: runs a request through the handlers of its lane.  On the way back it stands in the place of
 * the protocol: what the response says goes through the handlers that were passed, the last one first,
 * and then to the protocol itself.  A lane without handlers has no chain. */
#include "exchange/chain.h"

#include <assert.h>
#include <stdio.h>

/* Handlers from this order on answer by themselves, as plugin.h has it: with files. */
enum { ORDER_OF_ANSWERS = 50 };

/* One answer on its way back; in the request's arena. */
struct passage {
	const struct chain *chain;
	size_t depth; /* the first `depth` handlers see it */
	void *mine[CHAIN_MAX];
	struct response *rs;
	const struct protocol *protocol; /* the connection's */
	void *protocol_state;
	size_t asked;      /* whose head() is running */
	struct piece body; /* in the place of what comes from behind `replacer` */
	void *owner;
	size_t replacer;
	bool replaced, any_length;
	bool waits;    /* the handler at `depth` has said later */
	bool bodiless; /* the answer that is said has no body */
	int64_t said;  /* bytes of the body */
	struct sendbuf *out;
};

struct next {
	struct passage *p;
	size_t at; /* the handlers below are next */
};

/* ---- on the way back ---- */

static void say(struct passage *p, size_t at, const struct piece *piece)
{
	if (piece->length <= 0 || p->bodiless || (p->replaced && at > p->replacer))
		return;
	while (at > 0 && !p->chain->handlers[at - 1]->body)
		at--;
	if (at > 0) {
		struct next next = { p, at - 1 };

		p->chain->handlers[at - 1]->body(p->chain->states[at - 1], &next, piece,
						 p->mine[at - 1]);
		return;
	}
	p->protocol->body(p->protocol_state, piece, p->out);
	p->said += piece->length;
}

void uwsgi_next_piece(struct next *next, const struct piece *piece)
{
	say(next->p, next->at, piece);
}

/* What is longer than that, the queue would not copy. */
void uwsgi_next_bytes(struct next *next, struct slice bytes)
{
	while (bytes.n > 0) {
		size_t n = bytes.n < UWSGI_COPY_MAX ? bytes.n : UWSGI_COPY_MAX;
		const struct piece piece = { { bytes.p, n }, -1, 0, (int64_t)n };

		say(next->p, next->at, &piece);
		bytes.p += n;
		bytes.n -= n;
	}
}

static void remove_header(struct response *rs, struct slice name)
{
	size_t kept = 0;

	for (size_t i = 0; i < rs->count; i++)
		if (!uwsgi_same_name(rs->headers[i].name, name))
			rs->headers[kept++] = rs->headers[i];
	rs->count = kept;
}

/* The length that the handlers have left. */
static int64_t settle_length(struct passage *p, int64_t length)
{
	struct response *rs = p->rs;
	char digits[24];

	if (!p->replaced && !p->any_length)
		return length;
	remove_header(rs, SLICE("Content-Length"));
	if (!p->replaced || p->any_length || response_has_no_body(rs))
		return -1;
	int n = snprintf(digits, sizeof digits, "%lld", (long long)p->body.length);

	response_add_header(rs, SLICE("Content-Length"), (struct slice){ digits, (size_t)n });
	return p->body.length;
}

static void say_head(void *state, const struct head *head, struct sendbuf *out)
{
	struct passage *p = state;
	struct response *rs = p->rs;
	struct head said = *head;

	p->out = out;
	/* Out of memory: there is nothing to change it with. */
	for (size_t i = rs->no_memory ? 0 : p->depth; i-- > 0;) {
		p->asked = i;
		if (p->chain->handlers[i]->head)
			p->chain->handlers[i]->head(p->chain->states[i], rs, &p->mine[i]);
	}
	if (!rs->no_memory) {
		bool no_body = response_has_no_body(rs), head_only = response_is_to_head(rs);

		said.status = rs->status;
		said.line = rs->line;
		said.bodiless = head_only || no_body;
		said.head_only = head_only && !no_body;
		said.length = settle_length(p, head->length);
		said.headers = rs->headers;
		said.header_count = rs->count;
	}
	p->bodiless = said.bodiless || rs->no_memory;
	p->protocol->head(p->protocol_state, &said, out);
	if (p->replaced)
		say(p, p->replacer, &p->body);
	if (p->owner)
		sendbuf_owner(out, p->owner);
}

static void say_body(void *state, const struct piece *piece, struct sendbuf *out)
{
	struct passage *p = state;

	p->out = out;
	say(p, p->depth, piece);
}

static void flush(struct response *rs)
{
	struct passage *p = rs->state;

	for (size_t i = p->depth; i-- > 0;) {
		struct next next = { p, i };

		if (p->chain->handlers[i]->flush)
			p->chain->handlers[i]->flush(p->chain->states[i], &next, p->mine[i]);
	}
}

static void count_answer(const struct chain *chain, const struct handler *h)
{
	counts_add(h->order < ORDER_OF_ANSWERS ? &chain->counts->routed : &chain->counts->files, 1);
}

static enum ended say_end(void *state, bool complete, struct sendbuf *out)
{
	struct passage *p = state;

	p->out = out;
	for (size_t i = p->depth; i-- > 0;) {
		struct next next = { p, i };
		bool all = complete || (p->replaced && i < p->replacer); /* it saw */

		if (p->chain->handlers[i]->end)
			p->chain->handlers[i]->end(p->chain->states[i], &next, all, p->mine[i]);
	}
	if (p->waits)
		count_answer(p->chain, p->chain->handlers[p->depth]);
	p->rs->body = p->said; /* for the log */
	p->rs->flush_filters = NULL;
	return p->protocol->end(p->protocol_state, complete || p->replaced, out);
}

static const struct protocol back = {
	.name = "chain",
	.head = say_head,
	.body = say_body,
	.end = say_end,
};

/* ---- what a handler does with an answer ---- */

int uwsgi_response_status(const struct response *rs)
{
	return rs->status;
}

struct slice uwsgi_response_find(const struct response *rs, struct slice name)
{
	for (size_t i = 0; i < rs->count; i++)
		if (uwsgi_same_name(rs->headers[i].name, name))
			return rs->headers[i].value;
	return (struct slice){ NULL, 0 };
}

void uwsgi_response_set(struct response *rs, struct slice name, struct slice value)
{
	if (uwsgi_same_name(name, SLICE("Content-Length")))
		return;
	remove_header(rs, name);
	if (value.p)
		response_add_header(rs, name, value);
}

void uwsgi_response_add(struct response *rs, struct slice name, struct slice value)
{
	if (!uwsgi_same_name(name, SLICE("Content-Length")))
		response_add_header(rs, name, value);
}

bool uwsgi_response_is_refusal(const struct response *rs)
{
	return rs->refusal;
}

void uwsgi_response_set_status(struct response *rs, struct slice line)
{
	response_set_line(rs, line);
}

void uwsgi_response_any_length(struct response *rs)
{
	((struct passage *)rs->state)->any_length = true;
}

void uwsgi_response_replace(struct response *rs, const struct piece *piece, void *owner)
{
	struct passage *p = rs->state;

	if (p->owner)
		sendbuf_owner(rs->out, p->owner);
	p->replaced = true;
	p->replacer = p->asked;
	p->any_length = false;
	p->body = *piece;
	p->owner = owner;
}

/* ---- on the way there ---- */

static void pass_back(struct passage *p, struct response *rs)
{
	p->rs = rs;
	p->protocol = rs->protocol;
	p->protocol_state = rs->state;
	rs->protocol = &back;
	rs->state = p;
	rs->flush_filters = flush;
}

static struct passage *begin(struct chain *chain, struct request *rq, struct response *rs)
{
	struct passage *p = arena_alloc(&rq->arena, sizeof *p);

	if (!p)
		return NULL;
	*p = (struct passage){ .chain = chain };
	pass_back(p, rs);
	return p;
}

static enum handled ask(const struct passage *p, struct request *rq, void **mine)
{
	const struct handler *h = p->chain->handlers[p->depth];

	return h->before ? h->before(p->chain->states[p->depth], rq, p->rs, mine) : HANDLED_NOT;
}

/* From the handler on whose turn it is.  After DONE the request may be somebody else's. */
static enum handled ask_all(struct passage *p, struct request *rq)
{
	const struct chain *chain = p->chain;

	for (; p->depth < chain->count; p->depth++) {
		const struct handler *h = chain->handlers[p->depth];
		enum handled handled = ask(p, rq, &p->mine[p->depth]);

		if (handled == HANDLED_DONE)
			count_answer(chain, h);
		if (handled != HANDLED_NOT)
			return handled;
	}
	return HANDLED_NOT;
}

void chain_handle(void *state, struct request *rq, struct response *rs)
{
	struct chain *chain = state;
	struct passage *p = rs->protocol == &back ? rs->state : begin(chain, rq, rs);
	enum handled handled;

	if (!p) {
		uwsgi_response_refuse(rs, 500, SLICE("out of memory"));
		return;
	}
	p->waits = false;
	chain->in_handler = true;
	/* Handlers do not wait, and the lane's loop is theirs: no watchdog may have it meanwhile. */
	struct deadline *deadline = rs->deadline;
	enum hold hold = response_hold(rs);

	handled = ask_all(p, rq);
	if (hold == HOLD_TAKEN)
		deadline_let_go(deadline);
	chain->in_handler = false;
	if (handled == HANDLED_LATER)
		p->waits = true;
	else if (handled == HANDLED_NOT)
		chain->app->handle(chain->app_state, rq, rs);
}

bool chain_waits(const struct response *rs)
{
	return rs->protocol == &back && ((const struct passage *)rs->state)->waits;
}

bool chain_give_up(struct response *rs)
{
	struct passage *p = rs->state;

	if (!chain_waits(rs))
		return false;
	const struct chain *chain = p->chain;

	p->waits = false;
	chain->handlers[p->depth]->gone(chain->states[p->depth], p->mine[p->depth]);
	uwsgi_response_fail(rs, SLICE(""));
	return true;
}

/* Runs of the application's own stay together: it may take a lock for each call. */
void chain_release(void *state, void *const *owners, size_t count)
{
	struct chain *chain = state;
	size_t from = 0;

	for (size_t i = 0; i <= count; i++) {
		uintptr_t owner = i < count ? (uintptr_t)owners[i] : 1;

		if (!(owner & 1))
			continue;
		if (i > from)
			chain->app->release(chain->app_state, owners + from, i - from);
		from = i + 1;
		if (i < count) {
			struct loan *loan = (struct loan *)(owner & ~(uintptr_t)1);

			loan->release(loan);
		}
	}
}

/* ---- life ---- */

int chain_init(struct chain *chain, const struct handler *const *handlers, size_t count,
	       const struct handler_lane *lane, struct error *e)
{
	assert(count <= CHAIN_MAX);
	chain->count = count;
	for (size_t i = 0; i < count; i++) {
		chain->handlers[i] = handlers[i];
		if (handlers[i]->lane_start && handlers[i]->lane_start(lane, &chain->states[i], e))
			return -1;
		chain->started++;
	}
	return 0;
}

void chain_fini(struct chain *chain)
{
	for (size_t i = chain->started; i-- > 0;)
		if (chain->handlers[i]->lane_stop)
			chain->handlers[i]->lane_stop(chain->states[i]);
}
