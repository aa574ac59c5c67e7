/* SPDX-License-Identifier: MIT */
/* proxy.c: the servers of the actions http and uwsgi, and how a request begins its way to one. */
#include "proxy.h"

#include <stdlib.h>

/* The largest head that an HTTP server is sent; buffer-size bounds what comes in. */
enum { HEAD_MOST = 1 << 20 };

/* Buffers that each rule keeps for its next requests. */
enum { SPARE_JOBS = 4 };

struct proxy {
	struct upstream upstream;
	struct proxy_lane *lane;
	char where[128];
	struct value host; /* of http; without parts: the request's */
	bool has_host;
	unsigned modifier1, modifier2;
	struct slice application; /* of uwsgi; the other server's name for it */
};

/* ---- taking apart ---- */

/* What is left out is 0. */
static bool read_modifier(struct slice s, unsigned *modifier)
{
	int64_t n = s.n > 0 ? uwsgi_number(s) : 0;

	*modifier = (unsigned)n;
	return s.n <= 3 && n >= 0 && n < 256;
}

static struct slice next_word(struct slice *rest)
{
	const char *comma = rest->n ? memchr(rest->p, ',', rest->n) : NULL;
	size_t n = comma ? (size_t)(comma - rest->p) : rest->n, taken = n + (comma != NULL);
	struct slice word = { rest->p, n };

	*rest = (struct slice){ rest->p + taken, rest->n - taken };
	return word;
}

static int parse_modifiers(struct proxy *p, struct slice rest, struct error *e)
{
	struct slice first = next_word(&rest), second = next_word(&rest);

	p->application = rest;
	if (read_modifier(first, &p->modifier1) && read_modifier(second, &p->modifier2))
		return 0;
	return uwsgi_error_set(e,
			       "expected uwsgi:ADDRESS,MODIFIER1,MODIFIER2,APPLICATION; modifiers "
			       "are 0 to 255");
}

static int parse_host(struct proxy *p, struct slice rest, struct error *e)
{
	if (rest.n == 0 || memchr(rest.p, ',', rest.n))
		return uwsgi_error_set(e, "expected http:ADDRESS,HOST");
	p->has_host = true;
	return value_parse(&p->host, rest, e);
}

/* The address has no variables: no client chooses whom the server asks. */
static int parse_address(struct proxy *p, struct slice address, struct error *e)
{
	struct upstream *u = &p->upstream;

	if (address.n == 0 || address.n >= sizeof p->where)
		return uwsgi_error_set(e, "expected an address");
	/* As the path of a socket it would be seen from the folder that the worker is in then. */
	if (!memchr(address.p, ':', address.n) && !memchr(address.p, '/', address.n) &&
	    *address.p != '@')
		return uwsgi_error_set(
			e, "expected HOST:PORT or the path of a UNIX socket, not \"%.*s\"",
			(int)address.n, address.p);
	memcpy(p->where, address.p, address.n);
	u->where = p->where;
	u->count = 1;
	u->nodes = calloc(1, sizeof *u->nodes);
	if (!u->nodes)
		return uwsgi_error_set(e, "out of memory");
	return uwsgi_address(p->where, (struct sockaddr *)&u->nodes->sa, &u->nodes->length, e);
}

static int parse(struct proxy *p, struct slice text, struct error *e)
{
	const char *comma = memchr(text.p, ',', text.n);
	size_t n = comma ? (size_t)(comma - text.p) : text.n;
	struct slice rest = { text.p + n + 1, text.n - n - (comma != NULL) };

	if (parse_address(p, (struct slice){ text.p, n }, e))
		return -1;
	if (!comma)
		return 0;
	return p->upstream.speaks == SPEAKS_HTTP ? parse_host(p, rest, e)
						 : parse_modifiers(p, rest, e);
}

struct proxy *proxy_new(struct slice text, enum speaks speaks, struct error *e)
{
	struct proxy *p = calloc(1, sizeof *p);

	if (!p) {
		uwsgi_error_set(e, "out of memory");
		return NULL;
	}
	p->upstream.speaks = speaks;
	if (parse(p, text, e) == 0)
		return p;
	proxy_free(p);
	return NULL;
}

void proxy_free(struct proxy *p)
{
	if (!p)
		return;
	upstream_fini(&p->upstream);
	value_fini(&p->host);
	free(p);
}

/* ---- for the lane ---- */

static void on_ending(struct job *job)
{
	struct proxy *p =
		(struct proxy *)((char *)job->upstream - offsetof(struct proxy, upstream));

	p->lane->under_way--;
	p->lane->ending(job);
}

void proxy_attach(struct proxy *p, struct proxy_lane *lane)
{
	struct upstream *u = &p->upstream;

	p->lane = lane;
	u->name = "route";
	u->loop = lane->loop;
	u->connect_s = lane->connect_s;
	u->answer_s = lane->answer_s;
	u->connect_option = "route-connect-timeout";
	u->answer_option = "route-timeout";
	u->spare_most = SPARE_JOBS;
	u->head = lane->head;
	u->ending = on_ending;
	u->refuse = lane->refuse;
}

static void tell(const struct request *rq, const char *why)
{
	char method[64], uri[256];

	uwsgi_escape(method, sizeof method, uwsgi_request_find(rq, SLICE("REQUEST_METHOD")));
	uwsgi_escape(uri, sizeof uri, uwsgi_request_find(rq, SLICE("REQUEST_URI")));
	uwsgi_log(UWSGI_WARNING, "route: %s %s is not passed on: %s", method, uri, why);
}

/* 0, or the status that says why there is no head. */
static int write_http(const struct proxy *p, struct job *job, struct visit *v)
{
	struct slice host = p->has_host ? value_of(&p->host, v) : (struct slice){ NULL, 0 };
	const char *why = "its head is too large";
	size_t size = request_write(NULL, job->rq, host, job->body.length, &why);
	char *head = size > 0 && size <= HEAD_MOST ? job_head(job, size) : NULL;

	if (head) {
		request_write(head, job->rq, host, job->body.length, &why);
		return 0;
	}
	tell(job->rq, size > HEAD_MOST ? "its head is too large" : size ? "out of memory" : why);
	return size > HEAD_MOST ? 431 : size ? 503 : 400;
}

static int write_packet(const struct proxy *p, struct job *job)
{
	if (p->application.n)
		uwsgi_request_var(job->rq, SLICE("UWSGI_APPID"), p->application);
	size_t size = packet_set_scheme(job->rq) ? packet_size(job->rq, SLICE("")) : 0;

	if (size == 0 || size > PACKET_MAX) {
		tell(job->rq, "its head does not fit into a uwsgi packet");
		return 431;
	}
	packet_write(job_head(job, size), job->rq, SLICE(""), p->modifier1, p->modifier2);
	return 0;
}

struct job *proxy_ask(struct proxy *p, struct visit *v, struct response *rs, int *status)
{
	struct upstream *u = &p->upstream;
	struct job *job;

	*status = 503;
	if (p->lane->most && p->lane->under_way >= p->lane->most) {
		tell(v->rq, "as many are under way as route-max allows");
		return NULL;
	}
	/* An application that drives its lane takes bodies in portions; a server is sent whole ones. */
	if (!uwsgi_request_is_whole(v->rq)) {
		tell(v->rq, "its body comes in portions here");
		*status = 501;
		return NULL;
	}
	job = job_take(u, v->rq, rs);
	if (!job)
		return NULL;
	job->mine = v;
	p->lane->under_way++;
	*status = u->speaks == SPEAKS_HTTP ? write_http(p, job, v) : write_packet(p, job);
	if (*status) {
		job->failed = true;
		job_finish(job);
		return NULL;
	}
	job_set_deadline(job, u->connect_s);
	return job;
}
