/* SPDX-License-Identifier: MIT */
/* fastcgi.c: the FastCGI protocol plugin, in the role of a responder: one request at a time on a
 * connection.  The parameters are taken when all of them are there, the body as it comes. */
#include "fastcgi.h"

static enum parsed refuse(struct request *rq, const char *why)
{
	uwsgi_request_reject(rq, 400, why);
	return PARSE_BAD;
}

/* ---- records outside a body ---- */

/* What else speaks to this socket by mistake. */
static const char *foreign(struct slice in)
{
	if (in.p[0] == 0)
		return "a uwsgi packet on a FastCGI socket: use socket = for uwsgi_pass";
	if (in.p[0] == 0x16)
		return "TLS spoken to a FastCGI socket";
	if (in.p[0] >= 'A' && in.p[0] <= 'Z')
		return "HTTP spoken to a FastCGI socket: use http-socket = for HTTP, or "
		       "fastcgi_pass in nginx";
	return "this is not FastCGI";
}

static enum parsed give_up(struct fastcgi *s)
{
	s->id = 0;
	s->searched = 0;
	s->in_body = false;
	return s->keep ? PARSE_AGAIN : PARSE_CLOSE;
}

static enum parsed begin_request(struct fastcgi *s, const struct record *r, struct slice content,
				 struct sendbuf *out)
{
	enum { RESPONDER = 1, KEEP_CONN = 1 };

	if (s->id && r->id != s->id) {
		fastcgi_say_end_request(r->id, RECORD_CANT_MPX_CONN, out);
		return PARSE_MORE;
	}
	if (s->id || r->content != 8)
		return PARSE_BAD;
	s->keep = content.p[2] & KEEP_CONN;
	if (content.p[0] != 0 || content.p[1] != RESPONDER) {
		fastcgi_say_end_request(r->id, RECORD_UNKNOWN_ROLE, out);
		return give_up(s);
	}
	s->id = r->id;
	return PARSE_MORE;
}

/* One whole record before the parameters are complete.  DONE: they are. */
static enum parsed take_record(struct fastcgi *s, const struct record *r, struct slice content,
			       struct sendbuf *out)
{
	if (r->id == 0) {
		fastcgi_manage(r, content, out);
		return PARSE_MORE;
	}
	if (r->type == RECORD_BEGIN_REQUEST)
		return begin_request(s, r, content, out);
	if (r->id != s->id)
		return PARSE_MORE; /* of a request that was refused or is over */
	switch (r->type) {
	case RECORD_ABORT_REQUEST:
		fastcgi_say_end_request(s->id, RECORD_REQUEST_COMPLETE, out);
		return give_up(s);
	case RECORD_PARAMS:
		return r->content == 0 ? PARSE_DONE : PARSE_MORE;
	default:
		return PARSE_BAD;
	}
}

/* head: whole records, the last of them the one that ends the parameters. */
static enum parsed begin_body(struct fastcgi *s, struct request *rq, struct slice head)
{
	if (!fastcgi_take_params(s, rq, head) ||
	    (s->left > 0 && !uwsgi_request_length(rq, s->left)))
		return PARSE_BAD;
	s->searched = 0;
	s->in_body = true;
	s->last = false;
	s->content = s->padding = 0;
	return PARSE_MORE;
}

static enum parsed read_head(struct fastcgi *s, struct request *rq, struct slice in, size_t *used,
			     struct sendbuf *out)
{
	size_t at = s->searched;

	for (;;) {
		struct slice rest = { in.p + at, in.n - at };
		if (rest.n > 0 && rest.p[0] != RECORD_VERSION)
			return refuse(rq, s->id || at > 0 ? "a FastCGI record of another version"
							  : foreign(rest));
		if (rest.n < RECORD_HEADER)
			break;
		struct record r = record_read(rest);
		size_t size = RECORD_HEADER + r.content + r.padding;
		if (rest.n < size)
			break;
		enum parsed parsed = take_record(
			s, &r, (struct slice){ rest.p + RECORD_HEADER, r.content }, out);
		at += size;
		if (parsed == PARSE_BAD)
			return refuse(rq, "a FastCGI record that does not belong here");
		if (parsed == PARSE_AGAIN || parsed == PARSE_CLOSE) {
			*used = at;
			return parsed;
		}
		if (parsed == PARSE_DONE) {
			enum parsed begun =
				begin_body(s, rq, (struct slice){ in.p + *used, at - *used });

			*used = at;
			return begun;
		}
		/* Before a request, what was answered is done with. */
		if (s->id == 0)
			*used = at;
	}
	s->searched = (uint32_t)(at - *used);
	return PARSE_MORE;
}

/* ---- the body ---- */

static bool take_content(struct fastcgi *s, struct request *rq, struct slice bytes)
{
	if (!s->is_body)
		return true;
	if (s->left >= 0) {
		if ((int64_t)bytes.n > s->left) {
			refuse(rq, "the body is longer than CONTENT_LENGTH");
			return false;
		}
		s->left -= (int64_t)bytes.n;
	}
	return uwsgi_request_body(rq, bytes);
}

/* The header of a record behind the parameters; a management record is taken whole. */
static enum parsed take_header(struct fastcgi *s, struct slice in, size_t *used,
			       struct sendbuf *out)
{
	struct record r = record_read(in);
	size_t size = RECORD_HEADER + r.content + r.padding;
	bool whole = in.n >= size;
	bool ours = r.id == s->id;

	s->is_body = ours && r.type == RECORD_STDIN;
	if (r.version != RECORD_VERSION || (ours && !s->is_body && r.type != RECORD_ABORT_REQUEST))
		return PARSE_BAD;
	if (r.id == 0 || (ours && !s->is_body) || r.type == RECORD_BEGIN_REQUEST) {
		if (!whole)
			return PARSE_MORE;
		*used += size;
		return take_record(s, &r, (struct slice){ in.p + RECORD_HEADER, r.content }, out);
	}
	*used += RECORD_HEADER;
	s->content = (uint32_t)r.content;
	s->padding = (uint32_t)r.padding;
	s->last = s->is_body && r.content == 0;
	return PARSE_MORE;
}

static enum parsed finish(struct fastcgi *s, struct request *rq)
{
	s->in_body = false;
	if (s->left > 0)
		return refuse(rq, "the body is shorter than CONTENT_LENGTH");
	return PARSE_DONE;
}

static enum parsed read_body(struct fastcgi *s, struct request *rq, struct slice in, size_t *used,
			     struct sendbuf *out)
{
	for (;;) {
		struct slice rest = { in.p + *used, in.n - *used };
		size_t n = rest.n < s->content ? rest.n : s->content;

		if (n > 0 && !take_content(s, rq, (struct slice){ rest.p, n }))
			return PARSE_BAD;
		s->content -= (uint32_t)n;
		size_t skip = rest.n - n < s->padding ? rest.n - n : s->padding;
		if (s->content == 0)
			s->padding -= (uint32_t)skip;
		else
			skip = 0;
		*used += n + skip;
		if (s->content > 0 || s->padding > 0)
			return PARSE_MORE;
		if (s->last)
			return finish(s, rq);
		if (in.n - *used < RECORD_HEADER)
			return PARSE_MORE;
		size_t before = *used;
		enum parsed parsed =
			take_header(s, (struct slice){ in.p + *used, in.n - *used }, used, out);
		if (parsed == PARSE_BAD)
			return refuse(rq, "a FastCGI record that does not belong here");
		if (parsed != PARSE_MORE || *used == before)
			return parsed;
	}
}

static enum parsed parse(void *state, struct request *rq, struct slice in, size_t *used,
			 struct sendbuf *out)
{
	struct fastcgi *s = state;
	enum parsed parsed = PARSE_MORE;

	*used = 0;
	if (!s->in_body)
		parsed = read_head(s, rq, in, used, out);
	if (parsed == PARSE_MORE && s->in_body)
		parsed = read_body(s, rq, in, used, out);
	if (parsed == PARSE_BAD)
		s->keep = false; /* what comes behind it is not understood */
	return parsed;
}

static void begin(void *state, const struct config *cfg, const struct peer *peer)
{
	struct fastcgi *s = state;

	(void)cfg;
	s->tcp = peer->tcp;
}

/* A web server that sends a request just when its kept connection is closed here has lost it.  So the
 * web server is to be the first to close: nginx does after 60 s. */
static void timeouts(const struct config *cfg, struct protocol_timeouts *t)
{
	enum { KEPT_S = 75 };

	(void)cfg;
	if (t->idle < KEPT_S)
		t->idle = KEPT_S;
}

static const struct protocol protocol = {
	.name = "fastcgi",
	.state_size = sizeof(struct fastcgi),
	.timeouts = timeouts,
	.begin = begin,
	.parse = parse,
	.head = fastcgi_say_head,
	.body = fastcgi_say_body,
	.end = fastcgi_say_end,
};

struct settings {
	struct option_list sockets;
};

static const struct option rows[] = {
	{ .name = "fastcgi-socket",
	  .type = OPT_LIST,
	  .listen = LISTEN_WORKERS,
	  .offset = offsetof(struct settings, sockets),
	  .help = "listen for FastCGI on this address",
	  .unit = "ADDRESS",
	  .example = "127.0.0.1:9000" },
};

static const struct option_table options = {
	.module = "FastCGI",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "fastcgi",
	.options = &options,
	.protocol = &protocol,
};
