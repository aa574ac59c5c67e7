/* SPDX-License-Identifier: MIT */
/* otlp.c: sends requests as spans to a collector of OpenTelemetry.  A process of its own reads them where
 * the lanes leave them; nobody ever waits for the collector, and what it does not take is dropped. */
#include "otlp.h"

#include <stdio.h>
#include <stdlib.h>

/* Seconds between two looks; after a failure it is tried again later and later. */
#define EACH_S 1.
#define LONGEST_S 60.
/* … and between two lines in the log. */
enum { TELL_MS = 60000 };

static int valid(const char *text, struct error *e)
{
	return target_read(text, NULL, e);
}

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
	{ .name = "otlp",
	  .type = OPT_STRING,
	  .offset = AT(url),
	  .valid = valid,
	  .unit = "URL",
	  .help = "send requests as spans to this collector of OpenTelemetry, as JSON over HTTP",
	  .example = "http://127.0.0.1:4318" },
	{ .name = "otlp-sample",
	  .type = OPT_INT,
	  .offset = AT(percent),
	  .initial = "100",
	  .min = 1,
	  .max = 100,
	  .unit = "PERCENT",
	  .help = "so many of the requests that come without a traceparent are sent by otlp; of the "
		  "others those whose caller wants it" },
	{ .name = "otlp-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(timeout_s),
	  .initial = "5",
	  .min = 1,
	  .max = 60,
	  .help = "how long the collector of otlp may take for a request" },
	{ .name = "otlp-service",
	  .type = OPT_STRING,
	  .offset = AT(name),
	  .initial = "uwsgi",
	  .unit = "NAME",
	  .help = "what this service is called in the spans that otlp sends",
	  .example = "shop" },
};
#undef AT

static const struct option_table options = {
	.module = "spans",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

static const struct settings *settings_of(const struct config *cfg)
{
	return uwsgi_options(cfg, &options);
}

struct otlp {
	const struct settings *settings;
	const struct status *status;
	struct target target;
	struct post post;
	ev_timer timer;
	uint64_t number; /* of the next span */
	size_t count;    /* in the request that is under way */
	double wait_s;
	unsigned long long lost, dropped;
	int64_t told_ms; /* 0: never */
};

/* ---- what is said of failures ---- */

static void tell(struct otlp *o, const char *why)
{
	int64_t now_ms = uwsgi_now_ms();

	if (o->told_ms && now_ms - o->told_ms < TELL_MS)
		return;
	uwsgi_log(UWSGI_WARNING, "otlp: %s: %s; %llu spans were dropped", o->settings->url, why,
		  o->dropped + o->lost);
	o->told_ms = now_ms;
	o->dropped = o->lost = 0;
}

static void again_in(struct otlp *o, double seconds)
{
	ev_timer_stop(o->post.loop, &o->timer);
	ev_timer_set(&o->timer, seconds, 0.);
	ev_timer_start(o->post.loop, &o->timer);
}

static void on_ended(struct post *p, int status, const char *why)
{
	struct otlp *o = p->data;
	char text[64];

	if (status >= 200 && status < 300) {
		o->wait_s = EACH_S;
		if (o->lost)
			tell(o, "requests came faster than they could be sent");
		again_in(o, o->count == SPANS_AT_ONCE ? 0. : EACH_S);
		return;
	}
	o->dropped += o->count;
	snprintf(text, sizeof text, "it has answered %d", status);
	tell(o, status ? text : why);
	again_in(o, o->wait_s);
	o->wait_s = 2 * o->wait_s < LONGEST_S ? 2 * o->wait_s : LONGEST_S;
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct otlp *o = w->data;
	bool known = destination_find(&o->target.to);
	char *text =
		known ? spans_text(o->settings, o->status, &o->number, &o->count, &o->lost) : NULL;

	(void)loop;
	(void)events;
	if (text)
		post_begin(&o->post, text);
	else
		again_in(o, EACH_S);
}

/* ---- the service ---- */

/* What was there before has been sent, or lost, by the process before this one. */
static void pass_over_old(struct otlp *o)
{
	struct span_status ignored;

	while (uwsgi_status_next_span(o->status, &o->number, &ignored, &o->lost))
		;
	o->lost = 0;
}

static bool wants(const struct config *cfg)
{
	return settings_of(cfg)->url != NULL;
}

static int spans(const struct config *cfg)
{
	return (int)settings_of(cfg)->percent;
}

static int start(const struct service_setup *setup, void **state, struct error *e)
{
	struct otlp *o = calloc(1, sizeof *o);

	if (!o)
		return uwsgi_error_set(e, "out of memory");
	o->settings = settings_of(setup->config);
	o->status = setup->status;
	o->wait_s = EACH_S;
	if (target_read(o->settings->url, &o->target, e))
		return -1;
	post_init(&o->post, setup->loop, &o->target, (double)o->settings->timeout_s);
	o->post.ended = on_ended;
	o->post.data = o;
	pass_over_old(o);
	ev_timer_init(&o->timer, on_timer, EACH_S, 0.);
	o->timer.data = o;
	ev_timer_start(setup->loop, &o->timer);
	*state = o;
	return 0;
}

static void stop(void *state)
{
	struct otlp *o = state;

	ev_timer_stop(o->post.loop, &o->timer);
	post_stop(&o->post);
	destination_fini(&o->target.to);
	free(o);
}

static const struct service service = {
	.name = "otlp", .wants = wants, .start = start, .stop = stop, .spans = spans
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI, .name = "otlp", .options = &options, .service = &service
};
