/* SPDX-License-Identifier: MIT */
/* logstream.c: each line goes to the loggers that a route names for it, otherwise to all that
 * have no name, otherwise to where the log goes anyway.  logpipe.c brings the lines and writes
 * what is passed on. */
#include "log/logstream.h"

#include "base/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct logstream_settings {
	struct option_list loggers, routes, encoders;
	struct option_list request_loggers, request_routes, request_encoders;
	struct option_list sockets;
	const char *syslog;
	long long packet_size;
	bool split;
};

static int valid_route(const char *value, struct error *e)
{
	const char *blank = strchr(value, ' ');

	if (!blank)
		return uwsgi_error_set(e, "expected the name of a logger and an expression");
	struct pattern *p = pattern_new(blank + 1, e);
	pattern_free(p);
	return p ? 0 : -1;
}

#define AT(member) offsetof(struct logstream_settings, member)
static const struct option rows[] = {
	{ .name = "logger",
	  .type = OPT_LIST,
	  .offset = AT(loggers),
	  .text = true,
	  .valid = logger_valid,
	  .help = "send lines here: stdio, file:/path, socket:host:port, syslog, "
		  "rsyslog:host:port; a name before it is for log-route",
	  .example = "file:/var/log/uwsgi.log" },
	{ .name = "req-logger",
	  .type = OPT_LIST,
	  .offset = AT(request_loggers),
	  .text = true,
	  .valid = logger_valid,
	  .help = "the same for the lines of requests, which go nowhere else then",
	  .example = "file:/var/log/uwsgi-requests.log" },
	{ .name = "logger-req", .same_as = "req-logger" },
	{ .name = "log-route",
	  .type = OPT_LIST,
	  .offset = AT(routes),
	  .text = true,
	  .valid = valid_route,
	  .unit = "LOGGER EXPRESSION",
	  .help = "lines that match go to the logger of this name",
	  .example = "errors HTTP/1.. 5" },
	{ .name = "log-req-route",
	  .type = OPT_LIST,
	  .offset = AT(request_routes),
	  .text = true,
	  .valid = valid_route,
	  .unit = "LOGGER EXPRESSION",
	  .help = "the same for the lines of requests",
	  .example = "errors HTTP/1.. 5" },
	{ .name = "log-encoder",
	  .type = OPT_LIST,
	  .offset = AT(encoders),
	  .text = true,
	  .help = "write each line as prefix, suffix, nl, format or json make it, in turn; "
		  ":name for one logger only",
	  .example = "json {\"time\": ${unix}, \"line\": \"${msg}\"}" },
	{ .name = "log-req-encoder",
	  .type = OPT_LIST,
	  .offset = AT(request_encoders),
	  .text = true,
	  .help = "the same for the lines of requests",
	  .example = "prefix request: ",
	  .differs = "without req-logger it has no effect" },
	{ .name = "log-syslog",
	  .type = OPT_STRING,
	  .offset = AT(syslog),
	  .bare = "uwsgi",
	  .unit = "IDENT",
	  .help = "as logger = syslog:IDENT",
	  .example = "shop" },
	{ .name = "log-socket",
	  .type = OPT_LIST,
	  .offset = AT(sockets),
	  .unit = "ADDRESS",
	  .help = "as logger = socket:ADDRESS",
	  .example = "127.0.0.1:1717" },
	{ .name = "rsyslog-packet-size",
	  .type = OPT_SIZE,
	  .offset = AT(packet_size),
	  .initial = "1024",
	  .min = 128,
	  .max = 65000,
	  .help = "the most that a packet of a syslog logger holds; the rest of the line is "
		  "cut off" },
	{ .name = "rsyslog-split-messages",
	  .type = OPT_FLAG,
	  .offset = AT(split),
	  .initial = "false",
	  .help = "longer lines go in several packets" },
	{ .name = "log-master-req-stream",
	  .type = OPT_ALWAYS,
	  .help = "lines of requests of any length reach the master" },
};
#undef AT

const struct option_table logstream_options = {
	.module = "loggers",
	.size = sizeof(struct logstream_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

bool logstream_is_wanted(const struct config *cfg, bool requests)
{
	const struct logstream_settings *s = uwsgi_options(cfg, &logstream_options);

	if (requests)
		return s->request_loggers.count || s->request_encoders.count;
	return s->loggers.count || s->encoders.count || s->sockets.count || s->syslog;
}

/* ---- what there is ---- */

/* The configuration goes before the last line is said. */
static const char *keep(struct logstream *ls, const char *value)
{
	const char *kept = arena_copy(&ls->memory, (struct slice){ value, strlen(value) + 1 }).p;

	return kept ? kept : "";
}

static void add_logger(struct logstream *ls, const struct logstream_settings *s, const char *kind,
		       const char *value)
{
	struct logger *l = &ls->loggers[ls->logger_count];
	char whole[4096];
	struct error e;

	snprintf(whole, sizeof whole, "%s%s", kind, value);
	if (logger_open(l, keep(ls, whole), &e)) {
		uwsgi_log(UWSGI_ERROR, "logger = %s%s: %s; it gets no lines", kind, value, e.text);
		return;
	}
	l->packet_size = (size_t)s->packet_size;
	l->split = s->split;
	ls->logger_count++;
}

static void add_encoder(struct logstream *ls, const char *value)
{
	struct error e;

	if (logencoder_parse(&ls->encoders[ls->encoder_count], keep(ls, value), &e))
		uwsgi_log(UWSGI_ERROR, "log-encoder = %s: %s; it is left out", value, e.text);
	else
		ls->encoder_count++;
}

static void add_route(struct logstream *ls, const char *value)
{
	struct logroute *r = &ls->routes[ls->route_count];
	size_t n = strcspn(value, " ");
	struct error e;

	for (size_t i = 0; i < ls->logger_count; i++) {
		const struct slice *name = &ls->loggers[i].name;

		if (name->n != n || memcmp(name->p, value, n) != 0)
			continue;
		r->logger = i;
		r->text = keep(ls, value);
		r->pattern = pattern_new(value + n + 1, &e);
		ls->route_count += r->pattern != NULL;
		return;
	}
	uwsgi_log(UWSGI_WARNING, "log-route = %s: there is no logger of this name", value);
}

void logstream_init(struct logstream *ls, const struct config *cfg, bool requests)
{
	const struct logstream_settings *s = uwsgi_options(cfg, &logstream_options);
	const struct option_list *loggers = requests ? &s->request_loggers : &s->loggers;
	const struct option_list *routes = requests ? &s->request_routes : &s->routes;
	const struct option_list *encoders = requests ? &s->request_encoders : &s->encoders;
	size_t sockets = requests ? 0 : s->sockets.count;

	*ls = (struct logstream){ 0 };
	arena_init(&ls->memory);
	ls->loggers = calloc(loggers->count + sockets + 1, sizeof *ls->loggers);
	ls->routes = calloc(routes->count + 1, sizeof *ls->routes);
	ls->encoders = calloc(encoders->count + 1, sizeof *ls->encoders);
	if (!ls->loggers || !ls->routes || !ls->encoders) {
		uwsgi_log(UWSGI_ERROR, "out of memory: the loggers get no lines");
		return;
	}
	for (size_t i = 0; i < loggers->count; i++)
		add_logger(ls, s, "", loggers->items[i]);
	for (size_t i = 0; i < sockets; i++)
		add_logger(ls, s, "socket:", s->sockets.items[i]);
	if (!requests && s->syslog)
		add_logger(ls, s, "syslog:", s->syslog);
	for (size_t i = 0; i < encoders->count; i++)
		add_encoder(ls, encoders->items[i]);
	for (size_t i = 0; i < routes->count; i++)
		add_route(ls, routes->items[i]);
}

void logstream_fini(struct logstream *ls)
{
	for (size_t i = 0; i < ls->logger_count; i++)
		logger_close(&ls->loggers[i]);
	for (size_t i = 0; i < ls->route_count; i++)
		pattern_free(ls->routes[i].pattern);
	free(ls->loggers);
	free(ls->routes);
	free(ls->encoders);
	free(ls->encoded.p);
	free(ls->scratch[0].p);
	free(ls->scratch[1].p);
	arena_fini(&ls->memory);
	*ls = (struct logstream){ 0 };
}

void logstream_reopen(struct logstream *ls)
{
	for (size_t i = 0; i < ls->logger_count; i++)
		logger_reopen(&ls->loggers[i]);
}

/* ---- one line ---- */

static void clear(struct text *t)
{
	t->n = 0;
	t->failed = false;
}

static void give(struct logstream *ls, struct logger *l, struct slice line, struct text *passed)
{
	struct slice name = l ? l->name : (struct slice){ 0 };

	clear(&ls->encoded);
	clear(&ls->scratch[0]);
	clear(&ls->scratch[1]);
	logencoder_run(ls->encoders, ls->encoder_count, name, line, &ls->encoded, ls->scratch);
	if (!l || l->kind == LOGGER_STDIO)
		text_add(passed, (struct slice){ ls->encoded.p, ls->encoded.n });
	else
		logger_write(l, (struct slice){ ls->encoded.p, ls->encoded.n });
}

/* A line that costs too much goes on as if the route did not match, so that none is lost. */
static bool is_for(struct logroute *r, struct slice line)
{
	int matches = pattern_matches(r->pattern, line);

	if (matches < 0 && !r->gave_up) {
		r->gave_up = true;
		uwsgi_log(UWSGI_WARNING,
			  "log-route = %s: a line takes too many steps; such lines count as not "
			  "matching",
			  r->text);
	}
	return matches > 0;
}

/* False: no route was for it. */
static bool follow_routes(struct logstream *ls, struct slice line, struct text *passed)
{
	/* Expressions see the line without its end. */
	const struct slice seen = { line.p, line.n - (line.p[line.n - 1] == '\n') };
	bool matched = false;

	for (size_t i = 0; i < ls->route_count; i++) {
		if (!is_for(&ls->routes[i], seen))
			continue;
		matched = true;
		give(ls, &ls->loggers[ls->routes[i].logger], line, passed);
	}
	return matched;
}

void logstream_line(struct logstream *ls, struct slice line, struct text *passed)
{
	bool given = false;

	if (line.n == 0 || follow_routes(ls, line, passed))
		return;
	for (size_t i = 0; i < ls->logger_count; i++) {
		if (ls->loggers[i].name.n)
			continue;
		given = true;
		give(ls, &ls->loggers[i], line, passed);
	}
	if (!given)
		give(ls, NULL, line, passed);
}
