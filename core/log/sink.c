/* SPDX-License-Identifier: MIT */
/* sink.c: uWSGI's loggers, log-routes and log-encoders, but for those that need a library.  The
 * master calls it with each line, through logpipe.c.  A line goes to the loggers that a route names
 * for it, otherwise to all that have no name, otherwise to where the log goes anyway; on the way to
 * each, the encoders change it.  All three are one file, since routes and encoders name loggers. */
#include "log/sink.h"

#include "base/address.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/safefile.h"
#include "base/slice.h"
#include "log/logfile.h"
#include "settings/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

struct logger {
	/* NULL: where the log goes anyway */
	void (*write)(const struct sinks *, struct logger *, struct slice line);
	struct slice name;   /* of the option's value; empty: it takes all lines */
	struct logfile file; /* its descriptor is also that of a socket; -1: none */
	struct address to;   /* sockets */
	char ident[256];     /* of the server in syslog */
	int priority;
};

struct route {
	struct pattern *pattern;
	struct logger *logger;
	const char *text; /* of the option */
	bool gave_up;     /* a line cost the pattern too much, and the log has said so */
};

struct encoder {
	struct slice logger; /* only for the logger of this name; empty: for all lines */
	const char *before, *format, *after;
	bool json; /* the line is escaped */
};

/* What the options are called, for the server's lines and for those of requests. */
static const struct names {
	const char *logger, *encoder, *route;
} names_of[] = { { "logger", "log-encoder", "log-route" },
		 { "req-logger", "log-req-encoder", "log-req-route" } };

struct sinks {
	const struct names *names;
	struct arena
		memory; /* of what follows, and of the options' values: the configuration goes */
	struct logger *loggers;
	struct route *routes;
	struct encoder *encoders;
	size_t logger_count, route_count, encoder_count;
	size_t packet_size;
	bool split;
	struct text encoded[2];
};

/* ---- files ---- */

static void write_file(const struct sinks *s, struct logger *l, struct slice line)
{
	struct stat st;

	(void)s;
	if (l->file.full_at && fstat(l->file.fd, &st) == 0 &&
	    logfile_is_full(&l->file, &st, line.n))
		logfile_rotate(&l->file);
	if (write(l->file.fd, line.p, line.n) < 0)
		return; /* cannot be reported: reports come through here */
}

/* "/path" or "logfile=/path,maxsize=1000,backupname=/path.old" */
struct file_argument {
	char *text; /* owns it; the others point into it */
	const char *path, *backup;
	long long max_size;
};

static const struct key file_rows[] = {
	{ "logfile", key_text, offsetof(struct file_argument, path) },
	{ "backupname", key_text, offsetof(struct file_argument, backup) },
	{ "maxsize", key_bytes, offsetof(struct file_argument, max_size) },
};
static const struct keys file_keys = { file_rows, sizeof file_rows / sizeof *file_rows };

/* f->text is the caller's to free, also after an error. */
static int read_file_argument(const char *argument, struct file_argument *f, struct error *e)
{
	*f = (struct file_argument){ .text = strdup(argument) };
	if (!f->text)
		return uwsgi_error_set(e, "out of memory");
	if (!strchr(argument, '='))
		f->path = f->text;
	else if (keys_read(&file_keys, f->text, f, e))
		return -1;
	return f->path ? 0 : uwsgi_error_set(e, "logfile= is missing");
}

static int check_file(const char *argument, struct error *e)
{
	struct file_argument f;
	int failed = read_file_argument(argument, &f, e);

	free(f.text);
	return failed;
}

static int open_file(struct logger *l, const char *argument, struct error *e)
{
	struct file_argument f;
	int failed = read_file_argument(argument, &f, e);

	l->write = write_file;
	l->file.uid = geteuid();
	if (!failed) {
		snprintf(l->file.backup, sizeof l->file.backup, "%s", f.backup ? f.backup : "");
		l->file.max_size = f.max_size;
		failed = logfile_open(&l->file, f.path, e);
	}
	free(f.text);
	return failed;
}

static int check_fd(const char *argument, struct error *e)
{
	int64_t n = uwsgi_number(slice_of(argument));

	return n >= 0 && n <= INT_MAX ?
		       0 :
		       uwsgi_error_set(e, "\"%.64s\" is no number of a descriptor", argument);
}

static int open_fd(struct logger *l, const char *argument, struct error *e)
{
	int fd = atoi(argument);

	l->write = write_file;
	l->file.fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return l->file.fd >= 0 ? 0 : uwsgi_error_set(e, "descriptor %d: %s", fd, strerror(errno));
}

static int open_stdio(struct logger *l, const char *argument, struct error *e)
{
	(void)l;
	(void)argument;
	(void)e;
	return 0;
}

/* ---- sockets ---- */

static void send_packet(const struct sinks *s, struct logger *l, struct slice line)
{
	(void)s;
	if (sendto(l->file.fd, line.p, line.n, MSG_NOSIGNAL, (const struct sockaddr *)&l->to.sa,
		   l->to.length) < 0)
		return; /* the receiver is not there, or slow */
}

static int open_socket(struct logger *l, const char *to, struct error *e)
{
	l->write = send_packet;
	if (address_parse(&l->to, to, e))
		return -1;
	l->file.fd = socket(l->to.sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return l->file.fd >= 0 ? 0 : uwsgi_error_set(e, "%s: %s", to, strerror(errno));
}

/* RFC 3164, without the host for the local one.  Not syslog(3), which waits for a syslog daemon
 * that stands still, and would make the master wait. */
static void write_syslog(const struct sinks *s, struct logger *l, struct slice line)
{
	char packet[65536];
	size_t limit = s->packet_size < sizeof packet ? s->packet_size : sizeof packet;

	if (line.n && line.p[line.n - 1] == '\n')
		line.n--;
	do {
		struct logline packed;

		logline_init(&packed, packet, limit);
		logline_printf(&packed, "<%d>", l->priority);
		logline_time(&packed, "%b %e %H:%M:%S ", clock_wall_us());
		logline_printf(&packed, "%s: ", l->ident);
		size_t before = packed.n;
		logline_text(&packed, line);
		size_t taken = packed.n - before;
		send_packet(s, l, (struct slice){ packed.p, packed.n });
		line = (struct slice){ line.p + taken, taken ? line.n - taken : 0 };
	} while (s->split && line.n);
}

/* "host:port,ident,priority", each but the first may be missing. */
static int open_rsyslog(struct logger *l, const char *argument, struct error *e)
{
	size_t n = strcspn(argument, ",");
	char to[300], host[128] = "";

	gethostname(host, sizeof host - 1);
	snprintf(l->ident, sizeof l->ident, "%s uwsgi", host);
	l->priority = LOG_DAEMON | LOG_NOTICE;
	snprintf(to, sizeof to, "%.*s%s", (int)n, argument,
		 *argument == '/' || memchr(argument, ':', n) ? "" : ":514");
	if (argument[n]) {
		const char *ident = argument + n + 1;

		n = strcspn(ident, ",");
		snprintf(l->ident, sizeof l->ident, "%.*s", (int)n, ident);
		if (ident[n])
			l->priority = atoi(ident + n + 1);
	}
	int failed = open_socket(l, to, e);
	l->write = write_syslog;
	return failed;
}

static int facility_of(const char *name)
{
	static const char *const names[] = { "kern", "user", "mail", "daemon", "auth",     "syslog",
					     "lpr",  "news", "uucp", "cron",   "authpriv", "ftp" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return (int)i << 3;
	if (strncmp(name, "local", 5) == 0 && name[5] >= '0' && name[5] <= '7')
		return LOG_LOCAL0 + ((name[5] - '0') << 3);
	return -1;
}

/* "ident,facility" */
static int open_syslog(struct logger *l, const char *argument, struct error *e)
{
	size_t n = strcspn(argument, ",");
	int facility = argument[n] ? facility_of(argument + n + 1) : LOG_DAEMON;

	if (facility < 0)
		return uwsgi_error_set(e, "%s is no facility of syslog", argument + n + 1);
	snprintf(l->ident, sizeof l->ident, "%.*s", n ? (int)n : 5, n ? argument : "uwsgi");
	l->priority = facility | LOG_INFO;
	int failed = open_socket(l, "/dev/log", e);
	l->write = write_syslog;
	return failed;
}

/* ---- the option: "name kind:argument" ---- */

static const struct kind {
	const char *name;
	int (*open)(struct logger *, const char *argument, struct error *); /* NULL: pending */
	int (*check)(const char *argument, struct error *); /* NULL: nothing is known before it is opened */
} kinds[] = {
	{ "stdio", open_stdio, NULL },
	{ "file", open_file, check_file },
	{ "fd", open_fd, check_fd },
	{ "socket", open_socket, NULL },
	{ "syslog", open_syslog, NULL },
	{ "rsyslog", open_rsyslog, NULL },
	{ "pipe", NULL, NULL },
	{ "zeromq", NULL, NULL },
	{ "redislog", NULL, NULL },
	{ "mongodblog", NULL, NULL },
	{ "graylog2", NULL, NULL },
	{ "systemd", NULL, NULL },
	{ "crypto", NULL, NULL },
};

/* argument is "" where there is none.  NULL with the reason: there is no such kind. */
static const struct kind *find_kind(const char *value, struct slice *name, const char **argument,
				    struct error *e)
{
	const char *blank = strchr(value, ' '), *colon = strchr(value, ':');

	*name = (struct slice){ 0 };
	if (blank && (!colon || blank < colon)) {
		*name = (struct slice){ value, (size_t)(blank - value) };
		value = blank + strspn(blank, " ");
		colon = strchr(value, ':');
	}
	*argument = colon ? colon + 1 : "";
	struct slice kind = { value, colon ? (size_t)(colon - value) : strlen(value) };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (slice_is(kind, kinds[i].name))
			return &kinds[i];
	uwsgi_error_set(e,
			"there is no logger \"%.*s\"; expected stdio, file:/path, "
			"socket:host:port, syslog or rsyslog:host:port",
			(int)kind.n, kind.p);
	return NULL;
}

int sink_valid_logger(const char *value, struct error *e)
{
	struct slice name;
	const char *argument;
	const struct kind *kind = find_kind(value, &name, &argument, e);

	if (!kind)
		return -1;
	return kind->check ? kind->check(argument, e) : 0;
}

static int say_pending(struct error *e)
{
	return uwsgi_error_set(e, "this kind of logger is not supported yet");
}

static int open_logger(struct logger *l, const char *value, struct error *e)
{
	const char *argument;
	const struct kind *kind = find_kind(value, &l->name, &argument, e);

	if (!kind)
		return -1;
	if (!kind->open)
		return say_pending(e);
	return kind->open(l, argument, e);
}

/* Whether it could be opened, as far as that can be told beforehand. */
static int look_at(const char *value, struct error *e)
{
	const char *argument;
	struct file_argument f;
	struct address a;
	struct slice name;
	struct error why;
	const struct kind *kind = find_kind(value, &name, &argument, e);

	if (!kind)
		return 0;
	if (!kind->open)
		return say_pending(e);
	if (kind->open == open_socket)
		return address_parse(&a, argument, e);
	if (kind->open != open_file)
		return 0;
	int failed = read_file_argument(argument, &f, e);
	/* A relative one is seen from where the server will be. */
	if (!failed && *f.path == '/' && safefile_check(f.path, 0, &why))
		failed = uwsgi_error_set(e, "cannot open %s: %s", f.path, why.text);
	free(f.text);
	return failed;
}

/* ---- encoders ---- */

static void add_json(struct slice s, struct text *to)
{
	char part[512];

	/* Part by part: with all its escapes, each fits. */
	for (size_t i = 0, n; i < s.n; i += n) {
		struct logline l;

		n = s.n - i < 64 ? s.n - i : 64;
		while (n > 1 && i + n < s.n && ((unsigned char)s.p[i + n] & 0xc0) == 0x80)
			n--; /* not inside a character */
		logline_init(&l, part, sizeof part);
		logline_quoted(&l, (struct slice){ s.p + i, n });
		text_add(to, (struct slice){ l.p, l.n });
	}
}

static void add_strftime(struct slice format, struct text *to)
{
	char text[64], when[256];
	struct logline l;

	if (format.n >= sizeof text)
		return;
	memcpy(text, format.p, format.n);
	text[format.n] = '\0';
	logline_init(&l, when, sizeof when);
	logline_time(&l, text, clock_wall_us());
	text_add(to, (struct slice){ l.p, l.n });
}

static void add_variable(struct slice name, struct slice line, bool json, struct text *to)
{
	long long now_us = (long long)clock_wall_us();
	struct slice said = line;

	if (slice_is(name, "msg") && said.n && said.p[said.n - 1] == '\n')
		said.n--;
	if (slice_is(name, "msg") || slice_is(name, "msgnl"))
		json ? add_json(said, to) : text_add(to, said);
	else if (slice_is(name, "unix"))
		text_addf(to, "%lld", now_us / 1000000);
	else if (slice_is(name, "micros"))
		text_addf(to, "%lld", now_us);
	else if (name.n > 9 && memcmp(name.p, "strftime:", 9) == 0)
		add_strftime((struct slice){ name.p + 9, name.n - 9 }, to);
}

static void add_line(const struct encoder *e, struct slice line, struct text *to)
{
	const char *format = e->format, *begin, *end;

	text_add(to, slice_of(e->before));
	while ((begin = strstr(format, "${")) && (end = strchr(begin, '}'))) {
		text_add(to, (struct slice){ format, (size_t)(begin - format) });
		add_variable((struct slice){ begin + 2, (size_t)(end - begin - 2) }, line, e->json,
			     to);
		format = end + 1;
	}
	text_add(to, slice_of(format));
	text_add(to, slice_of(e->after));
}

/* "json {"m": "${msg}"}", "prefix:mylogger abc" */
static int parse_encoder(struct encoder *e, const char *value, struct error *error)
{
	struct slice name = { value, strcspn(value, ": ") };
	const char *rest = value + name.n, *text = "";

	*e = (struct encoder){ .before = "", .format = "${msgnl}", .after = "" };
	if (*rest == ':') {
		e->logger = (struct slice){ rest + 1, strcspn(rest + 1, " ") };
		rest = e->logger.p + e->logger.n;
	}
	if (*rest == ' ')
		text = rest + 1;
	e->json = slice_is(name, "json");
	if (slice_is(name, "prefix"))
		e->before = text;
	else if (slice_is(name, "suffix"))
		e->after = text;
	else if (slice_is(name, "nl"))
		e->after = "\n";
	else if (e->json || slice_is(name, "format"))
		e->format = text;
	else
		return uwsgi_error_set(error,
				       "there is no encoder \"%.*s\" here: prefix, suffix, nl, "
				       "format and json are",
				       (int)name.n, name.p);
	return 0;
}

/* ---- what there is ---- */

#define NO_LINES "%s; it gets no lines"
#define NO_LOGGER "there is no logger of this name"

static const char *keep(struct sinks *s, const char *kind, const char *value)
{
	char *kept = arena_alloc(&s->memory, strlen(kind) + strlen(value) + 1);

	return kept ? strcat(strcpy(kept, kind), value) : "";
}

static void add_logger(struct sinks *s, const char *kind, const char *value)
{
	struct logger *l = &s->loggers[s->logger_count];
	struct error e;

	*l = (struct logger){ .file.fd = -1 };
	if (open_logger(l, keep(s, kind, value), &e))
		uwsgi_log(UWSGI_ERROR, "%s = %s%s: " NO_LINES, s->names->logger, kind, value,
			  e.text);
	else
		s->logger_count++;
}

static void add_encoder(struct sinks *s, const char *value)
{
	struct error e;

	if (parse_encoder(&s->encoders[s->encoder_count], keep(s, "", value), &e))
		uwsgi_log(UWSGI_ERROR, "%s = %s: %s; it is left out", s->names->encoder, value,
			  e.text);
	else
		s->encoder_count++;
}

int sink_valid_route(const char *value, struct error *e)
{
	const char *blank = strchr(value, ' ');

	if (!blank)
		return uwsgi_error_set(e, "expected a name and an expression");
	struct pattern *p = uwsgi_pattern_new(blank + 1, e);
	uwsgi_pattern_free(p);
	return p ? 0 : -1;
}

static void add_route(struct sinks *s, const char *value)
{
	struct slice name = { value, strcspn(value, " ") };
	struct route *r = &s->routes[s->route_count];
	struct error e;

	for (size_t i = 0; i < s->logger_count; i++) {
		if (!uwsgi_same(s->loggers[i].name, name))
			continue;
		*r = (struct route){ .pattern = uwsgi_pattern_new(value + name.n + 1, &e),
				     .logger = &s->loggers[i],
				     .text = keep(s, "", value) };
		s->route_count += r->pattern != NULL;
		return;
	}
	uwsgi_log(UWSGI_WARNING, "%s = %s: " NO_LOGGER, s->names->route, value);
}

static bool has_logger(const struct sink_options *o, struct slice name)
{
	const char *argument;
	struct slice found;
	struct error e;

	for (size_t i = 0; i < o->loggers.count; i++)
		if (find_kind(o->loggers.items[i], &found, &argument, &e) &&
		    uwsgi_same(found, name))
			return true;
	return false;
}

void sinks_check(const struct sink_options *o, bool of_requests, const struct config *cfg,
		 struct report *report)
{
	const struct names *names = &names_of[of_requests];
	struct error e;

	for (size_t i = 0; i < o->loggers.count; i++)
		if (look_at(o->loggers.items[i], &e))
			uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, names->logger,
						o->loggers.items[i], NO_LINES, e.text);
	for (size_t i = 0; i < o->routes.count; i++) {
		const char *route = o->routes.items[i];

		if (!has_logger(o, (struct slice){ route, strcspn(route, " ") }))
			uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, names->route, route,
						NO_LOGGER);
	}
}

bool sinks_are_wanted(const struct sink_options *o)
{
	return o->loggers.count || o->encoders.count || o->sockets.count || o->syslog;
}

struct sinks *sinks_new(const struct sink_options *o, bool of_requests, size_t packet_size,
			bool split)
{
	size_t loggers = o->loggers.count + o->sockets.count + 1;
	struct sinks *s;

	if (!sinks_are_wanted(o))
		return NULL;
	if (!(s = calloc(1, sizeof *s)) ||
	    !(s->loggers = arena_alloc(&s->memory, loggers * sizeof *s->loggers)) ||
	    !(s->routes = arena_alloc(&s->memory, (o->routes.count + 1) * sizeof *s->routes)) ||
	    !(s->encoders =
		      arena_alloc(&s->memory, (o->encoders.count + 1) * sizeof *s->encoders))) {
		uwsgi_log(UWSGI_ERROR, "out of memory: the loggers get no lines");
		sinks_free(s);
		return NULL;
	}
	s->names = &names_of[of_requests];
	s->packet_size = packet_size;
	s->split = split;
	for (size_t i = 0; i < o->loggers.count; i++)
		add_logger(s, "", o->loggers.items[i]);
	for (size_t i = 0; i < o->sockets.count; i++)
		add_logger(s, "socket:", o->sockets.items[i]);
	if (o->syslog)
		add_logger(s, "syslog:", o->syslog);
	for (size_t i = 0; i < o->encoders.count; i++)
		add_encoder(s, o->encoders.items[i]);
	for (size_t i = 0; i < o->routes.count; i++)
		add_route(s, o->routes.items[i]);
	return s;
}

void sinks_free(struct sinks *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->logger_count; i++)
		if (s->loggers[i].file.fd >= 0)
			close(s->loggers[i].file.fd);
	for (size_t i = 0; i < s->route_count; i++)
		uwsgi_pattern_free(s->routes[i].pattern);
	free(s->encoded[0].p);
	free(s->encoded[1].p);
	arena_fini(&s->memory);
	free(s);
}

void sinks_reopen(struct sinks *s)
{
	struct error e;

	for (size_t i = 0; s && i < s->logger_count; i++) {
		struct logfile *file = &s->loggers[i].file;

		if (*file->path && logfile_open(file, file->path, &e))
			uwsgi_log(UWSGI_WARNING, "%s; that logger goes on where it was", e.text);
	}
}

/* ---- one line ---- */

static struct slice encode(struct sinks *s, struct slice logger, struct slice line)
{
	int turn = 0;

	for (size_t i = 0; i < s->encoder_count; i++) {
		const struct encoder *e = &s->encoders[i];
		/* The line may lie in the other one. */
		struct text *into = &s->encoded[turn];

		if (e->logger.n && !uwsgi_same(e->logger, logger))
			continue;
		into->n = 0;
		into->failed = false;
		add_line(e, line, into);
		line = (struct slice){ into->p, into->n };
		turn = !turn;
	}
	return line;
}

/* l: NULL for where the log goes anyway. */
static void give(struct sinks *s, struct logger *l, struct slice line, struct text *passed)
{
	line = encode(s, l ? l->name : (struct slice){ 0 }, line);
	if (l && l->write)
		l->write(s, l, line);
	else
		text_add(passed, line);
}

/* A line that costs the pattern too much counts as not matching, so that none is lost. */
static bool is_for(const struct sinks *s, struct route *r, struct slice line)
{
	int matches = uwsgi_pattern_matches(r->pattern, line);

	if (matches < 0 && !r->gave_up) {
		r->gave_up = true;
		uwsgi_log(UWSGI_WARNING,
			  "%s = %s: a line takes too many steps; such lines count as not matching",
			  s->names->route, r->text);
	}
	return matches > 0;
}

void sinks_write(struct sinks *s, struct slice line, struct text *passed)
{
	/* Expressions see the line without its end. */
	const struct slice seen = { line.p, line.n - (line.n && line.p[line.n - 1] == '\n') };
	bool given = false;

	for (size_t i = 0; i < s->route_count; i++)
		if (is_for(s, &s->routes[i], seen)) {
			given = true;
			give(s, s->routes[i].logger, line, passed);
		}
	if (given)
		return;
	for (size_t i = 0; i < s->logger_count; i++)
		if (s->loggers[i].name.n == 0) {
			given = true;
			give(s, &s->loggers[i], line, passed);
		}
	if (!given)
		give(s, NULL, line, passed);
}
