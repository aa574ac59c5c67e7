/* SPDX-License-Identifier: MIT */
/* http.c: the HTTP/1.0 and HTTP/1.1 protocol plugin: has the head of a request read, then
 * takes the body.  One request at a time; what is pipelined behind it waits.  It does not say what
 * fields mean (fields.c) nor what the application gets to see (variables.c). */
#include "http.h"

#include "router.h"
#include "settings.h"

static void timeouts(const struct config *cfg, struct protocol_timeouts *t)
{
	const struct http_settings *s = http_settings(cfg);

	t->head = s->head_timeout_s ? s->head_timeout_s : s->timeout_s;
	t->body = s->timeout_s;
	t->idle = http_keepalive_s(s);
}

static void begin(void *state, const struct config *cfg, const struct peer *peer)
{
	const struct http_settings *s = http_settings(cfg);
	struct http *http = state;

	(void)peer;
	http->proxied.expected = s->proxied;
	http->one_request = http_keepalive_s(s) == 0;
}

static enum parsed refuse(struct http *s, struct request *rq, const struct http_refusal *r)
{
	s->refused = true;
	if (r->status)
		uwsgi_request_reject(rq, r->status, r->why);
	return PARSE_BAD;
}

/* ---- what the head says ---- */

static enum parsed begin_body(struct http *s, struct request *rq, const struct http_meaning *m,
			      bool body_is_here, struct sendbuf *out)
{
	if (m->length > 0 && !uwsgi_request_length(rq, m->length)) {
		s->refused = true;
		return PARSE_BAD;
	}
	if (m->length <= 0 && !m->chunked)
		return PARSE_DONE;
	if (m->chunked) {
		s->phase = HTTP_CHUNKED;
		s->body = (struct http_chunked){ 0 };
	} else {
		s->phase = HTTP_LENGTH;
		s->body.left = m->length;
	}
	if (m->expects_continue && !body_is_here)
		uwsgi_sendbuf_bytes(out, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
	return PARSE_MORE;
}

/* A tunnel is never opened here: what follows a CONNECT is nobody's request. */
static bool is_connect(const struct http_head *h)
{
	return uwsgi_same(h->method, SLICE("CONNECT"));
}

static enum parsed read_head(struct http *s, struct request *rq, struct slice in, size_t *used,
			     struct sendbuf *out)
{
	struct http_refusal why = { 0 };
	struct http_head head;
	struct http_meaning meaning;
	struct http_target target;
	struct slice text;
	struct endpoint peer;

	/* Of the request before, which the answer to a head that never ends must not take over. */
	s->keep_alive = false;
	switch (http_find_head(&s->search, in, &text, &why)) {
	case HTTP_END_MISSING:
		return PARSE_MORE;
	case HTTP_END_BAD:
		return refuse(s, rq, &why);
	case HTTP_END_FOUND:
		break;
	}
	*used = (size_t)(text.p - in.p) + text.n;
	s->search = (struct http_search){ 0 };
	if (!http_parse_head(text, &head, &why))
		return refuse(s, rq, &why);
	s->version_1_1 = head.minor > 0;
	if (!http_read_fields(&head, &meaning, &why) ||
	    !http_read_target(&head, rq, &target, &why) ||
	    !http_find_peer(&s->proxied, rq, &peer) ||
	    !http_make_variables(&head, &meaning, &target, &peer, rq))
		return refuse(s, rq, &why);
	s->keep_alive = !s->one_request && !meaning.close &&
			(s->version_1_1 || meaning.keep_alive) && !is_connect(&head);
	return begin_body(s, rq, &meaning, in.n > *used, out);
}

/* ---- the body ---- */

static enum parsed read_length_body(struct http *s, struct request *rq, struct slice in,
				    size_t *used)
{
	size_t n = in.n < (uint64_t)s->body.left ? in.n : (size_t)s->body.left;

	if (!uwsgi_request_body(rq, (struct slice){ in.p, n }))
		return PARSE_BAD;
	*used += n;
	s->body.left -= (int64_t)n;
	return s->body.left == 0 ? PARSE_DONE : PARSE_MORE;
}

static enum parsed read_chunked_body(struct http *s, struct request *rq, struct slice in,
				     size_t *used, struct http_refusal *why)
{
	enum parsed parsed = PARSE_MORE;
	size_t at = 0;
	struct slice data;

	while (parsed == PARSE_MORE && at < in.n) {
		struct slice rest = { in.p + at, in.n - at };

		parsed = http_next_chunk(&s->body, rest, &at, &data, why);
		if (data.n > 0 && !uwsgi_request_body(rq, data))
			return PARSE_BAD;
	}
	*used += at;
	return parsed;
}

static enum parsed read_body(struct http *s, struct request *rq, struct slice in, size_t *used)
{
	struct http_refusal why = { 0 };
	enum parsed parsed = s->phase == HTTP_LENGTH ? read_length_body(s, rq, in, used)
						     : read_chunked_body(s, rq, in, used, &why);

	if (parsed != PARSE_MORE)
		s->phase = HTTP_HEAD;
	return parsed == PARSE_BAD ? refuse(s, rq, &why) : parsed;
}

/* PARSE_AGAIN: what follows is a request. */
static enum parsed read_proxied(struct http *s, struct request *rq, struct slice in, size_t *used)
{
	static const struct http_refusal
		why = { 400, "no PROXY protocol, which http-enable-proxy-protocol expects" },
		stranger = { 403, "proxy-allow-ips does not name this peer" };
	if (!uwsgi_request_trusts_proxy(rq))
		return refuse(s, rq, &stranger);
	enum parsed parsed = http_read_proxied(in, &s->proxied, used);

	if (parsed == PARSE_BAD)
		return refuse(s, rq, &why);
	if (parsed == PARSE_MORE)
		return parsed;
	s->proxied.expected = false;
	return PARSE_AGAIN;
}

static enum parsed parse(void *state, struct request *rq, struct slice in, size_t *used,
			 struct sendbuf *out)
{
	struct http *s = state;
	enum parsed parsed = PARSE_MORE;

	*used = 0;
	if (s->proxied.expected)
		return read_proxied(s, rq, in, used);
	if (s->phase == HTTP_HEAD)
		parsed = read_head(s, rq, in, used, out);
	if (parsed != PARSE_MORE || s->phase == HTTP_HEAD || *used == in.n)
		return parsed;
	return read_body(s, rq, (struct slice){ in.p + *used, in.n - *used }, used);
}

static const char *const aliases[] = { "http11", NULL };

static const struct protocol protocol = {
	.name = "http",
	.aliases = aliases,
	.state_size = sizeof(struct http),
	.timeouts = timeouts,
	.begin = begin,
	.parse = parse,
	.head = http_say_head,
	.body = http_say_body,
	.end = http_say_end,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "http",
	.options = &http_options,
	.protocol = &protocol,
	.gateway = &router_gateway,
};
