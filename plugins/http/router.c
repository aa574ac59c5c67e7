/* SPDX-License-Identifier: MIT */
/* router.c: has whole requests answered by a uwsgi server, mostly the workers of this one.  Here is
 * what it does as a gateway; job.c takes a request to the server, answer.c its answer back. */
#include "router.h"

#include "job.h"

#include <stdlib.h>

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

	r->own = to->count == 0;
	r->count = to->count ? to->count : 1;
	r->nodes = calloc(r->count, sizeof *r->nodes);
	if (!r->nodes)
		return uwsgi_error_set(e, "out of memory");
	if (to->count == 0) {
		memcpy(&r->nodes[0].sa, setup->workers, setup->workers_length);
		r->nodes[0].length = setup->workers_length;
	}
	for (size_t i = 0; i < to->count; i++)
		if (uwsgi_address(to->items[i], (struct sockaddr *)&r->nodes[i].sa,
				  &r->nodes[i].length, e))
			return -1;
	return 0;
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

static int start(const struct gateway_setup *setup, void **state, struct error *e)
{
	struct router *r = calloc(1, sizeof *r);

	*state = r;
	if (!r)
		return uwsgi_error_set(e, "out of memory");
	r->settings = http_settings(setup->config);
	r->loop = setup->loop;
	return find_nodes(r, setup, e) || write_more(r, e) ? -1 : 0;
}

/* The packet, where send_some() looks for it.  False: there is none. */
static bool write_packet(struct job *job)
{
	const struct router *r = job->router;
	const struct http_settings *s = r->settings;
	struct slice more = { r->more, r->more_size };
	size_t size = packet_size(job->rq, more);

	if (size == 0 || size > (r->own ? PACKET_MAX_OWN : PACKET_MAX) ||
	    (size > sizeof job->buffer && job_asks_for_websocket(job)))
		return false;
	if (size > sizeof job->buffer) {
		job->large = malloc(size);
		if (!job->large)
			return false;
	}
	packet_write(job->large ? job->large : job->buffer, job->rq, more, (unsigned)s->modifier1,
		     r->own ? (unsigned)((size - 4) >> 16) : (unsigned)s->modifier2);
	job->begin = 0;
	job->end = size;
	return true;
}

/* A server of its own knows only this router as its peer: what a stranger says of https is answered
 * here. */
static bool set_scheme(const struct router *r, struct request *rq)
{
	if (r->own ||
	    (!uwsgi_request_find(rq, SLICE("HTTP_X_FORWARDED_PROTO")).n &&
	     !uwsgi_request_find(rq, SLICE("HTTP_X_FORWARDED_SSL")).n) ||
	    uwsgi_request_trusts_forwarded(rq))
		return true;
	return uwsgi_request_var(rq, SLICE("UWSGI_SCHEME"), SLICE("http"));
}

static void *handle(void *state, struct request *rq, struct response *rs)
{
	struct router *r = state;
	const struct http_settings *s = r->settings;
	struct job *job = job_take(r);

	if (!job) {
		uwsgi_response_refuse(rs, 503, SLICE("out of memory"));
		return NULL;
	}
	job->rq = rq;
	job->rs = rs;
	job->phase = CONNECTING;
	job->body = uwsgi_request_body_view(rq);
	job->passes_file = r->own && job->body.fd >= 0;
	if (!set_scheme(r, rq) || !write_packet(job)) {
		uwsgi_response_refuse(job_finish(job), 431,
				      SLICE("the request's head does not fit into a uwsgi packet"));
		return NULL;
	}
	job_set_deadline(job, (double)(s->connect_timeout_s ? s->connect_timeout_s : s->timeout_s));
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

static void release(void *state, void *const *owners, size_t count)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct job *job = owners[i];

		if (--job->lent == 0)
			job_released(job);
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
