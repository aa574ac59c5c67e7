/* SPDX-License-Identifier: MIT */
/* finger.c: a protocol outside the tree: the Finger protocol of RFC 1288, a line in, a text out, and
 * the connection ends.  Whoever is asked for is the path. */
#include <uwsgi/plugin.h>

#include <string.h>

struct settings {
	struct option_list sockets;
};

static const struct option rows[] = {
	{ .name = "finger-socket",
	  .type = OPT_LIST,
	  .listen = LISTEN_WORKERS,
	  .offset = offsetof(struct settings, sockets),
	  .help = "listen for the Finger protocol on this address",
	  .unit = "ADDRESS",
	  .example = ":79" },
};

static const struct option_table options = {
	.module = "finger",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

/* What an application needs of every request: PEP 3333, "environ Variables". */
static bool say_variables(struct request *rq, struct slice who)
{
	char *path = uwsgi_request_alloc(rq, who.n + 1);

	if (!path)
		return false;
	path[0] = '/';
	memcpy(path + 1, who.p, who.n);
	return uwsgi_request_var(rq, SLICE("REQUEST_METHOD"), SLICE("GET")) &&
	       uwsgi_request_var(rq, SLICE("SCRIPT_NAME"), SLICE("")) &&
	       uwsgi_request_var(rq, SLICE("PATH_INFO"), (struct slice){ path, who.n + 1 }) &&
	       uwsgi_request_var(rq, SLICE("QUERY_STRING"), SLICE("")) &&
	       uwsgi_request_var(rq, SLICE("REQUEST_URI"), (struct slice){ path, who.n + 1 }) &&
	       uwsgi_request_var(rq, SLICE("SERVER_NAME"), SLICE("finger")) &&
	       uwsgi_request_var(rq, SLICE("SERVER_PORT"), SLICE("79")) &&
	       uwsgi_request_var(rq, SLICE("SERVER_PROTOCOL"), SLICE("FINGER/1288"));
}

static enum parsed parse(void *state, struct request *rq, struct slice in, size_t *used,
			 struct sendbuf *out)
{
	const char *newline = in.n ? memchr(in.p, '\n', in.n) : NULL;

	(void)state;
	(void)out;
	if (!newline)
		return PARSE_MORE;
	struct slice who = { in.p, (size_t)(newline - in.p) };

	if (who.n && who.p[who.n - 1] == '\r')
		who.n--;
	*used = (size_t)(newline + 1 - in.p);
	if (memchr(who.p, '@', who.n)) {
		uwsgi_request_reject(rq, 403, "requests are not passed on");
		return PARSE_BAD;
	}
	return say_variables(rq, who) ? PARSE_DONE : PARSE_BAD;
}

/* The protocol has no status and no headers: a text says what went wrong. */
static void say_head(void *state, const struct head *head, struct sendbuf *out)
{
	(void)state;
	if (head->status >= 400)
		uwsgi_sendbuf_printf(out, "%.*s\r\n", (int)head->line.n, head->line.p);
}

static void say_body(void *state, const struct piece *piece, struct sendbuf *out)
{
	(void)state;
	uwsgi_sendbuf_piece(out, piece);
}

static enum ended say_end(void *state, bool complete, struct sendbuf *out)
{
	(void)state;
	(void)out;
	return complete ? ENDED_CLOSE : ENDED_CUT;
}

static const struct protocol protocol = {
	.name = "finger",
	.parse = parse,
	.head = say_head,
	.body = say_body,
	.end = say_end,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "finger",
	.options = &options,
	.protocol = &protocol,
};
