/* SPDX-License-Identifier: MIT */
/* datagrams.c: metrics as datagrams: to statsd, to dogstatsd, and in the format of uWSGI's stats_pusher
 * "socket".  What the kernel does not take at once is lost, as it may be on its way. */
#include "push.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One datagram: what no network cuts in two (the least MTU of IPv6, less its heads). */
enum { PACKET_MAX = 1232, LINE_SIZE = 1024, NAME_SIZE = 256, TAGS_SIZE = 512 };

enum dialect { STATSD, DOGSTATSD, PLAIN };

struct datagrams {
	const struct push_source *source;
	enum dialect dialect;
	bool all_gauges, no_workers;
	struct destination to;
	int fd;                          /* connected; -1: not yet */
	struct sockaddr_storage address; /* to this one */
	bool failed;                     /* and that is said */
	const char *prefix;
	long long *before; /* [count of metrics]: what counters had when they were sent */
	char packet[PACKET_MAX];
	size_t filled;
};

/* ---- packets ---- */

static void say_failed(struct datagrams *d, const char *what)
{
	if (!d->failed)
		uwsgi_log(UWSGI_WARNING, "stats-push %s: %s: %s; this is said once", d->to.text,
			  what, strerror(errno));
	d->failed = true;
}

static bool connect_to(struct datagrams *d)
{
	if (!destination_find(&d->to))
		return false;
	if (d->fd >= 0 && !memcmp(&d->address, &d->to.address, sizeof d->address))
		return true;
	if (d->fd >= 0)
		close(d->fd);
	d->address = d->to.address;
	d->fd = socket(d->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd >= 0 && !connect(d->fd, (struct sockaddr *)&d->address, (socklen_t)d->to.length))
		return true;
	say_failed(d, "cannot connect");
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	return false;
}

/* ECONNREFUSED is about an earlier one: that this one could be sent says nothing. */
static void send_packet(struct datagrams *d)
{
	if (d->filled && send(d->fd, d->packet, d->filled, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		say_failed(d, "cannot send");
	d->filled = 0;
}

/* Several lines go together, but for who may not expect that. */
static void add_line(struct datagrams *d, const char *line, size_t n)
{
	if (d->filled && (d->dialect == PLAIN || d->filled + 1 + n > sizeof d->packet))
		send_packet(d);
	if (d->filled)
		d->packet[d->filled++] = '\n';
	memcpy(d->packet + d->filled, line, n);
	d->filled += n;
}

/* ---- lines ---- */

/* "worker.1.core.0.requests" is worker.core.requests with the tags worker:1 and core:0. */
static bool split_tags(const struct datagrams *d, const char *name, char bare[NAME_SIZE],
		       char tags[TAGS_SIZE])
{
	const char *extra = d->source->settings->dog_tags;
	size_t n = 0, tagged = 0;
	struct slice key = { 0 };

	bare[0] = tags[0] = '\0';
	if (extra && *extra)
		tagged = (size_t)snprintf(tags, TAGS_SIZE, "|#%s", extra);
	while (*name && n < NAME_SIZE && tagged < TAGS_SIZE) {
		size_t length = strcspn(name, ".");
		bool number = *name >= '0' && *name <= '9';

		if (number && key.n) {
			tagged += (size_t)snprintf(tags + tagged, TAGS_SIZE - tagged, "%s%.*s:%.*s",
						   tagged ? "," : "|#", (int)key.n, key.p,
						   (int)length, name);
		} else {
			key = (struct slice){ name, length };
			n += (size_t)snprintf(bare + n, NAME_SIZE - n, "%s%.*s", n ? "." : "",
					      (int)length, name);
		}
		name += length + (name[length] == '.');
	}
	return n < NAME_SIZE && tagged < TAGS_SIZE;
}

static bool is_listed(const struct option_list *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->items[i], name))
			return true;
	return names->count == 0;
}

static void add_number(struct datagrams *d, const char *name, long long value, char type,
		       const char *tags)
{
	char line[LINE_SIZE];
	int n = snprintf(line, sizeof line, "%s.%s:%lld|%c%s", d->prefix, name, value, type, tags);

	if (n > 0 && (size_t)n < sizeof line)
		add_line(d, line, (size_t)n);
}

/* What is to be added.  What the server counts begins anew with a process. */
static long long added(const struct metric *m, long long value, long long before)
{
	if (m->collected && value < before)
		return value;
	return (long long)((unsigned long long)value - (unsigned long long)before);
}

/* A counter is what is to be added, in both protocols; a gauge replaces what was there, but statsd
 * takes one with a sign as something to add, so it is set to 0 before. */
static void add_metric(struct datagrams *d, const struct metric *m, long long value,
		       long long before)
{
	bool counts = m->type == METRIC_COUNTER && !d->all_gauges;
	char bare[NAME_SIZE], tags[TAGS_SIZE] = "";

	if (d->dialect == DOGSTATSD && (!split_tags(d, m->name, bare, tags) ||
					!is_listed(&d->source->settings->dog_metrics, bare)))
		return;
	const char *name = d->dialect == DOGSTATSD ? bare : m->name;
	if (counts) {
		value = added(m, value, before);
	} else if (value < 0 && d->dialect == STATSD) {
		add_number(d, name, 0, 'g', tags);
	}
	add_number(d, name, value, counts ? 'c' : 'g', tags);
}

static void add_plain(struct datagrams *d, const struct metric *m, long long value)
{
	char line[LINE_SIZE];
	int n = snprintf(line, sizeof line, "%s.%s %d %lld", d->prefix, m->name, (int)m->type,
			 value);

	if (n > 0 && (size_t)n < sizeof line)
		add_line(d, line, (size_t)n);
}

static void push(void *state)
{
	struct datagrams *d = state;
	const struct metric *m;
	size_t i = 0;

	if (!connect_to(d))
		return;
	while ((m = uwsgi_metrics_next(d->source->metrics, &i))) {
		long long *before = &d->before[i - 1], now, value;

		if (d->no_workers && !strncmp(m->name, "worker.", 7))
			continue;
		value = push_take(d->source, m, &now);
		if (d->dialect == PLAIN)
			add_plain(d, m, value);
		else
			add_metric(d, m, value, *before);
		*before = now;
	}
	send_packet(d);
}

/* ---- "ADDRESS,PREFIX" ---- */

static size_t address_length(const char *argument)
{
	return strcspn(argument, ",");
}

static int valid(const char *argument, struct error *e)
{
	size_t n = address_length(argument);

	if (strlen(argument + n) > NAME_SIZE)
		return uwsgi_error_set(e, "the prefix has more than %d characters", NAME_SIZE - 1);
	return destination_valid(argument, n, e);
}

/* Who begins in the middle counts from then on: what was before, another one may have sent. */
static long long *begin_with(const struct push_source *source)
{
	const struct metric *m;
	size_t i = 0, count = 0;

	while (uwsgi_metrics_next(source->metrics, &count))
		;
	long long *before = calloc(count + 1, sizeof *before);
	while (before && (m = uwsgi_metrics_next(source->metrics, &i)))
		before[i - 1] = customs_reset_after_push(source->customs, m) ? m->initial
									     : uwsgi_metric_get(m);
	return before;
}

static struct datagrams *open_for(const struct push_source *source, const char *argument,
				  enum dialect dialect)
{
	struct datagrams *d = calloc(1, sizeof *d);
	size_t n = address_length(argument);

	if (!d)
		return NULL;
	*d = (struct datagrams){ .source = source,
				 .dialect = dialect,
				 .fd = -1,
				 .prefix = argument[n] && argument[n + 1] ? argument + n + 1
									  : "uwsgi",
				 .before = begin_with(source) };
	destination_init(&d->to, "stats-push", argument, n);
	if (d->before)
		return d;
	free(d);
	return NULL;
}

static void *open_statsd(const struct push_source *source, const char *argument, long long *every_s)
{
	struct datagrams *d = open_for(source, argument, STATSD);

	(void)every_s;
	if (d) {
		d->all_gauges = source->settings->statsd_gauges;
		d->no_workers = source->settings->statsd_no_workers;
	}
	return d;
}

static void *open_dogstatsd(const struct push_source *source, const char *argument,
			    long long *every_s)
{
	struct datagrams *d = open_for(source, argument, DOGSTATSD);

	(void)every_s;
	if (d) {
		d->all_gauges = source->settings->dog_gauges;
		d->no_workers = source->settings->dog_no_workers;
	}
	return d;
}

static void *open_plain(const struct push_source *source, const char *argument, long long *every_s)
{
	(void)every_s;
	return open_for(source, argument, PLAIN);
}

static void close_it(void *state)
{
	struct datagrams *d = state;

	destination_fini(&d->to);
	if (d->fd >= 0)
		close(d->fd);
	free(d->before);
	free(d);
}

const struct push_kind push_statsd = { "statsd", valid, open_statsd, push, close_it };
const struct push_kind push_dogstatsd = { "dogstatsd", valid, open_dogstatsd, push, close_it };
const struct push_kind push_socket = { "socket", valid, open_plain, push, close_it };
