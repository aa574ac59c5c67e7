/* SPDX-License-Identifier: MIT */
/* server.c: the metrics that uWSGI has of itself, with its names and OIDs, out of what the workers have
 * counted. */
#include "metrics.h"

#include <stdio.h>
#include <stdlib.h>

struct row {
	const char *name;
	int number; /* the last part of its OID */
	enum metric_type type;
};

enum worker_row {
	REQUESTS,
	DELTA_REQUESTS,
	FAILED_REQUESTS,
	RESPAWNS,
	AVG_RESPONSE_TIME,
	TOTAL_TX,
	RSS_SIZE,
	VSZ_SIZE,
	RUNNING_TIME,
	WORKER_ROWS
};
/* uWSGI's running_time has the OID of failed_requests, too. */
static const struct row worker_rows[WORKER_ROWS] = {
	[REQUESTS] = { "requests", 1, METRIC_COUNTER },
	[DELTA_REQUESTS] = { "delta_requests", 2, METRIC_ABSOLUTE },
	[FAILED_REQUESTS] = { "failed_requests", 13, METRIC_COUNTER },
	[RESPAWNS] = { "respawns", 14, METRIC_COUNTER },
	[AVG_RESPONSE_TIME] = { "avg_response_time", 8, METRIC_GAUGE },
	[TOTAL_TX] = { "total_tx", 9, METRIC_COUNTER },
	[RSS_SIZE] = { "rss_size", 11, METRIC_GAUGE },
	[VSZ_SIZE] = { "vsz_size", 12, METRIC_GAUGE },
	[RUNNING_TIME] = { "running_time", 13, METRIC_COUNTER },
};

enum lane_row {
	LANE_REQUESTS,
	WRITE_ERRORS,
	ROUTED_REQUESTS,
	STATIC_REQUESTS,
	OFFLOADED_REQUESTS,
	EXCEPTIONS,
	READ_ERRORS,
	LANE_ROWS
};
static const struct row lane_rows[LANE_ROWS] = {
	[LANE_REQUESTS] = { "requests", 1, METRIC_COUNTER },
	[WRITE_ERRORS] = { "write_errors", 3, METRIC_COUNTER },
	[ROUTED_REQUESTS] = { "routed_requests", 4, METRIC_COUNTER },
	[STATIC_REQUESTS] = { "static_requests", 5, METRIC_COUNTER },
	[OFFLOADED_REQUESTS] = { "offloaded_requests", 6, METRIC_COUNTER },
	[EXCEPTIONS] = { "exceptions", 7, METRIC_COUNTER },
	[READ_ERRORS] = { "read_errors", 8, METRIC_COUNTER },
};

enum core_row {
	ROUTED_SIGNALS,
	UNROUTED_SIGNALS,
	BUSY_WORKERS,
	IDLE_WORKERS,
	OVERLOADED,
	ALL_TX,
	ALL_RSS,
	ALL_VSZ,
	ALL_RESPONSE_TIME,
	ALL_RUNNING_TIME,
	CORE_ROWS
};
static const struct row core_rows[CORE_ROWS] = {
	[ROUTED_SIGNALS] = { "routed_signals", 1, METRIC_COUNTER },
	[UNROUTED_SIGNALS] = { "unrouted_signals", 2, METRIC_COUNTER },
	[BUSY_WORKERS] = { "busy_workers", 3, METRIC_GAUGE },
	[IDLE_WORKERS] = { "idle_workers", 4, METRIC_GAUGE },
	[OVERLOADED] = { "overloaded", 5, METRIC_COUNTER },
	[ALL_TX] = { "total_tx", 100, METRIC_COUNTER },
	[ALL_RSS] = { "total_rss", 101, METRIC_GAUGE },
	[ALL_VSZ] = { "total_vsz", 102, METRIC_GAUGE },
	[ALL_RESPONSE_TIME] = { "avg_response_time", 103, METRIC_GAUGE },
	[ALL_RUNNING_TIME] = { "total_running_time", 104, METRIC_COUNTER },
};

#define NAME_SIZE 96

/* ---- definitions ---- */

static void define(struct metrics *all, const char *prefix, const char *oid, const struct row *r)
{
	char name[NAME_SIZE], number[NAME_SIZE];

	snprintf(name, sizeof name, "%s.%s", prefix, r->name);
	snprintf(number, sizeof number, "%s.%d", oid, r->number);
	uwsgi_metrics_define(all, &(struct metric){ .name = name,
						    .oid = number,
						    .type = r->type,
						    .collected = true,
						    .built_in = true });
}

static void define_all(struct metrics *all, const char *prefix, const char *oid,
		       const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		define(all, prefix, oid, &rows[i]);
}

static void define_worker(struct metrics *all, size_t worker, size_t lanes)
{
	char prefix[64], oid[64];

	snprintf(prefix, sizeof prefix, "worker.%zu", worker);
	snprintf(oid, sizeof oid, "3.%zu", worker);
	define_all(all, prefix, oid, worker_rows, WORKER_ROWS);
	for (size_t i = 0; worker > 0 && i < lanes; i++) {
		snprintf(prefix, sizeof prefix, "worker.%zu.core.%zu", worker, i);
		snprintf(oid, sizeof oid, "3.%zu.2.%zu", worker, i);
		define_all(all, prefix, oid, lane_rows, LANE_ROWS);
	}
}

void server_define(struct metrics *all, const struct extent *x)
{
	static const struct row queue = { "listen_queue", 1, METRIC_GAUGE };

	define_all(all, "core", "5", core_rows, ALL_TX);
	for (size_t i = 0; i <= x->workers; i++)
		define_worker(all, i, x->lanes);
	define_all(all, "core", "5", core_rows + ALL_TX, CORE_ROWS - ALL_TX);
	for (size_t i = 0; i < x->sockets; i++) {
		char prefix[64], oid[64];

		snprintf(prefix, sizeof prefix, "socket.%zu", i);
		snprintf(oid, sizeof oid, "7.%zu", i);
		define(all, prefix, oid, &queue);
	}
	uwsgi_metrics_define(all, &(struct metric){ .name = "rss_size",
						    .oid = "5.101",
						    .type = METRIC_ALIAS,
						    .collected = true,
						    .built_in = true,
						    .of = "core.total_rss" });
	uwsgi_metrics_define(all, &(struct metric){ .name = "vsz_size",
						    .oid = "5.102",
						    .type = METRIC_ALIAS,
						    .collected = true,
						    .built_in = true,
						    .of = "core.total_vsz" });
}

/* ---- values ---- */

struct worker_metrics {
	const struct metric *own[WORKER_ROWS];
	const struct metric *(*lane)[LANE_ROWS]; /* [extent.lanes] */
	pid_t pid;                               /* who serves now */
	bool busy;
};

struct server_values {
	struct extent extent;
	const struct metric *core[CORE_ROWS];
	struct worker_metrics *worker; /* [workers + 1]; 0: all together */
	const struct metric **queue;   /* [sockets] */
};

static const struct metric *find(const struct metrics *all, const char *prefix, const char *name)
{
	char whole[NAME_SIZE];
	int n = snprintf(whole, sizeof whole, "%s.%s", prefix, name);

	return uwsgi_metrics_find(all, (struct slice){ whole, (size_t)n });
}

static void find_all(const struct metrics *all, const char *prefix, const struct row *rows,
		     size_t count, const struct metric **found)
{
	for (size_t i = 0; i < count; i++)
		found[i] = find(all, prefix, rows[i].name);
}

static int find_worker(struct server_values *v, const struct metrics *all, size_t i)
{
	struct worker_metrics *w = &v->worker[i];
	char prefix[64];

	snprintf(prefix, sizeof prefix, "worker.%zu", i);
	find_all(all, prefix, worker_rows, WORKER_ROWS, w->own);
	w->lane = calloc(v->extent.lanes + 1, sizeof *w->lane);
	for (size_t k = 0; w->lane && i > 0 && k < v->extent.lanes; k++) {
		snprintf(prefix, sizeof prefix, "worker.%zu.core.%zu", i, k);
		find_all(all, prefix, lane_rows, LANE_ROWS, w->lane[k]);
	}
	return w->lane ? 0 : -1;
}

struct server_values *server_values_new(const struct metrics *all, const struct extent *x)
{
	struct server_values *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->extent = *x;
	v->worker = calloc(x->workers + 1, sizeof *v->worker);
	v->queue = calloc(x->sockets + 1, sizeof *v->queue);
	bool failed = !v->worker || !v->queue;
	for (size_t i = 0; !failed && i <= x->workers; i++)
		failed = find_worker(v, all, i);
	if (failed) {
		server_values_free(v);
		return NULL;
	}
	find_all(all, "core", core_rows, CORE_ROWS, v->core);
	for (size_t i = 0; i < x->sockets; i++) {
		char prefix[64];

		snprintf(prefix, sizeof prefix, "socket.%zu", i);
		v->queue[i] = find(all, prefix, "listen_queue");
	}
	return v;
}

void server_values_free(struct server_values *v)
{
	for (size_t i = 0; v && v->worker && i <= v->extent.workers; i++)
		free(v->worker[i].lane);
	if (v) {
		free(v->worker);
		free(v->queue);
	}
	free(v);
}

static void set(const struct metric *m, unsigned long long value)
{
	uwsgi_metric_set(m, (long long)value);
}

/* Adds what concerns all workers to core[]. */
static void tell_worker(struct worker_metrics *m, const struct worker_status *w,
			long long core[CORE_ROWS])
{
	const long long values[WORKER_ROWS] = {
		[REQUESTS] = (long long)w->requests,
		[DELTA_REQUESTS] = (long long)w->own_requests,
		[FAILED_REQUESTS] = (long long)w->failed,
		[RESPAWNS] = w->spawns,
		[AVG_RESPONSE_TIME] = (long long)w->average_us,
		[TOTAL_TX] = (long long)w->sent,
		[RSS_SIZE] = (long long)w->resident,
		[VSZ_SIZE] = (long long)w->address_space,
		[RUNNING_TIME] = (long long)w->running_us,
	};

	for (size_t i = 0; i < WORKER_ROWS; i++)
		uwsgi_metric_set(m->own[i], values[i]);
	m->pid = w->pid;
	m->busy = false;
	core[ALL_TX] += values[TOTAL_TX];
	core[ALL_RSS] += values[RSS_SIZE];
	core[ALL_VSZ] += values[VSZ_SIZE];
	core[ALL_RESPONSE_TIME] += values[AVG_RESPONSE_TIME];
	core[ALL_RUNNING_TIME] += values[RUNNING_TIME];
}

static void tell_lane(const struct metric *const m[LANE_ROWS], const struct lane_status *l)
{
	set(m[LANE_REQUESTS], l->requests);
	set(m[WRITE_ERRORS], l->unsent);
	set(m[ROUTED_REQUESTS], l->routed);
	set(m[STATIC_REQUESTS], l->files);
	set(m[EXCEPTIONS], l->failed);
	set(m[READ_ERRORS], l->unread);
}

/* Lanes of whoever serves now, not of whom it has replaced. */
static void collect_lanes(struct server_values *v, const struct status *status)
{
	struct lane_status l;
	size_t i = 0;

	while (uwsgi_status_next(status, &i, &l)) {
		struct worker_metrics *w =
			(size_t)l.worker <= v->extent.workers ? &v->worker[l.worker] : NULL;

		if (!w || w->pid != l.pid)
			continue;
		w->busy = w->busy || l.busy;
		if ((size_t)l.lane < v->extent.lanes)
			tell_lane(w->lane[l.lane], &l);
	}
}

static void collect_workers(struct server_values *v, const struct status *status)
{
	long long core[CORE_ROWS] = { 0 }, requests = 0, count = 0;
	struct worker_status w;
	size_t i = 0;

	while (uwsgi_status_next_worker(status, &i, &w)) {
		requests += (long long)w.requests;
		if ((size_t)w.worker > v->extent.workers)
			continue;
		tell_worker(&v->worker[w.worker], &w, core);
		count++;
	}
	collect_lanes(v, status);
	for (i = 1; i <= v->extent.workers; i++)
		if (v->worker[i].pid)
			core[v->worker[i].busy ? BUSY_WORKERS : IDLE_WORKERS]++;
	core[OVERLOADED] =
		uwsgi_metric_get(v->core[OVERLOADED]) + (core[BUSY_WORKERS] && !core[IDLE_WORKERS]);
	core[ALL_RESPONSE_TIME] /= count ? count : 1;
	for (i = 0; i < CORE_ROWS; i++)
		uwsgi_metric_set(v->core[i], core[i]);
	uwsgi_metric_set(v->worker[0].own[REQUESTS], requests);
}

void server_values_collect(struct server_values *v, const struct status *status)
{
	struct socket_status s;
	size_t i = 0;

	collect_workers(v, status);
	for (size_t k = 0; k < v->extent.sockets && uwsgi_status_next_socket(status, &i, &s); k++)
		uwsgi_metric_set(v->queue[k], s.queue < 0 ? 0 : s.queue);
}
