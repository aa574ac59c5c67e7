/* SPDX-License-Identifier: MIT */
/* snapshot.c: all that the page shows, as JSON.  The names are a contract with its script and with
 * `uwsgi --status`. */
#include "inspect.h"

#include "stats/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An event repeats a whole list when one is added to it: so lists are bounded here, too. */
enum { SLOW_SHOWN = 32, WARNINGS_SHOWN = 64 };

static void add(json_t *object, const char *name, unsigned long long n)
{
	json_object_set_new(object, name, json_integer((json_int_t)n));
}

static void add_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, report_string(text));
}

static void add_time(json_t *object, const char *name, long long us)
{
	json_object_set_new(object, name, json_real((double)us / 1e6));
}

static void add_uri(json_t *object, const char *uri, bool queries)
{
	char shown[224];
	size_t n = queries ? strlen(uri) : strcspn(uri, "?");

	if (n >= sizeof shown)
		n = sizeof shown - 1;
	memcpy(shown, uri, n);
	shown[n] = '\0';
	add_text(object, "uri", shown);
}

/* ---- the server ---- */

/* Buckets that hold something: [upper end in microseconds, how many took less]. */
static json_t *histogram_of(const struct histogram *h)
{
	json_t *all = json_array();
	unsigned long long seen = 0;

	for (size_t i = 0; i < UWSGI_BUCKETS; i++) {
		json_t *pair = h->bucket[i] ? json_array() : NULL;

		if (!pair)
			continue;
		seen += h->bucket[i];
		json_array_append_new(pair, json_integer((json_int_t)uwsgi_bucket_end_us(i)));
		json_array_append_new(pair, json_integer((json_int_t)seen));
		json_array_append_new(all, pair);
	}
	return all;
}

static void add_server(json_t *all, const struct status *status)
{
	struct server_status s;
	struct timespec now;
	json_t *classes = json_array(), *hist = json_object();

	uwsgi_status_server(status, &s);
	clock_gettime(CLOCK_REALTIME, &now);
	add_time(all, "t", now.tv_sec * 1000000LL + now.tv_nsec / 1000);
	add_time(all, "started", s.started_us);
	add_text(all, "version", UWSGI_VERSION);
	add(all, "generation", (unsigned long long)s.generation);
	add_text(all, "state", state_name(state_of(status)));
	add(all, "requests", uwsgi_counts_requests(&s.counts));
	add(all, "failed", s.counts.failed);
	add(all, "sent", s.counts.sent);
	add(all, "gone", s.counts.unsent + s.counts.unread);
	for (size_t i = 1; i < 6; i++)
		json_array_append_new(classes, json_integer((json_int_t)s.counts.answers[i]));
	json_object_set_new(all, "classes", classes);
	json_object_set_new(hist, "wait", histogram_of(&s.counts.wait));
	json_object_set_new(hist, "run", histogram_of(&s.counts.run));
	json_object_set_new(hist, "send", histogram_of(&s.counts.send));
	json_object_set_new(all, "hist", hist);
}

/* ---- workers ---- */

static json_t *lane_of(const struct lane_status *l, bool queries)
{
	json_t *lane = json_object();

	add(lane, "n", (unsigned long long)l->lane);
	json_object_set_new(lane, "busy", json_boolean(l->busy));
	add_text(lane, "method", l->busy ? l->method : "");
	add_uri(lane, l->busy ? l->uri : "", queries);
	add(lane, "ms", (unsigned long long)l->running_ms);
	add(lane, "requests", l->requests);
	return lane;
}

static json_t *worker_of(const struct process_status *p)
{
	json_t *worker = json_object();

	add(worker, "id", (unsigned long long)p->worker);
	add(worker, "pid", (unsigned long long)p->pid);
	add(worker, "generation", (unsigned long long)p->generation);
	add_text(worker, "state", stage_name(p->stage));
	add(worker, "requests", p->requests);
	add(worker, "rss", p->resident);
	add(worker, "pss", p->share);
	add_time(worker, "since", p->since_us);
	json_object_set_new(worker, "lanes", json_array());
	return worker;
}

/* The lanes of one process come one after the other. */
static void add_lanes(json_t *workers, const struct status *status, bool queries)
{
	struct lane_status l;
	json_t *lanes = NULL;
	pid_t last = 0;

	for (size_t i = 0; uwsgi_status_next(status, &i, &l); last = l.pid) {
		size_t k;
		json_t *w;

		if (l.pid != last) {
			lanes = NULL;
			json_array_foreach(workers, k,
					   w) if (json_integer_value(json_object_get(w, "pid")) ==
						  l.pid) lanes = json_object_get(w, "lanes");
		}
		if (lanes)
			json_array_append_new(lanes, lane_of(&l, queries));
	}
}

static json_t *workers_of(const struct status *status, bool queries)
{
	json_t *workers = json_array();
	struct process_status p;

	for (size_t i = 0; uwsgi_status_next_process(status, &i, &p);)
		json_array_append_new(workers, worker_of(&p));
	add_lanes(workers, status, queries);
	return workers;
}

static json_t *sockets_of(const struct status *status)
{
	json_t *all = json_array();
	struct socket_status s;

	for (size_t i = 0; uwsgi_status_next_socket(status, &i, &s);) {
		json_t *one = json_object();

		add_text(one, "name", s.name);
		add_text(one, "protocol", s.protocol);
		json_object_set_new(one, "queue", json_integer(s.queue));
		json_object_set_new(one, "max_queue", json_integer(s.max_queue));
		json_array_append_new(all, one);
	}
	return all;
}

/* ---- what happened ---- */

static json_t *slow_of(const struct status *status, bool queries)
{
	json_t *all = json_array();
	struct slow_status s;

	for (size_t i = 0;
	     json_array_size(all) < SLOW_SHOWN && uwsgi_status_next_slow(status, &i, &s);) {
		json_t *one = json_object();

		add_time(one, "at", s.at_us);
		add_text(one, "method", s.method);
		add_uri(one, s.uri, queries);
		add(one, "status", (unsigned long long)s.status);
		add(one, "wait_us", s.wait_us);
		add(one, "run_us", s.run_us);
		add(one, "send_us", s.send_us);
		add(one, "worker", (unsigned long long)s.worker);
		add(one, "lane", (unsigned long long)s.lane);
		if (*s.trace_id)
			add_text(one, "trace_id", s.trace_id);
		json_array_append_new(all, one);
	}
	return all;
}

/* A line may name a URI: from a question mark inside a word on, the word is left out. */
static void cut_queries(char *text)
{
	static const char ends[] = " \t\n\"'";
	char *to = text;

	for (const char *from = text; *from; from++) {
		*to++ = *from;
		if (*from == '?' && from > text && !strchr(ends, from[-1]))
			from += strcspn(from + 1, ends);
	}
	*to = '\0';
}

static json_t *log_of(const struct status *status, bool queries)
{
	json_t *all = json_array();
	struct warning_status w;

	for (size_t i = 0;
	     json_array_size(all) < WARNINGS_SHOWN && uwsgi_status_next_warning(status, &i, &w);) {
		json_t *one = json_object();

		if (!queries)
			cut_queries(w.text);
		add_time(one, "at", w.at_us);
		add_text(one, "text", w.text);
		json_array_append_new(all, one);
	}
	return all;
}

json_t *snapshot_new(const struct status *status, bool queries)
{
	json_t *all = json_object();

	add_server(all, status);
	json_object_set_new(all, "workers", workers_of(status, queries));
	json_object_set_new(all, "sockets", sockets_of(status));
	json_object_set_new(all, "vassals", vassals_of(status));
	json_object_set_new(all, "slow", slow_of(status, queries));
	json_object_set_new(all, "log", log_of(status, queries));
	return all;
}
