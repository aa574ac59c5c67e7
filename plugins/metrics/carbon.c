/* SPDX-License-Identifier: MIT */
/* carbon.c: lines for Graphite's carbon: "uwsgi.HOST.ID.requests 5 1700000000". */
#include "push.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum idle_average { IDLE_LAST, IDLE_ZERO, IDLE_NONE };

/* What a worker had when it was told of, to see what it has done since. */
struct seen {
	unsigned long long requests, running_us;
	long long average_us;
};

struct carbon {
	const struct push_source *source;
	struct sender sender;
	char prefix[512];  /* "uwsgi.HOST.ID." */
	struct seen *seen; /* [seen_count], by number of the worker; owned */
	size_t seen_count;
	int64_t last_ms;
};

/* One report while it is written. */
struct lines {
	FILE *to;
	const char *prefix;
	long long now_s;
};

static void add(const struct lines *l, const char *of, const char *name, long long value)
{
	fprintf(l->to, "%s%s%s %lld %lld\n", l->prefix, of, name, value, l->now_s);
}

/* ---- of workers ---- */

struct sums {
	unsigned long long requests, sent, resident, address_space;
	long long average_us, averages, busyness, workers, harakiri;
};

/* NULL: no memory. */
static struct seen *seen_of(struct carbon *c, int worker)
{
	size_t count = (size_t)worker + 1;

	if (count > c->seen_count) {
		struct seen *more = realloc(c->seen, count * sizeof *more);

		if (!more)
			return NULL;
		memset(more + c->seen_count, 0, (count - c->seen_count) * sizeof *more);
		c->seen = more;
		c->seen_count = count;
	}
	return &c->seen[worker];
}

/* The average response time to be told; -1: none. */
static long long average_of(const struct carbon *c, struct seen *s, const struct worker_status *w)
{
	bool idle = w->requests == s->requests;

	if (!idle || (long long)w->average_us > 0)
		s->average_us = (long long)w->average_us;
	if (!idle || c->source->settings->carbon_idle == IDLE_LAST)
		return s->average_us;
	return c->source->settings->carbon_idle == IDLE_ZERO ? 0 : -1;
}

/* How much of the time since the last report it ran requests, in percent. */
static long long busyness_of(const struct seen *s, const struct worker_status *w, int64_t passed_ms)
{
	unsigned long long ran_us = w->running_us - s->running_us;

	if (passed_ms < 1 || w->running_us < s->running_us)
		return 0;
	unsigned long long percent = ran_us / 10 / (unsigned long long)passed_ms;

	return percent > 100 ? 100 : (long long)percent;
}

static void add_worker(struct carbon *c, const struct lines *l, const struct worker_status *w,
		       struct sums *sums)
{
	struct seen *s = seen_of(c, w->worker);
	char of[32];

	if (!s)
		return;
	long long average_us = average_of(c, s, w);
	long long busyness = busyness_of(s, w, uwsgi_now_ms() - c->last_ms);

	s->requests = w->requests;
	s->running_us = w->running_us;
	sums->requests += w->requests;
	sums->sent += w->sent;
	sums->resident += w->resident;
	sums->address_space += w->address_space;
	sums->average_us += average_us < 0 ? 0 : average_us;
	sums->averages += average_us >= 0;
	sums->busyness += busyness;
	sums->workers += w->pid != 0;
	sums->harakiri += w->harakiri;
	if (c->source->settings->carbon_no_workers)
		return;
	snprintf(of, sizeof of, "worker%d.", w->worker);
	add(l, of, "requests", (long long)w->requests);
	add(l, of, "rss_size", (long long)w->resident);
	add(l, of, "vsz_size", (long long)w->address_space);
	if (average_us >= 0)
		add(l, of, "avg_rt", average_us);
	add(l, of, "tx", (long long)w->sent);
	add(l, of, "busyness", busyness);
	add(l, of, "harakiri", w->harakiri);
}

static void add_workers(struct carbon *c, const struct lines *l)
{
	struct sums sums = { 0 };
	struct worker_status w;
	size_t i = 0;

	while (uwsgi_status_next_worker(c->source->status, &i, &w))
		add_worker(c, l, &w, &sums);
	add(l, "", "requests", (long long)sums.requests);
	add(l, "", "rss_size", (long long)sums.resident);
	add(l, "", "vsz_size", (long long)sums.address_space);
	if (sums.averages)
		add(l, "", "avg_rt", sums.average_us / sums.averages);
	add(l, "", "tx", (long long)sums.sent);
	add(l, "", "busyness", sums.workers ? sums.busyness / sums.workers : 0);
	add(l, "", "active_workers", sums.workers);
	add(l, "", "harakiri", sums.harakiri);
	c->last_ms = uwsgi_now_ms();
}

/* ---- of metrics ---- */

static void add_metrics(const struct carbon *c, const struct lines *l)
{
	const struct metric *m;
	size_t i = 0;
	long long now;

	while ((m = uwsgi_metrics_next(c->source->metrics, &i)))
		if (!c->source->settings->carbon_no_workers || strncmp(m->name, "worker.", 7) != 0)
			add(l, "", m->name, push_take(c->source, m, &now));
}

static void push(void *state)
{
	struct carbon *c = state;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return;
	const struct lines l = { to, c->prefix, time(NULL) };
	if (c->source->settings->carbon_metrics)
		add_metrics(c, &l);
	else
		add_workers(c, &l);
	if (fclose(to) == 0)
		sender_send(&c->sender, text);
	else
		free(text);
}

/* ---- names ---- */

static void replace(char *text, char from, const char *to)
{
	for (; to && *to && *text; text++)
		if (*text == from)
			*text = *to;
}

/* What would end a name, or a line, is written as _. */
static void clean(char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text == 0x7f)
			*text = '_';
}

static void name(struct carbon *c)
{
	const struct push_settings *s = c->source->settings;
	const char *root = s->carbon_root ? s->carbon_root : "uwsgi";
	char host[256] = "", id[200] = "";
	struct socket_status first;
	size_t i = 0;

	if (s->carbon_alias)
		snprintf(host, sizeof host, "%s", s->carbon_alias);
	else
		gethostname(host, sizeof host - 1);
	replace(host, '.', s->carbon_dots);
	if (s->carbon_id)
		snprintf(id, sizeof id, "%s", s->carbon_id);
	else if (uwsgi_status_next_socket(c->source->status, &i, &first))
		snprintf(id, sizeof id, "%s", first.name);
	if (!s->carbon_id)
		replace(id, '.', "_");
	snprintf(c->prefix, sizeof c->prefix, "%s%s%s.%s.", root, *root ? "." : "", host, id);
	clean(c->prefix);
}

static int valid(const char *argument, struct error *e)
{
	return destination_valid(argument, strlen(argument), e);
}

static void *open_it(const struct push_source *source, const char *argument, long long *every_s)
{
	struct carbon *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->source = source;
	c->last_ms = uwsgi_now_ms();
	name(c);
	sender_init(&c->sender, source->loop, argument, source->settings);
	*every_s = source->settings->carbon_every_s;
	return c;
}

static void close_it(void *state)
{
	struct carbon *c = state;

	sender_fini(&c->sender);
	free(c->seen);
	free(c);
}

const struct push_kind push_carbon = { "carbon", valid, open_it, push, close_it };
