/* SPDX-License-Identifier: MIT */
/* report.c: the report as uWSGI 2.0 writes it, whose readers take these names and whole numbers
 * (uwsgitop, Telegraf, Metricbeat, Netdata, uwsgi_exporter).  Lists of what this server does not have
 * are empty; docs/observing.md says what each member is. */
#include "report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

json_t *report_string(const char *bytes)
{
	json_t *whole = json_string(bytes);
	size_t n = strlen(bytes);
	char *fixed = whole ? NULL : malloc(3 * n + 1), *to = fixed;

	for (size_t i = 0; fixed && i < n;) {
		size_t length = 4;
		json_t *letter = NULL;

		for (; length > 0 && !letter; length--)
			if (i + length <= n)
				letter = json_stringn(bytes + i, length);
		length++;
		memcpy(to, letter ? bytes + i : "\xef\xbf\xbd", letter ? length : 3);
		to += letter ? length : 3;
		i += letter ? length : 1;
		json_decref(letter);
	}
	if (fixed)
		whole = json_stringn(fixed, (size_t)(to - fixed));
	free(fixed);
	return whole;
}

static void add(json_t *object, const char *name, long long n)
{
	json_object_set_new(object, name, json_integer(n));
}

/* ---- workers ---- */

static void add_variable(json_t *vars, const char *name, const char *value, size_t n)
{
	char text[300];

	snprintf(text, sizeof text, "%s=%.*s", name, (int)n, value);
	json_array_append_new(vars, report_string(text));
}

static json_t *core_of(const struct report_form *form, const struct lane_status *l)
{
	json_t *core = json_object(), *vars = json_array(), *info = json_object();

	add(core, "id", l->lane);
	add(core, "requests", (long long)l->requests);
	add(core, "static_requests", (long long)l->files);
	add(core, "routed_requests", (long long)l->routed);
	add(core, "offloaded_requests", 0);
	add(core, "write_errors", (long long)l->unsent);
	add(core, "read_errors", (long long)l->unread);
	add(core, "in_request", l->busy);
	if (l->busy) {
		size_t uri = form->no_queries ? strcspn(l->uri, "?") : strlen(l->uri);

		add_variable(vars, "REQUEST_METHOD", l->method, strlen(l->method));
		add_variable(vars, "REQUEST_URI", l->uri, uri);
		add(info, "request_start", (long long)time(NULL) - l->running_ms / 1000);
	}
	json_object_set_new(core, "vars", vars);
	json_object_set_new(core, "req_info", info);
	return core;
}

/* Of the process that serves.  *busy: how many run a request. */
static json_t *cores_of(const struct report_form *form, const struct status *status,
			const struct worker_status *w, int *busy)
{
	json_t *cores = json_array();
	struct lane_status l;
	size_t i = 0;

	*busy = 0;
	while (uwsgi_status_next(status, &i, &l)) {
		if (l.pid != w->pid)
			continue;
		*busy += l.busy;
		json_array_append_new(cores, core_of(form, &l));
	}
	return cores;
}

/* Whatever is mounted is one application here: its numbers are the worker's. */
static json_t *apps_of(const struct generation_status *serving, const struct worker_status *w)
{
	json_t *apps = json_array(), *app = json_object();

	add(app, "id", 0);
	add(app, "modifier1", 0);
	json_object_set_new(app, "mountpoint", json_string(""));
	add(app, "startup_time", serving->import_ms / 1000);
	add(app, "requests", (long long)w->requests);
	add(app, "exceptions", (long long)w->failed);
	json_object_set_new(app, "chdir", json_string(""));
	json_array_append_new(apps, app);
	return apps;
}

static json_t *worker_of(const struct report_form *form, const struct status *status,
			 const struct generation_status *serving, const struct worker_status *w)
{
	json_t *worker = json_object();
	int busy;
	json_t *cores = cores_of(form, status, w, &busy);

	add(worker, "id", w->worker);
	add(worker, "pid", w->pid);
	add(worker, "accepting", w->stage == STAGE_SERVING);
	add(worker, "requests", (long long)w->requests);
	add(worker, "delta_requests", (long long)w->own_requests);
	add(worker, "exceptions", (long long)w->failed);
	add(worker, "harakiri_count", w->harakiri);
	add(worker, "signals", 0);
	add(worker, "signal_queue", 0);
	json_object_set_new(worker, "status",
			    json_string(busy              ? "busy"
					: w->pid          ? "idle"
					: serving->paused ? "pause"
							  : "cheap"));
	add(worker, "rss", (long long)w->resident);
	add(worker, "vsz", (long long)w->address_space);
	add(worker, "uss", (long long)w->own);
	add(worker, "pss", (long long)w->share);
	add(worker, "running_time", (long long)w->running_us);
	add(worker, "last_spawn", w->since);
	add(worker, "respawn_count", w->spawns);
	add(worker, "tx", (long long)w->sent);
	add(worker, "avg_rt", (long long)w->average_us);
	json_object_set_new(worker, "apps", apps_of(serving, w));
	if (form->no_cores)
		json_decref(cores);
	else
		json_object_set_new(worker, "cores", cores);
	return worker;
}

/* The generation that serves; all 0: none does. */
static struct generation_status serving_of(const struct status *status)
{
	struct generation_status g;

	for (size_t i = 0; uwsgi_status_next_generation(status, &i, &g);)
		if (g.stage == STAGE_SERVING)
			return g;
	return (struct generation_status){ 0 };
}

static json_t *workers(const struct report_form *form, const struct status *status)
{
	const struct generation_status serving = serving_of(status);
	json_t *all = json_array();
	struct worker_status w;
	size_t i = 0;

	while (uwsgi_status_next_worker(status, &i, &w))
		json_array_append_new(all, worker_of(form, status, &serving, &w));
	return all;
}

/* ---- sockets ---- */

/* *longest: the queue that is longest, as uWSGI's listen_queue; as it was when none is known. */
static json_t *sockets(const struct status *status, long long *longest)
{
	json_t *all = json_array();
	struct socket_status socket;
	size_t i = 0;

	while (uwsgi_status_next_socket(status, &i, &socket)) {
		json_t *one = json_object();

		json_object_set_new(one, "name", report_string(socket.name));
		json_object_set_new(one, "proto", json_string(socket.protocol));
		if (socket.queue >= 0) {
			add(one, "queue", socket.queue);
			add(one, "max_queue", socket.max_queue);
		}
		add(one, "shared", 0);
		add(one, "can_offload", 0);
		if (socket.queue > *longest)
			*longest = socket.queue;
		json_array_append_new(all, one);
	}
	return all;
}

/* ---- programs beside the server ---- */

static json_t *daemons(const struct status *status)
{
	json_t *all = json_array();
	struct daemon_status d;
	size_t i = 0;

	while (uwsgi_status_next_daemon(status, &i, &d)) {
		json_t *one = json_object();

		json_object_set_new(one, "cmd", report_string(d.command));
		add(one, "pid", d.pid);
		add(one, "respawns", d.respawns);
		json_array_insert_new(all, 0, one);
	}
	return all;
}

/* ---- commands by the clock ---- */

static json_t *crons(const struct status *status)
{
	json_t *all = json_array();
	struct cron_status c;
	size_t i = 0;

	while (uwsgi_status_next_cron(status, &i, &c)) {
		json_t *one = json_object();

		add(one, "minute", c.minute);
		add(one, "hour", c.hour);
		add(one, "day", c.day);
		add(one, "month", c.month);
		add(one, "week", c.week);
		json_object_set_new(one, "command", report_string(c.command));
		add(one, "unique", c.unique);
		json_object_set_new(one, "legion", json_string(""));
		add(one, "pid", c.pid ? c.pid : -1);
		add(one, "started_at", c.started_at);
		json_array_insert_new(all, 0, one);
	}
	return all;
}

/* ---- metrics ---- */

static json_t *metrics(const struct metrics *from)
{
	json_t *all = json_object();
	const struct metric *m;
	size_t i = 0;

	while ((m = uwsgi_metrics_next(from, &i))) {
		json_t *one = json_object();

		add(one, "type", m->type);
		json_object_set_new(one, "oid", report_string(m->oid));
		add(one, "value", uwsgi_metric_get(m));
		json_object_set_new(all, m->name, one);
	}
	return all;
}

/* ---- all ---- */

static void add_empty(json_t *all, const char *const *names)
{
	for (; *names; names++)
		json_object_set_new(all, *names, json_array());
}

char *report_text(const struct report_form *form, const struct status *status)
{
	static const char *const before[] = { "locks", "caches", NULL };
	static const char *const between[] = { "spoolers", NULL };
	static const char *const behind[] = { "legions", NULL };
	struct server_status server;
	json_t *all = json_object();
	char *cwd = getcwd(NULL, 0);
	long long queue = -1;
	json_t *open = sockets(status, &queue);

	json_object_set_new(all, "version", json_string(REPORT_BEHAVES_AS));
	uwsgi_status_server(status, &server);
	if (queue >= 0) {
		add(all, "listen_queue", queue);
		add(all, "load", queue);
	}
	add(all, "listen_queue_errors", (long long)server.queue_overflows);
	add(all, "signal_queue", 0);
	add(all, "pid", server.master);
	add(all, "uid", getuid());
	add(all, "gid", getgid());
	json_object_set_new(all, "cwd", report_string(cwd ? cwd : ""));
	json_object_set_new(all, "daemons", daemons(status));
	add_empty(all, before);
	if (!form->no_metrics && uwsgi_status_metrics(status))
		json_object_set_new(all, "metrics", metrics(uwsgi_status_metrics(status)));
	json_object_set_new(all, "sockets", open);
	json_object_set_new(all, "workers", workers(form, status));
	add_empty(all, between);
	json_object_set_new(all, "crons", crons(status));
	add_empty(all, behind);
	char *text = json_dumps(all, form->minified ? JSON_COMPACT : JSON_INDENT(1));

	json_decref(all);
	free(cwd);
	return text;
}
