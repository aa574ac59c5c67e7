/* SPDX-License-Identifier: MIT */
/* uwsgi_proto.c: the uwsgi protocol plugin, which nginx's uwsgi_pass and Apache's mod_proxy_uwsgi
 * speak: one packet of variables, the body behind it, one answer, and the connection ends. */
#include "packet.h"

#include <string.h>

enum {
	MODIFIER_WSGI = 0,
	MODIFIER_WSGI_SCRIPT_NAME = 30, /* PATH_INFO still holds SCRIPT_NAME */
	MODIFIER_PING = 100,
};

/* One connection's; a connection carries one request. */
struct state {
	bool own;        /* the peer is this server's router, which reads chunks */
	bool open_ended; /* the answer's head says no length, and a body follows */
	bool in_body;
	int64_t left;    /* of the body */
	char version[9]; /* the request's SERVER_PROTOCOL */
};

static enum parsed refuse(struct request *rq, int status, const char *why)
{
	uwsgi_request_reject(rq, status, why);
	return PARSE_BAD;
}

/* ---- variables ---- */

/* Why a variable is refused; NULL: it is not.  With these, whoever reaches the socket could run
 * code of his own. */
static const char *forbidden(struct slice name)
{
	/* Each begins with the name of its variable. */
	static const char *const refusals[] = {
		"UWSGI_FILE is refused: a request cannot load an application",
		"UWSGI_MODULE is refused: a request cannot load an application",
		"UWSGI_SCRIPT is refused: a request cannot load an application",
		"UWSGI_CALLABLE is refused: a request cannot load an application",
		"UWSGI_APPID is refused: a request cannot choose an application",
		"UWSGI_HOME is refused: a request cannot choose a Python home",
		"UWSGI_PYHOME is refused: a request cannot choose a Python home",
		"UWSGI_CHDIR is refused: a request cannot change the working directory",
		"UWSGI_SETENV is refused: a request cannot change the environment",
		"UWSGI_POSTFILE is refused: a request cannot name a file as its body",
		"UWSGI_CACHE_GET is refused: there is no cache to answer from",
		"UWSGI_TOUCH_RELOAD is refused: a request cannot reload the server",
	};

	if (name.n < 6 || memcmp(name.p, "UWSGI_", 6))
		return NULL;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (strcspn(refusals[i], " ") == name.n && !memcmp(name.p, refusals[i], name.n))
			return refusals[i];
	return NULL;
}

/* Nothing else is repeated in the answer: what the peer sent could end its first line. */
static bool is_version(struct slice s)
{
	return s.n == 8 && !memcmp(s.p, "HTTP/", 5) && s.p[5] >= '0' && s.p[5] <= '9' &&
	       s.p[6] == '.' && s.p[7] >= '0' && s.p[7] <= '9';
}

/* What of the variables concerns the protocol itself. */
struct seen {
	int64_t length; /* -1: no CONTENT_LENGTH */
	struct slice path, script_name;
};

static bool look_at(struct state *s, struct request *rq, struct seen *seen, struct slice name,
		    struct slice value)
{
	const char *why = forbidden(name);

	if (why) {
		refuse(rq, 403, why);
		return false;
	}
	if (uwsgi_same(name, SLICE("CONTENT_LENGTH"))) {
		int64_t length = value.n > 0 ? uwsgi_number(value) : 0;

		if (length < 0 || (seen->length >= 0 && seen->length != length)) {
			refuse(rq, 400, "CONTENT_LENGTH is not a number, or given twice");
			return false;
		}
		seen->length = length;
	} else if (uwsgi_same(name, SLICE("SERVER_PROTOCOL")) && is_version(value)) {
		memcpy(s->version, value.p, value.n);
	} else if (uwsgi_same(name, SLICE("PATH_INFO"))) {
		seen->path = value;
	} else if (uwsgi_same(name, SLICE("SCRIPT_NAME"))) {
		seen->script_name = value;
	}
	return true;
}

/* The router's last variable, which is not for the application (plugins/http/packet.h). */
static bool says_taken(struct request *rq, struct slice name, struct slice value)
{
	int64_t at_us;

	if (!uwsgi_same(name, SLICE("UWSGI_TAKEN")) || value.n != sizeof at_us)
		return false;
	memcpy(&at_us, value.p, sizeof at_us);
	uwsgi_request_taken(rq, at_us);
	return true;
}

static bool read_variables(struct state *s, struct request *rq, struct slice vars,
			   struct seen *seen)
{
	struct slice name, value;
	int got;

	while ((got = packet_next(&vars, &name, &value)) > 0) {
		if (name.n == 0) {
			refuse(rq, 400, "a variable without a name in the uwsgi packet");
			return false;
		}
		if (vars.n == 0 && s->own && says_taken(rq, name, value))
			return true;
		if (!look_at(s, rq, seen, name, value) || !uwsgi_request_var(rq, name, value))
			return false;
	}
	if (got < 0)
		refuse(rq, 400, "a length in the uwsgi packet reaches past its end");
	return got == 0;
}

/* The old way to mount an application: the server takes SCRIPT_NAME off the path. */
static bool strip_script_name(struct request *rq, const struct seen *seen)
{
	size_t n = seen->script_name.n;

	if (n == 0 || seen->path.n < n || memcmp(seen->path.p, seen->script_name.p, n) ||
	    (seen->path.n > n && seen->path.p[n] != '/'))
		return true;
	return uwsgi_request_var(rq, SLICE("PATH_INFO"),
				 (struct slice){ seen->path.p + n, seen->path.n - n });
}

/* ---- the request ---- */

/* What else speaks to this socket by mistake: nearly always a browser or a health check. */
static const char *foreign(struct slice in)
{
	static const char *const methods[] = { "GET ", "POST", "HEAD", "PUT ", "OPTI",
					       "DELE", "PATC", "CONN", "TRAC", "PRI " };

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (!memcmp(in.p, methods[i], 4))
			return "HTTP spoken to a uwsgi socket: use http-socket = for HTTP, or "
			       "uwsgi_pass in nginx";
	if (in.p[0] == 0x16 && in.p[1] == 0x03)
		return "TLS spoken to a uwsgi socket";
	/* A beginning in version 1; as a packet, it would hold one byte of variables. */
	if (in.p[0] == 1 && in.p[1] == 1 && in.p[2] == 0)
		return "FastCGI spoken to a uwsgi socket: use fastcgi-socket = for FastCGI, or "
		       "uwsgi_pass in nginx";
	return NULL;
}

static enum parsed read_packet(struct state *s, struct request *rq, struct packet_header header,
			       struct slice vars)
{
	struct seen seen = { .length = -1 };

	if (s->own)
		uwsgi_request_knows_client(rq);
	if (!read_variables(s, rq, vars, &seen))
		return PARSE_BAD;
	if (header.modifier1 == MODIFIER_WSGI_SCRIPT_NAME && !strip_script_name(rq, &seen))
		return PARSE_BAD;
	if (seen.length <= 0)
		return PARSE_DONE;
	if (s->own && uwsgi_request_body_file(rq, seen.length))
		return PARSE_DONE;
	if (!uwsgi_request_length(rq, seen.length))
		return PARSE_BAD;
	s->in_body = true;
	s->left = seen.length;
	return PARSE_MORE;
}

static enum parsed read_head(struct state *s, struct request *rq, struct slice in, size_t *used,
			     struct sendbuf *out)
{
	strcpy(s->version, "HTTP/1.1");
	if (in.n < PACKET_HEADER)
		return PARSE_MORE;
	const char *other = s->own ? NULL : foreign(in);
	if (other)
		return refuse(rq, 400, other);
	struct packet_header header = packet_read_header(in);
	/* The router says larger ones, too, in the place of a number that is not used here. */
	if (s->own)
		header.size |= (size_t)header.modifier2 << 16;
	if (header.modifier1 == MODIFIER_PING) {
		uwsgi_sendbuf_bytes(out, (struct slice){ "\x64\0\0\x01", 4 });
		return PARSE_CLOSE;
	}
	if (header.modifier1 != MODIFIER_WSGI && header.modifier1 != MODIFIER_WSGI_SCRIPT_NAME)
		return refuse(rq, 501,
			      "the uwsgi packet's modifier1 asks for something else than a "
			      "Python application");
	if (in.n - PACKET_HEADER < header.size)
		return PARSE_MORE;
	*used = PACKET_HEADER + header.size;
	return read_packet(s, rq, header, (struct slice){ in.p + PACKET_HEADER, header.size });
}

static enum parsed read_body(struct state *s, struct request *rq, struct slice in, size_t *used)
{
	size_t n = in.n < (uint64_t)s->left ? in.n : (size_t)s->left;

	if (!uwsgi_request_body(rq, (struct slice){ in.p, n }))
		return PARSE_BAD;
	*used += n;
	s->left -= (int64_t)n;
	return s->left == 0 ? PARSE_DONE : PARSE_MORE;
}

static enum parsed parse(void *state, struct request *rq, struct slice in, size_t *used,
			 struct sendbuf *out)
{
	struct state *s = state;
	enum parsed parsed = PARSE_MORE;

	*used = 0;
	if (!s->in_body)
		parsed = read_head(s, rq, in, used, out);
	if (parsed != PARSE_MORE || !s->in_body)
		return parsed;
	return read_body(s, rq, (struct slice){ in.p + *used, in.n - *used }, used);
}

/* ---- the response ---- */

struct text {
	char bytes[4096];
	size_t n;
	struct sendbuf *out;
};

static void add(struct text *t, struct slice s)
{
	if (s.n > sizeof t->bytes - t->n) {
		uwsgi_sendbuf_bytes(t->out, (struct slice){ t->bytes, t->n });
		t->n = 0;
	}
	if (s.n > sizeof t->bytes) {
		uwsgi_sendbuf_bytes(t->out, s);
		return;
	}
	if (s.n)
		memcpy(t->bytes + t->n, s.p, s.n);
	t->n += s.n;
}

/* nginx's cache, unless its key says $request_method, takes what a HEAD gets for what a GET would
 * get.  nginx keeps this header to itself. */
static const struct slice not_for_caches = SLICE("X-Accel-Expires: 0\r\n");

/* What the server says itself, where the peer acts on it: how the body is framed, and that. */
static bool is_ours(const struct state *s, const struct head *head, struct slice name)
{
	if (s->own)
		return uwsgi_same_name(name, SLICE("Transfer-Encoding"));
	return head->head_only && uwsgi_same_name(name, SLICE("X-Accel-Expires"));
}

/* A web server sees the end of a body without a length by the end of the connection, and so cannot
 * tell a worker that died from one that is done.  To this server's own router such a body goes in
 * chunks (RFC 9112 section 7.1), whatever the client's version is. */
static void say_head(void *state, const struct head *head, struct sendbuf *out)
{
	struct state *s = state;
	struct text t = { .out = out };

	s->open_ended = head->length < 0 && !head->bodiless;
	add(&t, (struct slice){ s->version, strlen(s->version) });
	add(&t, SLICE(" "));
	add(&t, head->line);
	add(&t, SLICE("\r\n"));
	for (size_t i = 0; i < head->header_count; i++) {
		if (is_ours(s, head, head->headers[i].name))
			continue;
		add(&t, head->headers[i].name);
		add(&t, SLICE(": "));
		add(&t, head->headers[i].value);
		add(&t, SLICE("\r\n"));
	}
	if (s->own && s->open_ended)
		add(&t, SLICE("Transfer-Encoding: chunked\r\n"));
	if (!s->own && head->head_only)
		add(&t, not_for_caches);
	add(&t, SLICE("\r\n"));
	uwsgi_sendbuf_bytes(out, (struct slice){ t.bytes, t.n });
}

static void say_body(void *state, const struct piece *piece, struct sendbuf *out)
{
	const struct state *s = state;

	if (s->own && s->open_ended)
		uwsgi_sendbuf_chunk(out, piece);
	else
		uwsgi_sendbuf_piece(out, piece);
}

/* The end of the connection is the end of the answer: to Apache also of one that is shorter than its
 * Content-Length. */
static enum ended say_end(void *state, bool complete, struct sendbuf *out)
{
	const struct state *s = state;

	if (s->own && s->open_ended && complete)
		uwsgi_sendbuf_bytes(out, SLICE("0\r\n\r\n"));
	return complete || s->own ? ENDED_CLOSE : ENDED_CUT;
}

static void begin(void *state, const struct config *cfg, const struct peer *peer)
{
	struct state *s = state;

	(void)cfg;
	s->own = peer->own;
}

static const struct protocol protocol = {
	.name = "uwsgi",
	.state_size = sizeof(struct state),
	.framing = PACKET_HEADER,
	.begin = begin,
	.parse = parse,
	.head = say_head,
	.body = say_body,
	.end = say_end,
};

struct settings {
	struct option_list sockets;
};

static const struct option rows[] = {
	{ .name = "uwsgi-socket",
	  .type = OPT_LIST,
	  .listen = LISTEN_WORKERS,
	  .offset = offsetof(struct settings, sockets),
	  .help = "listen for uwsgi packets on this address, whatever protocol says",
	  .unit = "ADDRESS",
	  .example = "/run/app.sock" },
};

static const struct option_table options = {
	.module = "uwsgi packets",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

static const char *const aliases[] = { "uwsgi", "ping", NULL };

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "uwsgi_proto",
	.aliases = aliases,
	.options = &options,
	.protocol = &protocol,
};
