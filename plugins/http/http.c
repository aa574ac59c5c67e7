/* SPDX-License-Identifier: MIT */
/* http.c: the HTTP/1.0 and HTTP/1.1 protocol plugin: finds the head in what has come, has it
 * read, then takes the body.  One request at a time; what is pipelined behind it waits. */
#include "http.h"

struct http_settings {
	long long timeout_s;
};

#define AT(member) offsetof(struct http_settings, member)
static const struct option rows[] = {
	{ .name = "http-timeout", .type = OPT_SECONDS, .offset = AT(timeout_s), .initial = "60",
	  .min = 1, .max = 86400,
	  .help = "how long an HTTP client may take for the head of a request, stay silent inside "
		  "a body, or keep an idle connection" },
	{ .name = "http-keepalive", .type = OPT_ALWAYS,
	  .help = "connections are kept alive, idle ones for http-timeout" },
};
#undef AT

static const struct option_table options = {
	.module = "http",
	.size = sizeof(struct http_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

static long long timeout_s(const struct config *cfg)
{
	const struct http_settings *s = uwsgi_options(cfg, &options);

	return s->timeout_s;
}

/* ---- the head ---- */

static enum parsed refuse(struct http *s, struct request *rq, int status, const char *why)
{
	s->refused = true;
	uwsgi_request_reject(rq, status, why);
	return PARSE_BAD;
}

/* Empty lines before a request are read over (RFC 9112 section 2.2). */
static size_t empty_lines(struct slice in)
{
	size_t n = 0;

	while (n + 1 < in.n && in.p[n] == '\r' && in.p[n + 1] == '\n')
		n += 2;
	return n;
}

/* What else speaks to this port by mistake. */
static const char *foreign(struct slice in)
{
	if (in.n >= 3 && in.p[0] == 0x16 && in.p[1] == 0x03)
		return "TLS spoken to a plain HTTP socket";
	if (in.n >= 4 && in.p[0] == 0)
		return "a uwsgi packet on an HTTP socket: use socket = for uwsgi_pass";
	return NULL;
}

enum end { END_MISSING, END_FOUND, END_BAD };

/* Looks for the empty line that ends the head, from where the last search stopped.  *length
 * takes it in.  A bare LF twice would be an end to others: waiting on would be for ever. */
static enum end find_end(struct http *s, struct slice in, size_t *length)
{
	struct slice rest = in;

	if (s->searched < in.n) {
		rest.p += s->searched;
		rest.n -= s->searched;
	}
	const char *end = memmem(rest.p, rest.n, "\r\n\r\n", 4);
	if (end) {
		s->searched = 0;
		*length = (size_t)(end - in.p) + 4;
		return END_FOUND;
	}
	s->searched = (uint32_t)(in.n > 3 ? in.n - 3 : 0);
	return memmem(rest.p, rest.n, "\n\n", 2) ? END_BAD : END_MISSING;
}

static enum parsed begin_body(struct http *s, struct request *rq, const struct http_meaning *m,
			      bool body_is_here, struct out *out)
{
	if (m->length > 0 && !uwsgi_request_length(rq, m->length)) {
		s->refused = true;
		return PARSE_BAD;
	}
	s->left = m->length > 0 ? m->length : 0;
	if (m->length <= 0 && !m->chunked)
		return PARSE_DONE;
	s->phase = m->chunked ? HTTP_CHUNKED : HTTP_LENGTH;
	if (m->chunked) {
		s->chunk = CHUNK_SIZE;
		s->chunk_digits = s->chunk_extra = 0;
	}
	if (m->expects_continue && !body_is_here)
		uwsgi_out_bytes(out, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
	return PARSE_MORE;
}

static enum parsed read_head(struct http *s, struct request *rq, struct slice in, size_t *used,
			     struct out *out)
{
	size_t skipped = empty_lines(in);
	struct slice text = { in.p + skipped, in.n - skipped };
	const char *other = foreign(text);
	struct http_head head;
	struct http_meaning meaning;
	struct http_refusal why;

	s->version_1_1 = true;
	s->keep_alive = s->refused = s->chunking = false;
	if (other)
		return refuse(s, rq, 400, other);
	switch (find_end(s, text, &text.n)) {
	case END_MISSING:
		return PARSE_MORE;
	case END_BAD:
		return refuse(s, rq, 400, "a line does not end with CRLF");
	case END_FOUND:
		break;
	}
	*used = skipped + text.n;
	if (!http_parse_head(text, &head, &why))
		return refuse(s, rq, why.status, why.why);
	s->version_1_1 = head.minor > 0;
	if (!http_read_fields(&head, &meaning, &why) ||
	    !http_make_variables(&head, &meaning, rq, &why))
		return refuse(s, rq, why.status, why.why);
	s->keep_alive = !meaning.close && (s->version_1_1 || meaning.keep_alive);
	return begin_body(s, rq, &meaning, in.n > *used, out);
}

/* ---- the body ---- */

static enum parsed read_length_body(struct http *s, struct request *rq, struct slice in,
				    size_t *used)
{
	size_t n = in.n < (uint64_t)s->left ? in.n : (size_t)s->left;

	if (!uwsgi_request_body(rq, (struct slice){ in.p, n }))
		return PARSE_BAD;
	*used += n;
	s->left -= (int64_t)n;
	return s->left == 0 ? PARSE_DONE : PARSE_MORE;
}

static enum parsed read_body(struct http *s, struct request *rq, struct slice in, size_t *used)
{
	struct http_refusal why = { 0 };
	enum parsed parsed = s->phase == HTTP_LENGTH
				     ? read_length_body(s, rq, in, used)
				     : http_read_chunked(s, rq, in, used, &why);

	if (parsed == PARSE_BAD && why.status)
		uwsgi_request_reject(rq, why.status, why.why);
	if (parsed == PARSE_BAD)
		s->refused = true;
	if (parsed != PARSE_MORE)
		s->phase = HTTP_HEAD;
	return parsed;
}

static enum parsed parse(void *state, struct request *rq, struct slice in, size_t *used,
			 struct out *out)
{
	struct http *s = state;
	enum parsed parsed = PARSE_MORE;

	*used = 0;
	if (s->phase == HTTP_HEAD)
		parsed = read_head(s, rq, in, used, out);
	if (parsed != PARSE_MORE || s->phase == HTTP_HEAD)
		return parsed;
	return read_body(s, rq, (struct slice){ in.p + *used, in.n - *used }, used);
}

static const struct protocol protocol = {
	.name = "http",
	.state_size = sizeof(struct http),
	.timeout_s = timeout_s,
	.parse = parse,
	.head = http_say_head,
	.body = http_say_body,
	.end = http_say_end,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "http",
	.options = &options,
	.protocol = &protocol,
};
