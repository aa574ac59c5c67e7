/* SPDX-License-Identifier: MIT */
/* router.c: has whole requests answered by a uwsgi server, mostly the workers of this one.  Here is
 * what it does as a gateway; job.c takes a request to the server, answer.c its answer back. */
#include "router.h"

#include "job.h"
#include "settings.h"
#include "tunnel.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

/* Jobs that are kept for the next requests. */
enum { SPARE_JOBS = 64 };

struct router {
	const struct http_settings *settings;
	struct upstream upstream;
	char *more; /* variables that each packet has */
	size_t more_size;
	ev_timer alive; /* with http-harakiri */
};

/* So often in http-harakiri it is put off. */
enum { ALIVE_EACH = 4 };

static void needs(const struct config *cfg, struct gateway_needs *n)
{
	const struct http_settings *s = http_settings(cfg);

	*n = (struct gateway_needs){ .processes = (int)s->processes,
				     .workers = s->to.count == 0,
				     .buffer_size = s->buffer_size,
				     .post_buffering = s->post_buffering };
}

static int find_nodes(struct router *r, const struct gateway_setup *setup, struct error *e)
{
	const struct option_list *to = &r->settings->to;
	struct upstream *u = &r->upstream;

	u->count = to->count ? to->count : 1;
	u->nodes = calloc(u->count, sizeof *u->nodes);
	if (!u->nodes)
		return uwsgi_error_set(e, "out of memory");
	if (to->count == 0) {
		memcpy(&u->nodes[0].sa, setup->workers, setup->workers_length);
		u->nodes[0].length = setup->workers_length;
	}
	for (size_t i = 0; i < to->count; i++)
		if (uwsgi_address(to->items[i], (struct sockaddr *)&u->nodes[i].sa,
				  &u->nodes[i].length, e))
			return -1;
	return 0;
}

/* From here on client and server speak with each other. */
static void upgrade(struct job *job)
{
	struct upstream *u = job->upstream;
	char first[TUNNEL_BUFFER];
	size_t n = job->end - job->begin, unread = 0;
	int client = uwsgi_response_detach(job->rs, first + n, sizeof first - n, &unread);

	if (client < 0) {
		job_give_up(job, 502, "the connection cannot become a WebSocket");
		return;
	}
	memcpy(first, job->buffer + job->begin, n);
	int server = job->io.fd;

	ev_io_stop(u->loop, &job->io);
	job->io.fd = -1;
	job_finish(job);
	if (!tunnel_open(u->loop, client, server, (struct slice){ first, n + unread }, u->answer_s))
		uwsgi_log(UWSGI_ERROR, "http: out of memory for a WebSocket");
}

static int write_more(struct router *r, struct error *e)
{
	const struct option_list *variables = &r->settings->variables;

	r->more = malloc(PACKET_MAX);
	if (!r->more)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < variables->count; i++) {
		const char *text = variables->items[i], *equals = strchr(text, '=');
		struct slice name = { text, (size_t)(equals - text) };
		struct slice value = { equals + 1, strlen(equals + 1) };

		if (!packet_add(r->more, &r->more_size, name, value))
			return uwsgi_error_set(e, "http-var: there are too many");
	}
	packet_add(r->more, &r->more_size, SLICE("UWSGI_ROUTER"), SLICE("http"));
	return 0;
}

/* ---- http-harakiri: a loop that does not come back in time is ended by the kernel ---- */

static void put_off(int64_t ms)
{
	const struct itimerval t = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

	setitimer(ITIMER_REAL, &t, NULL);
}

static void on_alive(struct ev_loop *loop, ev_timer *w, int events)
{
	const struct router *r = w->data;
	int64_t ms = r->settings->harakiri_ms;

	(void)loop;
	(void)events;
	put_off(ms + ms / ALIVE_EACH);
}

static void start_harakiri(struct router *r)
{
	double each_s = (double)r->settings->harakiri_ms / 1000 / ALIVE_EACH;

	ev_timer_init(&r->alive, on_alive, 0., each_s);
	r->alive.data = r;
	if (each_s == 0)
		return;
	signal(SIGALRM, SIG_DFL);
	ev_timer_start(r->upstream.loop, &r->alive);
	ev_unref(r->upstream.loop);
}

/* ---- as a gateway ---- */

static int start(const struct gateway_setup *setup, void **state, struct error *e)
{
	struct router *r = calloc(1, sizeof *r);

	*state = r;
	if (!r)
		return uwsgi_error_set(e, "out of memory");
	const struct http_settings *s = r->settings = http_settings(setup->config);

	r->upstream = (struct upstream){
		.name = "http",
		.loop = setup->loop,
		.speaks = s->to.count ? SPEAKS_UWSGI : SPEAKS_WORKER,
		.where = "the address of http-to",
		.connect_s = (double)(s->connect_timeout_s ? s->connect_timeout_s : s->timeout_s),
		.answer_s = (double)s->timeout_s,
		.connect_option = "http-connect-timeout",
		.answer_option = "http-timeout",
		.spare_most = SPARE_JOBS,
		.upgrade = s->websockets ? upgrade : NULL,
	};
	start_harakiri(r);
	return find_nodes(r, setup, e) || write_more(r, e) ? -1 : 0;
}

/* What each packet has.  A request that is not alone may wait for a worker, which is to know how long. */
static struct slice more_of(const struct router *r)
{
	const struct upstream *u = &r->upstream;
	size_t n = r->more_size;
	int64_t now_us = (int64_t)(ev_now(u->loop) * 1e6);

	if (u->speaks == SPEAKS_WORKER && u->in_use > 1)
		packet_add(r->more, &n, SLICE(PACKET_TAKEN),
			   (struct slice){ (const char *)&now_us, sizeof now_us });
	return (struct slice){ r->more, n };
}

/* False: the request does not fit into a packet, or there is no memory. */
static bool write_packet(const struct router *r, struct job *job)
{
	const struct http_settings *s = r->settings;
	bool own = r->upstream.speaks == SPEAKS_WORKER;
	struct slice more = more_of(r);
	size_t size = packet_size(job->rq, more);
	char *packet;

	if (size == 0 || size > (own ? PACKET_MAX_OWN : PACKET_MAX) ||
	    (size > sizeof job->buffer && job_asks_for_websocket(job)))
		return false;
	packet = job_head(job, size);
	if (packet)
		packet_write(packet, job->rq, more, (unsigned)s->modifier1,
			     own ? (unsigned)((size - 4) >> 16) : (unsigned)s->modifier2);
	return packet != NULL;
}

static void *handle(void *state, struct request *rq, struct response *rs)
{
	struct router *r = state;
	struct upstream *u = &r->upstream;
	struct job *job = job_take(u, rq, rs);

	if (!job) {
		uwsgi_response_refuse(rs, 503, SLICE("out of memory"));
		return NULL;
	}
	if ((u->speaks != SPEAKS_WORKER && !packet_set_scheme(rq)) || !write_packet(r, job)) {
		uwsgi_response_refuse(job_finish(job), 431,
				      SLICE("the request's head does not fit into a uwsgi packet"));
		return NULL;
	}
	job_set_deadline(job, u->connect_s);
	job_connect(job);
	return job;
}

static void gone(void *state, void *handled)
{
	(void)state;
	uwsgi_response_end(job_finish(handled));
}

static void said_all(void *state, void *handled)
{
	(void)state;
	job_say_all(handled);
}

/* A job lends nothing but loans. */
static void release(void *state, void *const *owners, size_t count)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct loan *loan = (struct loan *)((uintptr_t)owners[i] & ~(uintptr_t)1);

		loan->release(loan);
	}
}

const struct gateway router_gateway = {
	.name = "http",
	.needs = needs,
	.start = start,
	.handle = handle,
	.gone = gone,
	.said_all = said_all,
	.release = release,
};
