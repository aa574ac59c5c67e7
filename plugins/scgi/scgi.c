/* SPDX-License-Identifier: MIT */
/* scgi.c: the SCGI protocol plugin (https://python.ca/scgi/protocol.txt), which nginx's scgi_pass
 * and Apache's mod_proxy_scgi speak: a netstring of variables, the body behind it, one answer as
 * CGI has it, and the connection ends. */
#include <uwsgi/plugin.h>

#include <string.h>

/* A netstring's length has no more digits than this: 999 MB. */
enum { DIGITS_MOST = 9 };

/* One connection's; a connection carries one request. */
struct state {
	bool in_body;
	int64_t left; /* of the body */
};

static enum parsed refuse(struct request *rq, int status, const char *why)
{
	uwsgi_request_reject(rq, status, why);
	return PARSE_BAD;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- variables ---- */

/* What of the variables concerns the protocol itself. */
struct seen {
	int64_t length; /* -1: no CONTENT_LENGTH yet */
	bool scgi, path;
	struct slice script_name, document_uri;
};

/* A second one comes from an nginx whose scgi_param names it; it may be empty for 0.  With
 * scgi_request_buffering off, nginx's own first one is only what it has read so far: without the
 * second, nobody notices that the body is cut off there. */
static const char *look_at_length(struct seen *seen, struct slice value)
{
	int64_t n = uwsgi_number(value);

	if (seen->length == 0 && value.n == 0)
		return NULL;
	if (n < 0)
		return "CONTENT_LENGTH is not a number";
	if (seen->length >= 0 && seen->length != n)
		return "CONTENT_LENGTH is given twice and not the same: nginx does that with "
		       "scgi_request_buffering off, which does not work";
	seen->length = n;
	return NULL;
}

/* Why the request is refused; NULL: it is not. */
static const char *look_at(struct seen *seen, struct slice name, struct slice value)
{
	if (name.n == 0)
		return "an SCGI header without a name";
	if (uwsgi_same(name, SLICE("CONTENT_LENGTH")))
		return look_at_length(seen, value);
	if (seen->length < 0)
		return "the first SCGI header is not CONTENT_LENGTH";
	if (uwsgi_same(name, SLICE("SCGI"))) {
		if (!uwsgi_same(value, SLICE("1")))
			return "the SCGI header names another version than 1";
		seen->scgi = true;
	} else if (uwsgi_same(name, SLICE("PATH_INFO"))) {
		seen->path = true;
	} else if (uwsgi_same(name, SLICE("SCRIPT_NAME"))) {
		seen->script_name = value;
	} else if (uwsgi_same(name, SLICE("DOCUMENT_URI"))) {
		seen->document_uri = value;
	}
	return NULL;
}

/* Up to the next zero; *rest goes behind it.  False: there is none. */
static bool next_string(struct slice *rest, struct slice *s)
{
	const char *zero = memchr(rest->p, 0, rest->n);

	if (!zero)
		return false;
	*s = (struct slice){ rest->p, (size_t)(zero - rest->p) };
	rest->n -= s->n + 1;
	rest->p = zero + 1;
	return true;
}

static bool read_variables(struct request *rq, struct slice vars, struct seen *seen)
{
	struct slice name, value;

	while (vars.n > 0) {
		const char *why = "the SCGI headers end in the middle of one";

		if (next_string(&vars, &name) && next_string(&vars, &value))
			why = look_at(seen, name, value);
		if (why) {
			refuse(rq, 400, why);
			return false;
		}
		if (!uwsgi_request_var(rq, name, value))
			return false;
	}
	if (seen->length < 0 || !seen->scgi) {
		refuse(rq, 400,
		       seen->length < 0 ? "the SCGI headers lack CONTENT_LENGTH"
					: "the SCGI headers lack SCGI: nginx has it in the file "
					  "scgi_params");
		return false;
	}
	return true;
}

/* nginx's stock scgi_params say no PATH_INFO but DOCUMENT_URI, Apache's mod_proxy_scgi by itself
 * only SCRIPT_NAME: to an application that is mounted at the root, that is the path. */
static bool complete_path(struct request *rq, const struct seen *seen)
{
	if (seen->path)
		return true;
	if (!seen->script_name.p)
		return !seen->document_uri.p ||
		       uwsgi_request_var(rq, SLICE("PATH_INFO"), seen->document_uri);
	return uwsgi_request_var(rq, SLICE("PATH_INFO"), seen->script_name) &&
	       uwsgi_request_var(rq, SLICE("SCRIPT_NAME"), SLICE(""));
}

/* ---- the request ---- */

/* What else speaks to this socket by mistake. */
static const char *foreign(char first)
{
	if (first == 0)
		return "a uwsgi packet on an SCGI socket: use socket = for uwsgi_pass";
	if (first == 1)
		return "FastCGI spoken to an SCGI socket: use fastcgi-socket = for fastcgi_pass";
	if (first == 0x16)
		return "TLS spoken to an SCGI socket";
	if (first >= 'A' && first <= 'Z')
		return "HTTP spoken to an SCGI socket: use http-socket = for HTTP, or scgi_pass "
		       "in nginx";
	return "this is not SCGI";
}

/* The netstring's length and the colon behind it; *at goes behind that. */
static enum parsed read_size(struct request *rq, struct slice in, size_t *size, size_t *at)
{
	size_t n = 0, digits = 0;

	while (digits < in.n && digits <= DIGITS_MOST && is_digit(in.p[digits]))
		n = n * 10 + (size_t)(in.p[digits++] - '0');
	if (in.n > 0 && digits == 0)
		return refuse(rq, 400, foreign(in.p[0]));
	if (digits > DIGITS_MOST || (digits > 1 && in.p[0] == '0'))
		return refuse(rq, 400, "the length of the SCGI headers is not one of a netstring");
	if (digits == in.n)
		return PARSE_MORE;
	if (in.p[digits] != ':')
		return refuse(rq, 400, "the length of the SCGI headers does not end in a colon");
	*size = n;
	*at = digits + 1;
	return PARSE_DONE;
}

static enum parsed take_variables(struct state *s, struct request *rq, struct slice vars)
{
	struct seen seen = { .length = -1 };

	if (!read_variables(rq, vars, &seen) || !complete_path(rq, &seen))
		return PARSE_BAD;
	if (seen.length == 0)
		return PARSE_DONE;
	if (!uwsgi_request_length(rq, seen.length))
		return PARSE_BAD;
	s->in_body = true;
	s->left = seen.length;
	return PARSE_MORE;
}

static enum parsed read_head(struct state *s, struct request *rq, struct slice in, size_t *used)
{
	size_t size, at;
	enum parsed parsed = read_size(rq, in, &size, &at);

	if (parsed != PARSE_DONE)
		return parsed;
	if (in.n - at <= size)
		return PARSE_MORE;
	if (in.p[at + size] != ',')
		return refuse(rq, 400, "the SCGI headers do not end where their length says");
	*used = at + size + 1;
	return take_variables(s, rq, (struct slice){ in.p + at, size });
}

static enum parsed parse(void *state, struct request *rq, struct slice in, size_t *used,
			 struct sendbuf *out)
{
	struct state *s = state;

	(void)out;
	*used = 0;
	if (!s->in_body) {
		enum parsed parsed = read_head(s, rq, in, used);

		if (parsed != PARSE_MORE || !s->in_body)
			return parsed;
	}
	size_t here = in.n - *used;
	size_t n = here < (uint64_t)s->left ? here : (size_t)s->left;

	if (!uwsgi_request_body(rq, (struct slice){ in.p + *used, n }))
		return PARSE_BAD;
	*used += n;
	s->left -= (int64_t)n;
	return s->left == 0 ? PARSE_DONE : PARSE_MORE;
}

/* ---- the response ---- */

/* nginx's cache, unless its key says $request_method, takes what a HEAD gets for what a GET would
 * get.  nginx keeps this header to itself. */
static const struct slice not_for_caches = SLICE("X-Accel-Expires: 0\r\n");

static bool is_for_caches(struct slice name)
{
	return uwsgi_same_name(name, SLICE("X-Accel-Expires"));
}

/* RFC 3875 section 6. */
static void say_head(void *state, const struct head *head, struct sendbuf *out)
{
	(void)state;
	uwsgi_sendbuf_bytes(out, SLICE("Status: "));
	uwsgi_sendbuf_bytes(out, head->line);
	for (size_t i = 0; i < head->header_count; i++) {
		if (head->head_only && is_for_caches(head->headers[i].name))
			continue;
		uwsgi_sendbuf_bytes(out, SLICE("\r\n"));
		uwsgi_sendbuf_bytes(out, head->headers[i].name);
		uwsgi_sendbuf_bytes(out, SLICE(": "));
		uwsgi_sendbuf_bytes(out, head->headers[i].value);
	}
	uwsgi_sendbuf_bytes(out, SLICE("\r\n"));
	if (head->head_only)
		uwsgi_sendbuf_bytes(out, not_for_caches);
	uwsgi_sendbuf_bytes(out, SLICE("\r\n"));
}

static void say_body(void *state, const struct piece *piece, struct sendbuf *out)
{
	(void)state;
	uwsgi_sendbuf_piece(out, piece);
}

/* The end of the connection is the end of the answer. */
static enum ended say_end(void *state, bool complete, struct sendbuf *out)
{
	(void)state;
	(void)out;
	return complete ? ENDED_CLOSE : ENDED_CUT;
}

static const struct protocol protocol = {
	.name = "scgi",
	.state_size = sizeof(struct state),
	.parse = parse,
	.head = say_head,
	.body = say_body,
	.end = say_end,
};

struct settings {
	struct option_list sockets;
};

static const struct option rows[] = {
	{ .name = "scgi-socket",
	  .type = OPT_LIST,
	  .listen = LISTEN_WORKERS,
	  .offset = offsetof(struct settings, sockets),
	  .help = "listen for SCGI on this address",
	  .unit = "ADDRESS",
	  .example = "127.0.0.1:4000" },
};

static const struct option_table options = {
	.module = "SCGI",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "scgi",
	.options = &options,
	.protocol = &protocol,
};
