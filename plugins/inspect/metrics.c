/* SPDX-License-Identifier: MIT */
/* metrics.c: what Prometheus and its like scrape: the names of uwsgi_exporter, so that dashboards go on
 * working, and what that has not.  No label has values of clients, so the series are as many as the
 * configuration has workers, lanes and sockets. */
#include "inspect.h"

#include "exposition.h"
#include "http/head.h"

#include <stdio.h>
#include <stdlib.h>

struct page {
	struct exposition x;
	struct server_status server;
};

/* ---- the server ---- */

enum {
	UP,
	READY,
	WORKERS,
	QUEUE,
	QUEUE_ERRORS,
	STARTED,
	GENERATION,
	RELOADS,
	FAILED_RELOADS,
	FAILED,
	SENT,
	UNSENT,
	UNREAD,
	SERVER_FAMILIES
};
static const struct family server_families[SERVER_FAMILIES] = {
	[UP] = { "up", NULL, "Whether the server runs", GAUGE },
	[READY] = { "ready", NULL, "Whether a worker serves, as the probe /ready says", GAUGE },
	[WORKERS] = { "workers", NULL, "Number of workers", GAUGE },
	[QUEUE] = { "listen_queue_length", NULL,
		    "Connections that wait on the socket where most do", GAUGE },
	[QUEUE_ERRORS] = { "listen_queue_errors", NULL,
			   "Connections that full queues have turned away", GAUGE },
	[STARTED] = { "start_time_seconds", "seconds", "When the server was started, since 1970",
		      GAUGE },
	[GENERATION] = { "generation", NULL, "Number of the generation that serves", GAUGE },
	[RELOADS] = { "reloads", NULL, "Reloads that succeeded", COUNTER },
	[FAILED_RELOADS] = { "failed_reloads", NULL, "Reloads that were given up", COUNTER },
	[FAILED] = { "exceptions", NULL, "Requests that the application failed", COUNTER },
	[SENT] = { "transmitted_bytes", "bytes", "Bytes of answers", COUNTER },
	[UNSENT] = { "write_errors", NULL, "Answers that a client did not take whole", COUNTER },
	[UNREAD] = { "read_errors", NULL, "Requests that broke off while they were read", COUNTER },
};

static void measure_server(const struct page *p, const struct status *status,
			   unsigned long long v[SERVER_FAMILIES])
{
	const struct server_status *s = &p->server;
	struct worker_status w;
	struct socket_status socket;

	v[UP] = 1;
	v[READY] = state_is_ready(status);
	for (size_t i = 0; uwsgi_status_next_worker(status, &i, &w);)
		v[WORKERS]++;
	for (size_t i = 0; uwsgi_status_next_socket(status, &i, &socket);)
		if (socket.queue > 0 && (unsigned long long)socket.queue > v[QUEUE])
			v[QUEUE] = (unsigned long long)socket.queue;
	v[QUEUE_ERRORS] = s->queue_overflows;
	v[STARTED] = (unsigned long long)s->started_us;
	v[GENERATION] = (unsigned long long)s->generation;
	v[RELOADS] = s->reloads;
	v[FAILED_RELOADS] = s->failed_reloads;
	v[FAILED] = s->counts.failed;
	v[SENT] = s->counts.sent;
	v[UNSENT] = s->counts.unsent;
	v[UNREAD] = s->counts.unread;
}

static void say_server(const struct page *p, const struct status *status)
{
	unsigned long long v[SERVER_FAMILIES] = { 0 };

	measure_server(p, status, v);
	for (size_t f = 0; f < SERVER_FAMILIES; f++) {
		exposition_begin(&p->x, &server_families[f]);
		exposition_value(&p->x, &server_families[f], "", (long long)v[f]);
	}
}

static void say_classes(const struct page *p)
{
	static const struct family family = { "responses", NULL,
					      "Answers, by the class of their status", COUNTER };
	char labels[32];

	exposition_begin(&p->x, &family);
	for (int i = 1; i < 6; i++) {
		snprintf(labels, sizeof labels, "{class=\"%dxx\"}", i);
		exposition_value(&p->x, &family, labels, (long long)p->server.counts.answers[i]);
	}
}

/* ---- how long it takes ---- */

/* The ends of every fourth bucket are powers of two; seconds from 64 microseconds to 9 minutes, which
 * doubles from one to the next. */
enum { FIRST_BUCKET = 19, LAST_BUCKET = 111, BUCKET_STEP = 4 };

static void say_histogram(const struct page *p, const char *name, const char *help,
			  const struct histogram *h)
{
	unsigned long long seen = 0;

	exposition_family(&p->x, name, "histogram", "seconds", help);
	for (size_t i = 0; i < UWSGI_BUCKETS; i++) {
		unsigned long long end_us = uwsgi_bucket_end_us(i);

		seen += h->bucket[i];
		if (i >= FIRST_BUCKET && i <= LAST_BUCKET && (i - FIRST_BUCKET) % BUCKET_STEP == 0)
			fprintf(p->x.to, "uwsgi_%s_bucket{le=\"%llu.%06llu\"} %llu\n", name,
				end_us / 1000000, end_us % 1000000, seen);
	}
	fprintf(p->x.to, "uwsgi_%s_bucket{le=\"+Inf\"} %llu\n", name, seen);
	fprintf(p->x.to, "uwsgi_%s_sum %llu.%06llu\nuwsgi_%s_count %llu\n", name,
		h->sum_us / 1000000, h->sum_us % 1000000, name, seen);
}

static void say_histograms(const struct page *p)
{
	const struct counts *c = &p->server.counts;

	say_histogram(p, "request_wait_seconds", "How long requests waited for their lane",
		      &c->wait);
	say_histogram(p, "request_run_seconds", "How long the application had requests", &c->run);
	say_histogram(p, "request_send_seconds",
		      "How long clients then took to take what the kernel could not at once",
		      &c->send);
}

/* ---- sockets ---- */

static const struct family socket_families[] = {
	{ "socket_queue_length", NULL, "Connections that wait to be accepted", GAUGE },
	{ "socket_max_queue_length", NULL, "How many may", GAUGE },
};

static void make_socket_labels(char *to, size_t size, const struct socket_status *s)
{
	char name[sizeof s->name];

	exposition_label(name, sizeof name, s->name);
	snprintf(to, size, "{name=\"%s\",proto=\"%s\"}", name, s->protocol);
}

static bool say_sockets(const struct page *p, const struct status *status)
{
	struct rows rows = { .width = sizeof socket_families / sizeof *socket_families };
	struct socket_status s;
	unsigned long long *v;
	char *labels;

	for (size_t i = 0; uwsgi_status_next_socket(status, &i, &s);) {
		if (s.queue < 0 || !(v = rows_add(&rows, &labels)))
			continue;
		make_socket_labels(labels, sizeof rows.items->labels, &s);
		v[0] = (unsigned long long)s.queue;
		v[1] = (unsigned long long)s.max_queue;
	}
	return rows_say(&p->x, &rows, socket_families);
}

/* ---- workers ---- */

enum {
	W_ACCEPTING,
	W_BUSY,
	W_IDLE,
	W_CHEAP,
	W_CORES,
	W_DELTA,
	W_RSS,
	W_PSS,
	W_VSZ,
	W_RUNNING,
	W_SINCE,
	W_AVERAGE,
	W_REQUESTS,
	W_FAILED,
	W_HARAKIRI,
	W_SPAWNS,
	W_SENT,
	WORKER_FAMILIES
};
static const struct family worker_families[WORKER_FAMILIES] = {
	[W_ACCEPTING] = { "worker_accepting", NULL, "Whether it takes requests", GAUGE },
	[W_BUSY] = { "worker_busy", NULL, "Whether a request runs", GAUGE },
	[W_IDLE] = { "worker_idle", NULL, "Whether none runs", GAUGE },
	[W_CHEAP] = { "worker_cheap", NULL, "Whether it has no process", GAUGE },
	[W_CORES] = { "worker_cores", NULL, "Number of its threads", GAUGE },
	[W_DELTA] = { "worker_delta_requests", NULL, "Requests of its present process", GAUGE },
	[W_RSS] = { "worker_rss_bytes", "bytes", "Memory of its process", GAUGE },
	[W_PSS] = { "worker_pss_bytes", "bytes",
		    "Its share of that: pages that several processes have count in part", GAUGE },
	[W_VSZ] = { "worker_vsz_bytes", "bytes", "Its address space", GAUGE },
	[W_RUNNING] = { "worker_running_time_seconds", "seconds", "Time that its requests took",
			GAUGE },
	[W_SINCE] = { "worker_last_spawn_time_seconds", "seconds",
		      "When its present process began to serve, since 1970", GAUGE },
	[W_AVERAGE] = { "worker_average_response_time_seconds", "seconds",
			"How long a request takes; each counts as much as all before it", GAUGE },
	[W_REQUESTS] = { "worker_requests", NULL, "Requests", COUNTER },
	[W_FAILED] = { "worker_exceptions", NULL, "Requests that the application failed", COUNTER },
	[W_HARAKIRI] = { "worker_harakiri_count", NULL,
			 "Requests that harakiri has given up", COUNTER },
	[W_SPAWNS] = { "worker_respawn_count", NULL, "Processes so far", COUNTER },
	[W_SENT] = { "worker_transmitted_bytes", "bytes", "Bytes of answers", COUNTER },
};

/* Of one process. */
static void count_lanes(const struct status *status, pid_t pid, unsigned long long *lanes,
			unsigned long long *busy)
{
	struct lane_status l;

	for (size_t i = 0; uwsgi_status_next(status, &i, &l);) {
		*lanes += l.pid == pid;
		*busy += l.pid == pid && l.busy;
	}
}

static void measure_worker(const struct status *status, const struct worker_status *w,
			   unsigned long long v[WORKER_FAMILIES])
{
	unsigned long long busy = 0;

	count_lanes(status, w->pid, &v[W_CORES], &busy);
	v[W_ACCEPTING] = w->stage == STAGE_SERVING;
	v[W_BUSY] = w->pid && busy;
	v[W_IDLE] = w->pid && !busy;
	v[W_CHEAP] = !w->pid;
	v[W_DELTA] = w->own_requests;
	v[W_RSS] = w->resident;
	v[W_PSS] = w->share;
	v[W_VSZ] = w->address_space;
	v[W_RUNNING] = w->running_us;
	v[W_SINCE] = (unsigned long long)w->since * 1000000;
	v[W_AVERAGE] = w->average_us;
	v[W_REQUESTS] = w->requests;
	v[W_FAILED] = w->failed;
	v[W_HARAKIRI] = w->harakiri;
	v[W_SPAWNS] = w->spawns;
	v[W_SENT] = w->sent;
}

static bool say_workers(const struct page *p, const struct status *status)
{
	struct rows rows = { .width = WORKER_FAMILIES };
	struct worker_status w;
	unsigned long long *v;
	char *labels;

	for (size_t i = 0; uwsgi_status_next_worker(status, &i, &w);) {
		if (!(v = rows_add(&rows, &labels)))
			continue;
		snprintf(labels, sizeof rows.items->labels, "{worker_id=\"%d\"}", w.worker);
		measure_worker(status, &w, v);
	}
	return rows_say(&p->x, &rows, worker_families);
}

/* ---- lanes ---- */

static const struct family lane_families[] = {
	{ "worker_core_busy", NULL, "Whether the thread runs a request", GAUGE },
	{ "worker_core_requests", NULL, "Requests of the thread since its process began", COUNTER },
	{ "worker_core_static_requests", NULL, "Of these, answered by files", COUNTER },
	{ "worker_core_routed_requests", NULL, "Of these, answered by routes", COUNTER },
	{ "worker_core_write_errors", NULL, "Answers that a client did not take whole", COUNTER },
	{ "worker_core_read_errors", NULL, "Requests that broke off while they were read",
	  COUNTER },
};

/* While a worker is replaced, both of its processes have lanes of the same numbers. */
static pid_t serving(const struct status *status, int worker)
{
	struct worker_status w;

	for (size_t i = 0; uwsgi_status_next_worker(status, &i, &w);)
		if (w.worker == worker)
			return w.pid;
	return 0;
}

static bool say_lanes(const struct page *p, const struct status *status)
{
	struct rows rows = { .width = sizeof lane_families / sizeof *lane_families };
	struct lane_status l;
	unsigned long long *v;
	pid_t asked = 0;
	bool counts = false;
	char *labels;

	for (size_t i = 0; uwsgi_status_next(status, &i, &l);) {
		if (l.pid != asked)
			counts = serving(status, l.worker) == l.pid;
		asked = l.pid;
		if (!counts || !(v = rows_add(&rows, &labels)))
			continue;
		snprintf(labels, sizeof rows.items->labels, "{worker_id=\"%d\",core_id=\"%d\"}",
			 l.worker, l.lane);
		v[0] = l.busy;
		v[1] = l.requests;
		v[2] = l.files;
		v[3] = l.routed;
		v[4] = l.unsent;
		v[5] = l.unread;
	}
	return rows_say(&p->x, &rows, lane_families);
}

/* ---- metrics of the configuration ---- */

/* An alias would be the same twice, and the server's own have names above. */
static void say_own(const struct page *p, const struct metrics *metrics, const struct family *f)
{
	const struct metric *m;
	char name[200], labels[256];
	bool begun = false;

	for (size_t i = 0; metrics && (m = uwsgi_metrics_next(metrics, &i));) {
		if (m->built_in || m->type == METRIC_ALIAS ||
		    (m->type == METRIC_COUNTER) != (f->kind == COUNTER))
			continue;
		if (!begun)
			exposition_begin(&p->x, f);
		begun = true;
		exposition_label(name, sizeof name, m->name);
		snprintf(labels, sizeof labels, "{name=\"%s\"}", name);
		exposition_value(&p->x, f, labels, uwsgi_metric_get(m));
	}
}

static void say_metrics(const struct page *p, const struct status *status)
{
	static const struct family counters = { "metric", NULL, "Counters of the option metric",
						COUNTER };
	static const struct family gauges = { "metric_value", NULL, "Gauges of the option metric",
					      GAUGE };
	const struct metrics *metrics = uwsgi_status_metrics(status);

	say_own(p, metrics, &counters);
	say_own(p, metrics, &gauges);
}

/* ---- all ---- */

static bool say_all(struct page *p, const struct status *status)
{
	uwsgi_status_server(status, &p->server);
	say_server(p, status);
	say_classes(p);
	say_histograms(p);
	bool well = say_sockets(p, status);

	well &= say_workers(p, status);
	well &= say_lanes(p, status);
	say_metrics(p, status);
	if (p->x.open_metrics)
		fputs("# EOF\n", p->x.to);
	return well;
}

/* OpenMetrics, unless the client can only read text: scrapers name what they know, and prefer
 * OpenMetrics where they know it. */
static bool wants_open_metrics(struct slice accept)
{
	struct slice member;
	bool text = false;

	while (http_next_member(&accept, &member)) {
		const char *end = memchr(member.p, ';', member.n);
		struct slice type = { member.p, end ? (size_t)(end - member.p) : member.n };

		while (type.n && (type.p[type.n - 1] == ' ' || type.p[type.n - 1] == '\t'))
			type.n--;
		if (uwsgi_same_name(type, SLICE("application/openmetrics-text")))
			return true;
		text = text || uwsgi_same_name(type, SLICE("text/plain")) ||
		       uwsgi_same_name(type, SLICE("text/html"));
	}
	return !text;
}

void answer_metrics(struct client *c, const struct asked *asked)
{
	struct page p = { .x.open_metrics = wants_open_metrics(asked->accept) };
	char *text = NULL;
	size_t n;
	bool well;

	p.x.to = open_memstream(&text, &n);
	well = p.x.to && say_all(&p, client_status(c));
	if (p.x.to)
		well = fclose(p.x.to) == 0 && well;
	const struct answer a = {
		200,
		p.x.open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
				 : "text/plain; version=0.0.4; charset=utf-8",
		"Vary: Accept\r\n",
		{ NULL, 0 }
	};

	if (!well) {
		free(text);
		text = NULL;
	}
	client_answer_text(c, &a, text, n);
}
