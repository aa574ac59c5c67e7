/* SPDX-License-Identifier: MIT */
/* logger.c: the kinds of loggers of uWSGI that need no library: files, descriptors, datagrams,
 * syslog.  The master calls it through logstream.c.  It knows neither routes nor encoders. */
#include "log/logger.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/safefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { RSYSLOG_PRIORITY = 29, SYSLOG_PRIORITY = 30, PACKET_SIZE = 1024 };

/* "name kind:argument": slices of value; argument is "" where there is none. */
struct words {
	struct slice name, kind;
	const char *argument;
};

static struct words split(const char *value)
{
	struct words w = { .argument = "" };
	const char *blank = strchr(value, ' '), *colon = strchr(value, ':');

	if (blank && (!colon || blank < colon)) {
		w.name = (struct slice){ value, (size_t)(blank - value) };
		value = blank + 1 + strspn(blank + 1, " ");
		colon = strchr(value, ':');
	}
	w.kind = (struct slice){ value, colon ? (size_t)(colon - value) : strlen(value) };
	if (colon)
		w.argument = colon + 1;
	return w;
}

static bool equals(struct slice s, const char *word)
{
	return strlen(word) == s.n && memcmp(s.p, word, s.n) == 0;
}

/* ---- files ---- */

static int open_file(struct logger *l, struct error *e)
{
	int flags = O_WRONLY | O_APPEND | O_NONBLOCK;
	struct safefile file;
	struct error why;

	if (safefile_open(&file, l->path, flags, 0640, geteuid(), &why))
		return uwsgi_error_set(e, "cannot open %s: %s", l->path, why.text);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = file.fd;
	return 0;
}

/* "logfile=/path,maxsize=1000,backupname=/path.old" */
static void read_pair(struct logger *l, struct slice pair)
{
	const char *equal = memchr(pair.p, '=', pair.n);
	struct slice key = { pair.p, (size_t)(equal - pair.p) };
	int n = (int)(pair.n - key.n - 1);

	if (equals(key, "logfile"))
		snprintf(l->path, sizeof l->path, "%.*s", n, equal + 1);
	else if (equals(key, "backupname"))
		snprintf(l->backup, sizeof l->backup, "%.*s", n, equal + 1);
	else if (equals(key, "maxsize"))
		l->max_size = strtoll(equal + 1, NULL, 10);
}

static int init_file(struct logger *l, const char *argument, struct error *e)
{
	if (!strchr(argument, '=')) {
		snprintf(l->path, sizeof l->path, "%s", argument);
		return open_file(l, e);
	}
	while (*argument) {
		struct slice pair = { argument, strcspn(argument, ",") };

		if (memchr(pair.p, '=', pair.n))
			read_pair(l, pair);
		argument += pair.n + (argument[pair.n] == ',');
	}
	return *l->path ? open_file(l, e) : uwsgi_error_set(e, "logfile= is missing");
}

static void rotate(struct logger *l)
{
	char backup[sizeof l->path + 32];
	struct error e;

	if (*l->backup)
		snprintf(backup, sizeof backup, "%s", l->backup);
	else
		snprintf(backup, sizeof backup, "%s.%lld", l->path,
			 (long long)(clock_wall_us() / 1000000));
	if (safefile_rename(l->path, backup, &e) == 0)
		open_file(l, &e);
}

static void write_file(struct logger *l, struct slice line)
{
	struct stat st;

	if (l->max_size && fstat(l->fd, &st) == 0 && st.st_size > 0 &&
	    st.st_size + (int64_t)line.n > l->max_size)
		rotate(l);
	if (write(l->fd, line.p, line.n) < 0)
		return; /* nobody to tell, who would not be told through here */
}

/* ---- sockets ---- */

static int open_socket(struct logger *l, const char *to, struct error *e)
{
	if (address_parse(&l->to, to, e))
		return -1;
	l->fd = socket(l->to.sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return l->fd >= 0 ? 0 : uwsgi_error_set(e, "%s: %s", to, strerror(errno));
}

static void send_packet(struct logger *l, struct slice s)
{
	if (sendto(l->fd, s.p, s.n, MSG_NOSIGNAL, (const struct sockaddr *)&l->to.sa,
		   l->to.length) < 0)
		return; /* the receiver is not there, or slow */
}

/* "host:port,ident,priority", each but the first may be missing. */
static int init_rsyslog(struct logger *l, const char *argument, struct error *e)
{
	size_t n = strcspn(argument, ",");
	char to[300], host[128] = "";

	gethostname(host, sizeof host - 1);
	snprintf(l->ident, sizeof l->ident, "%s uwsgi", host);
	l->priority = RSYSLOG_PRIORITY;
	snprintf(to, sizeof to, "%.*s%s", (int)n, argument,
		 *argument == '/' || memchr(argument, ':', n) ? "" : ":514");
	if (argument[n]) {
		const char *ident = argument + n + 1;

		n = strcspn(ident, ",");
		snprintf(l->ident, sizeof l->ident, "%.*s", (int)n, ident);
		if (ident[n])
			l->priority = atoi(ident + n + 1);
	}
	return open_socket(l, to, e);
}

static int facility_of(const char *name)
{
	static const char *const names[] = { "kern", "user", "mail", "daemon", "auth",     "syslog",
					     "lpr",  "news", "uucp", "cron",   "authpriv", "ftp" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return (int)i;
	if (strncmp(name, "local", 5) == 0 && name[5] >= '0' && name[5] <= '7')
		return 16 + name[5] - '0';
	return -1;
}

/* "ident,facility" */
static int init_syslog(struct logger *l, const char *argument, struct error *e)
{
	size_t n = strcspn(argument, ",");

	snprintf(l->ident, sizeof l->ident, "%.*s", n ? (int)n : 5, n ? argument : "uwsgi");
	l->priority = SYSLOG_PRIORITY;
	if (argument[n]) {
		int facility = facility_of(argument + n + 1);

		if (facility < 0)
			return uwsgi_error_set(e, "%s is no facility of syslog", argument + n + 1);
		l->priority = facility * 8 + 6;
	}
	return open_socket(l, "/dev/log", e);
}

static void write_syslog(struct logger *l, struct slice line)
{
	char packet[65536];
	size_t limit = l->packet_size < sizeof packet ? l->packet_size : sizeof packet;

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
		send_packet(l, (struct slice){ packed.p, packed.n });
		line = (struct slice){ line.p + taken, taken ? line.n - taken : 0 };
	} while (l->split && line.n);
}

/* ---- any of them ---- */

static int init_stdio(struct logger *l, const char *argument, struct error *e)
{
	(void)l;
	(void)argument;
	(void)e;
	return 0;
}

static int init_fd(struct logger *l, const char *argument, struct error *e)
{
	int fd = atoi(argument);

	l->fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return l->fd >= 0 ? 0 : uwsgi_error_set(e, "descriptor %d: %s", fd, strerror(errno));
}

static const struct {
	const char *name;
	enum logger_kind kind;
	int (*init)(struct logger *, const char *argument, struct error *); /* NULL: pending */
} kinds[] = {
	{ "stdio", LOGGER_STDIO, init_stdio },
	{ "file", LOGGER_FILE, init_file },
	{ "fd", LOGGER_FD, init_fd },
	{ "socket", LOGGER_SOCKET, open_socket },
	{ "syslog", LOGGER_SYSLOG, init_syslog },
	{ "rsyslog", LOGGER_SYSLOG, init_rsyslog },
	{ "pipe", LOGGER_STDIO, NULL },
	{ "zeromq", LOGGER_STDIO, NULL },
	{ "redislog", LOGGER_STDIO, NULL },
	{ "mongodblog", LOGGER_STDIO, NULL },
	{ "graylog2", LOGGER_STDIO, NULL },
	{ "systemd", LOGGER_STDIO, NULL },
	{ "crypto", LOGGER_STDIO, NULL },
};

static int find_kind(const struct words *w)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (equals(w->kind, kinds[i].name))
			return (int)i;
	return -1;
}

int logger_valid(const char *value, struct error *e)
{
	struct words w = split(value);

	if (find_kind(&w) >= 0)
		return 0;
	return uwsgi_error_set(e,
			       "there is no logger \"%.*s\"; expected stdio, file:/path, "
			       "socket:host:port, syslog or rsyslog:host:port",
			       (int)w.kind.n, w.kind.p);
}

int logger_open(struct logger *l, const char *value, struct error *e)
{
	struct words w = split(value);
	int kind = find_kind(&w);

	*l = (struct logger){ .name = w.name, .fd = -1, .packet_size = PACKET_SIZE };
	if (kind < 0)
		return logger_valid(value, e);
	if (!kinds[kind].init)
		return uwsgi_error_set(e, "this kind of logger is not supported yet");
	l->kind = kinds[kind].kind;
	return kinds[kind].init(l, w.argument, e);
}

void logger_close(struct logger *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

void logger_reopen(struct logger *l)
{
	struct error e;

	if (l->kind == LOGGER_FILE && open_file(l, &e))
		uwsgi_log(UWSGI_WARNING, "%s; that logger goes on where it was", e.text);
}

void logger_write(struct logger *l, struct slice line)
{
	if (l->kind == LOGGER_SYSLOG)
		write_syslog(l, line);
	else if (l->kind == LOGGER_SOCKET)
		send_packet(l, line);
	else
		write_file(l, line);
}
