/* SPDX-License-Identifier: MIT */
/* response.c: turns what the application says into calls of the protocol, each of which is
 * made once and in order: head, body pieces, end.  It decides what the head must say of the
 * body's length; how that is framed is the protocol's business. */
#include "exchange/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void response_init(struct response *rs, struct request *rq, struct sendbuf *out,
		   const struct header_rules *rules)
{
	*rs = (struct response){ .rq = rq, .out = out, .rules = rules, .declared = -1 };
}

void response_fini(struct response *rs)
{
	free(rs->headers);
	rs->headers = NULL;
	rs->count = rs->capacity = 0;
}

static void clear_head(struct response *rs)
{
	rs->line = (struct slice){ 0 };
	rs->status = 0;
	rs->count = 0;
	rs->head_size = 0;
	rs->declared = -1;
}

void response_reset(struct response *rs, const struct protocol *protocol, void *state)
{
	clear_head(rs);
	rs->protocol = protocol;
	rs->state = state;
	rs->flush_filters = NULL;
	rs->body = 0;
	rs->switches = 1;
	rs->held_count = 0;
	rs->held_length = 0;
	rs->lender = 0;
	rs->bodiless = rs->close = rs->file = false;
	rs->no_memory = rs->refusal = rs->failed = rs->overdue = false;
	rs->head_sent = rs->ended = rs->broken = rs->keep = rs->cut = rs->lost = false;
}

enum hold response_take(struct response *rs)
{
	enum hold hold = deadline_hold(rs->deadline);

	if (hold == HOLD_LOST)
		rs->lost = rs->broken = true;
	return hold;
}

bool uwsgi_response_head_sent(const struct response *rs)
{
	return rs->head_sent;
}

/* Gives back what was held for a head that will never be said. */
static void drop_held(struct response *rs)
{
	for (size_t i = 0; i < rs->held_count; i++)
		if (rs->held[i].owner)
			sendbuf_owner(rs->out, rs->held[i].owner);
	rs->held_count = 0;
	rs->held_length = 0;
}

void response_set_line(struct response *rs, struct slice line)
{
	rs->line = arena_copy(&rs->rq->arena, line);
	rs->status = 0;
	for (size_t i = 0; i < 3 && i < line.n && line.p[i] >= '0' && line.p[i] <= '9'; i++)
		rs->status = rs->status * 10 + (line.p[i] - '0');
}

bool uwsgi_response_start(struct response *rs, struct slice line)
{
	if (rs->head_sent)
		return false;
	drop_held(rs);
	clear_head(rs);
	response_set_line(rs, line);
	rs->head_size = sizeof "HTTP/1.1 \r\n\r\n" - 1 + line.n;
	return true;
}

void response_add_header(struct response *rs, struct slice name, struct slice value)
{
	if (rs->count == rs->capacity) {
		size_t wanted = rs->capacity ? rs->capacity * 2 : 16;
		struct header *grown = reallocarray(rs->headers, wanted, sizeof *grown);

		if (!grown) {
			rs->out->failed = true;
			return;
		}
		rs->headers = grown;
		rs->capacity = wanted;
	}
	rs->headers[rs->count++] = (struct header){ arena_copy(&rs->rq->arena, name),
						    arena_copy(&rs->rq->arena, value) };
	rs->head_size += name.n + value.n + 4;
}

void uwsgi_response_header(struct response *rs, struct slice name, struct slice value)
{
	if (rs->head_sent)
		return;
	if (uwsgi_same_name(name, SLICE("Content-Length"))) {
		int64_t length = uwsgi_number(value);

		/* A length that cannot be believed would break the connection's framing; a second
		 * one is at best a repetition. */
		if (length < 0 || rs->declared >= 0) {
			uwsgi_log(UWSGI_WARNING, "response header Content-Length: %.*s dropped: %s",
				  (int)(value.n < 64 ? value.n : 64), value.p,
				  length < 0 ? "not a number" : "given twice");
			return;
		}
		rs->declared = length;
	}
	response_add_header(rs, name, value);
}

/* False: the length is not to be said, neither the application's nor the server's own, so the
 * protocol has to frame the body without it. */
static bool remove_headers(struct response *rs)
{
	size_t kept = 0;

	for (size_t i = 0; i < rs->count; i++)
		if (!header_rules_remove(rs->rules, rs->headers[i].name))
			rs->headers[kept++] = rs->headers[i];
	rs->count = kept;
	if (!header_rules_remove(rs->rules, SLICE("Content-Length")))
		return true;
	rs->declared = -1;
	return false;
}

/* As remove_headers().  Other headers of the server's own stay: the protocol needs them. */
static bool apply_rules(struct response *rs)
{
	const struct header_rules *rules = rs->rules;
	bool says_length = rules->remove->count == 0 || remove_headers(rs);

	for (size_t i = 0; i < rules->add_count; i++)
		response_add_header(rs, rules->add[i].name, rules->add[i].value);
	return says_length;
}

static void say_piece(struct response *rs, struct piece piece, void *owner)
{
	if (rs->declared >= 0 && piece.length > rs->declared - rs->body) {
		piece.length = rs->declared - rs->body;
		piece.bytes.n = piece.fd < 0 ? (size_t)piece.length : 0;
	}
	if (piece.length > 0 && !rs->bodiless && !rs->broken) {
		rs->protocol->body(rs->state, &piece, rs->out);
		rs->body += piece.length;
	}
	if (owner)
		sendbuf_owner(rs->out, owner);
}

bool response_has_no_body(const struct response *rs)
{
	return rs->status == 204 || rs->status == 304 || rs->status / 100 == 1;
}

bool response_is_to_head(const struct response *rs)
{
	struct slice method = request_method(rs->rq);

	return method.n == 4 && !memcmp(method.p, "HEAD", 4);
}

/* Instead of a head that has a hole: with no headers, and so with hardly any memory. */
static void say_no_memory(struct response *rs)
{
	const struct head head = { .status = 500,
				   .line = SLICE("500 Internal Server Error"),
				   .close = true,
				   .date = rs->date };

	rs->no_memory = true;
	rs->status = 500;
	rs->close = true;
	rs->declared = 0; /* so nothing more of the body is said */
	rs->out->failed = rs->out->pending > 0;
	rs->protocol->head(rs->state, &head, rs->out);
}

/* Says the head and what was held.  length: of the whole body when that is all, else -1. */
static void open_head(struct response *rs, int64_t length)
{
	bool head_only = response_is_to_head(rs);
	char digits[24];

	if (rs->rules && !apply_rules(rs))
		length = -1;
	rs->bodiless = head_only || response_has_no_body(rs);
	/* An application may leave out the body of a HEAD response: then its length is unknown. */
	if (length >= 0 && rs->declared < 0 && !response_has_no_body(rs) &&
	    !(head_only && length == 0)) {
		int n = snprintf(digits, sizeof digits, "%lld", (long long)length);

		response_add_header(rs, SLICE("Content-Length"),
				    (struct slice){ digits, (size_t)n });
		rs->declared = length;
	}
	const struct head head = {
		.status = rs->status,
		.line = rs->line,
		.headers = rs->headers,
		.header_count = rs->count,
		.length = rs->declared,
		.bodiless = rs->bodiless,
		.head_only = head_only && !response_has_no_body(rs),
		.close = rs->close,
		.date = rs->date,
	};
	rs->head_sent = true;
	if (rs->rq->arena.failed || rs->out->failed)
		say_no_memory(rs);
	else
		rs->protocol->head(rs->state, &head, rs->out);
	for (size_t i = 0; i < rs->held_count; i++)
		say_piece(rs, rs->held[i].piece, rs->held[i].owner);
	rs->held_count = 0;
}

static void say_part(struct response *rs, struct piece *rest)
{
	const struct piece part = { { rest->bytes.p, UWSGI_COPY_MAX }, -1, 0, UWSGI_COPY_MAX };

	say_piece(rs, part, NULL);
	rest->bytes.p += UWSGI_COPY_MAX;
	rest->bytes.n -= UWSGI_COPY_MAX;
	rest->length -= UWSGI_COPY_MAX;
}

static bool queue(struct response *rs, struct piece piece, void *owner)
{
	if (!rs->head_sent && rs->held_count == RESPONSE_HELD) {
		enum hold hold = response_hold(rs);

		open_head(rs, -1);
		response_let_go(rs, hold);
	}
	if (rs->head_sent) {
		/* What nobody lends is copied by the queue in parts of this size. */
		while (piece.fd < 0 && !owner && piece.length > UWSGI_COPY_MAX)
			say_part(rs, &piece);
		say_piece(rs, piece, owner);
		return !rs->broken;
	}
	if (piece.fd < 0 && !owner && piece.length > 0) {
		piece.bytes = arena_copy(&rs->rq->arena, piece.bytes);
		if (!piece.bytes.p)
			piece.length = 0;
	}
	rs->held[rs->held_count].piece = piece;
	rs->held[rs->held_count].owner = owner;
	rs->held_count++;
	rs->held_length += piece.length;
	return true;
}

static void *mark(const struct response *rs, void *owner)
{
	return owner ? (void *)((uintptr_t)owner | rs->lender) : NULL;
}

bool uwsgi_response_body(struct response *rs, struct slice bytes, void *owner)
{
	struct piece piece = { .bytes = bytes, .fd = -1, .length = (int64_t)bytes.n };

	return queue(rs, piece, mark(rs, owner));
}

bool uwsgi_response_file(struct response *rs, int fd, int64_t at, int64_t length, void *owner)
{
	struct piece piece = { .fd = fd, .at = at, .length = length };

	rs->file = true;
	return queue(rs, piece, mark(rs, owner));
}

void response_open(struct response *rs)
{
	if (!rs->ended)
		rs->switches++;
	if (!rs->head_sent)
		open_head(rs, -1);
	if (rs->flush_filters && !rs->ended)
		rs->flush_filters(rs);
}

int64_t uwsgi_response_unsent(const struct response *rs)
{
	return rs->out->pending;
}

static void finish(struct response *rs, bool complete)
{
	enum ended ended = rs->protocol->end(rs->state, complete, rs->out);

	rs->ended = true;
	rs->keep = ended == ENDED_KEEP && complete && !rs->broken && !rs->out->failed;
	rs->cut = ended == ENDED_CUT;
}

static void let_go_at_end(struct response *rs, enum hold hold)
{
	if (hold == HOLD_TAKEN && rs->deadline->ends_early)
		deadline_end(rs->deadline);
	else
		response_let_go(rs, hold);
}

void response_end(struct response *rs)
{
	enum hold hold = response_hold(rs);

	if (!rs->head_sent)
		open_head(rs, rs->held_length);
	finish(rs, rs->bodiless || rs->declared < 0 || rs->body == rs->declared);
	let_go_at_end(rs, hold);
}

const char *uwsgi_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 451, "Unavailable For Legal Reasons" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

void response_refuse(struct response *rs, int status, struct slice text)
{
	char line[64];
	int n = snprintf(line, sizeof line, "%d %s", status, uwsgi_reason(status));

	if (!uwsgi_response_start(rs, (struct slice){ line, (size_t)n })) {
		enum hold hold = response_hold(rs);

		finish(rs, false);
		let_go_at_end(rs, hold);
		return;
	}
	rs->refusal = true;
	uwsgi_response_header(rs, SLICE("Content-Type"), SLICE("text/plain; charset=utf-8"));
	if (text.n == 0)
		text = (struct slice){ line + 4, (size_t)n - 4 };
	uwsgi_response_body(rs, text, NULL);
	uwsgi_response_body(rs, SLICE("\n"), NULL);
	response_end(rs);
}
