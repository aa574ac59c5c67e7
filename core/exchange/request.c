/* SPDX-License-Identifier: MIT */
/* request.c: collects what a protocol says of a request and hands it to the application.
 * Variables are slices of the head buffer or of the arena; nothing is freed one by one. */
#include "exchange/request.h"

#include "base/tempfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More variables than this are an attack: each costs the application a dictionary entry. */
#define MAX_VARS 4096u

void request_init(struct request *rq, const struct request_limits *limits)
{
	*rq = (struct request){ .limits = limits, .passed = -1 };
	arena_init(&rq->arena);
	body_init(&rq->body);
}

static void close_passed(struct request *rq)
{
	if (rq->passed >= 0)
		close(rq->passed);
	rq->passed = -1;
}

void request_keep_file(struct request *rq, int fd)
{
	close_passed(rq);
	rq->passed = fd;
}

void request_fini(struct request *rq)
{
	close_passed(rq);
	arena_fini(&rq->arena);
	body_fini(&rq->body);
	free(rq->vars);
	rq->vars = NULL;
	rq->count = rq->capacity = 0;
}

void request_reset(struct request *rq)
{
	arena_reset(&rq->arena);
	body_reset(&rq->body);
	close_passed(rq);
	rq->count = 0;
	rq->vars_size = 0;
	rq->logvars = NULL;
	rq->knows_client = rq->unlogged = false;
	rq->reject_status = 0;
	rq->reject_why = NULL;
	rq->method = rq->start = (struct slice){ 0 };
	rq->taken_us = 0;
}

const struct endpoint *uwsgi_request_peer(struct request *rq)
{
	return rq->peer;
}

const struct endpoint *uwsgi_request_local(struct request *rq)
{
	return rq->local;
}

void uwsgi_request_taken(struct request *rq, int64_t at_us)
{
	rq->taken_us = at_us;
}

void uwsgi_request_knows_client(struct request *rq)
{
	rq->knows_client = true;
}

bool uwsgi_request_trusts_proxy(const struct request *rq)
{
	const struct trust *trust = rq->limits->trust;

	return trust && trust_believes(trust, TRUST_PROXY, rq->peer->address);
}

static struct slice forwarder(const struct request *rq)
{
	return rq->knows_client ? uwsgi_request_find(rq, SLICE("REMOTE_ADDR")) : rq->peer->address;
}

bool request_is_forwarded(const struct request *rq)
{
	const struct trust *trust = rq->limits->trust;

	return trust && trust_believes(trust, TRUST_FORWARDED, forwarder(rq));
}

bool uwsgi_request_trusts_forwarded(const struct request *rq)
{
	if (!rq->limits->trust)
		return false;
	if (request_is_forwarded(rq))
		return true;
	trust_tell(rq->limits->trust, forwarder(rq));
	return false;
}

void uwsgi_request_reject(struct request *rq, int status, const char *why)
{
	if (rq->reject_status)
		return;
	rq->reject_status = status;
	rq->reject_why = why;
}

char *uwsgi_request_alloc(struct request *rq, size_t n)
{
	char *p = arena_alloc(&rq->arena, n);

	if (!p)
		uwsgi_request_reject(rq, 500, "out of memory");
	return p;
}

/* Looking for it later would cost each request more. */
#define START SLICE("HTTP_X_REQUEST_START")

bool uwsgi_request_var(struct request *rq, struct slice name, struct slice value)
{
	if (uwsgi_same(name, START))
		rq->start = value;
	if (rq->count == rq->capacity) {
		if (rq->count >= MAX_VARS) {
			uwsgi_request_reject(rq, 431, "too many variables");
			return false;
		}
		size_t wanted = rq->capacity ? rq->capacity * 2 : 64;
		struct var *grown = reallocarray(rq->vars, wanted, sizeof *grown);

		if (!grown) {
			uwsgi_request_reject(rq, 500, "out of memory");
			return false;
		}
		rq->vars = grown;
		rq->capacity = wanted;
	}
	rq->vars[rq->count++] = (struct var){ name, value };
	rq->vars_size += 4 + name.n + value.n;
	return true;
}

static bool within_limit(struct request *rq, int64_t length)
{
	if (!rq->limits->limit_post || length <= rq->limits->limit_post)
		return true;
	uwsgi_request_reject(rq, 413, "the body is larger than limit-post");
	return false;
}

static const char no_room[] = "the folder of temporary files has no room for the body";

/* RFC 4918 section 11.5: for this server it is too much, now. */
bool uwsgi_request_length(struct request *rq, int64_t declared)
{
	if (!within_limit(rq, declared))
		return false;
	if (declared <= rq->limits->post_buffering || tempfile_has_room(-1, declared))
		return true;
	uwsgi_request_reject(rq, 507, no_room);
	return false;
}

static bool is_stored(struct request *rq, enum stored stored, const struct error *e)
{
	if (stored == BODY_STORED)
		return true;
	uwsgi_log(UWSGI_ERROR, "%s", e->text);
	if (stored == BODY_NO_ROOM)
		uwsgi_request_reject(rq, 507, no_room);
	else
		uwsgi_request_reject(rq, 500, "the body cannot be stored");
	return false;
}

bool uwsgi_request_body(struct request *rq, struct slice bytes)
{
	struct error e;

	if (!within_limit(rq, rq->passed_on + rq->body.length + (int64_t)bytes.n))
		return false;
	return is_stored(rq, body_add(&rq->body, bytes, rq->limits->post_buffering, &e), &e);
}

bool uwsgi_request_body_file(struct request *rq, int64_t length)
{
	struct stat s;

	if (rq->passed < 0 || fstat(rq->passed, &s) || !S_ISREG(s.st_mode) || s.st_size != length)
		return false;
	body_adopt(&rq->body, rq->passed, length);
	rq->passed = -1;
	return true;
}

const struct var *uwsgi_request_vars(const struct request *rq, size_t *count)
{
	*count = rq->count;
	return rq->vars;
}

/* Both are as long. */
static bool ends_like(struct slice a, struct slice b)
{
	return a.n == 0 || a.p[a.n - 1] == b.p[b.n - 1];
}

struct slice uwsgi_request_find(const struct request *rq, struct slice name)
{
	for (size_t i = rq->count; i-- > 0;) {
		const struct var *v = &rq->vars[i];

		/* Of names as long as this one, few end like it: that spares the call. */
		if (v->name.n == name.n && ends_like(v->name, name) &&
		    !memcmp(v->name.p, name.p, name.n))
			return v->value;
	}
	return (struct slice){ NULL, 0 };
}

struct slice request_method(struct request *rq)
{
	if (!rq->method.p)
		rq->method = uwsgi_request_find(rq, SLICE("REQUEST_METHOD"));
	return rq->method;
}

static bool add_length(struct request *rq)
{
	enum { DIGITS = 24 };

	if (rq->body.length == 0 || uwsgi_request_find(rq, SLICE("CONTENT_LENGTH")).n > 0)
		return true;
	char *digits = uwsgi_request_alloc(rq, DIGITS);
	if (!digits)
		return false;
	int n = snprintf(digits, DIGITS, "%lld", (long long)rq->body.length);
	return uwsgi_request_var(rq, SLICE("CONTENT_LENGTH"), (struct slice){ digits, (size_t)n });
}

bool request_complete(struct request *rq)
{
	struct error e;

	return is_stored(rq, body_finish(&rq->body, &e), &e) && add_length(rq);
}

static struct logvar *find_logvar(const struct request *rq, struct slice name)
{
	struct logvar *v = rq->logvars;

	while (v && (v->name.n != name.n || memcmp(v->name.p, name.p, name.n)))
		v = v->next;
	return v;
}

struct slice uwsgi_request_logvar(const struct request *rq, struct slice name)
{
	const struct logvar *v = find_logvar(rq, name);

	return v ? v->value : (struct slice){ 0 };
}

void uwsgi_request_keep_out_of_log(struct request *rq)
{
	rq->unlogged = true;
}

void uwsgi_request_set_logvar(struct request *rq, struct slice name, struct slice value)
{
	struct logvar *v = find_logvar(rq, name);

	if (!v) {
		v = arena_alloc(&rq->arena, sizeof *v);
		if (!v)
			return;
		*v = (struct logvar){ rq->logvars, arena_copy(&rq->arena, name), { 0 } };
		rq->logvars = v;
	}
	v->value = arena_copy(&rq->arena, value);
}

struct body_view uwsgi_request_body_view(const struct request *rq)
{
	const struct body *b = &rq->body;

	return (struct body_view){
		.bytes = { b->fd < 0 ? b->memory : NULL, b->fd < 0 ? (size_t)b->length : 0 },
		.fd = b->fd,
		.length = b->length,
	};
}

void request_log_refusal(const struct request *rq)
{
	const struct endpoint *peer = rq->peer, *local = rq->local;

	uwsgi_log(UWSGI_NOTE, "refused a request on socket %.*s%s%.*s from %.*s with %d: %s",
		  (int)local->address.n, local->address.p, local->port.n ? ":" : "",
		  (int)local->port.n, local->port.p, peer->address.n ? (int)peer->address.n : 6,
		  peer->address.n ? peer->address.p : "a peer", rq->reject_status, rq->reject_why);
}
