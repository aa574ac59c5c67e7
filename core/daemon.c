/* SPDX-License-Identifier: MIT */
/* daemon.c: what a service manager or an operator sees of the server: log file and pidfile, and
 * whether it stays in the foreground.  Called by the entry, once. */
#include "daemon.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct daemon_settings {
	const char *daemonize, *logto, *pidfile;
};

#define AT(member) offsetof(struct daemon_settings, member)
static const struct option rows[] = {
	{ .name = "daemonize",
	  .letter = 'd',
	  .type = OPT_STRING,
	  .offset = AT(daemonize),
	  .help = "go on in the background and log to this file" },
	{ .name = "logto", .type = OPT_STRING, .offset = AT(logto), .help = "log to this file" },
	{ .name = "pidfile",
	  .type = OPT_STRING,
	  .offset = AT(pidfile),
	  .help = "write the master's pid to this file, for --reload and --stop" },
};
#undef AT

const struct option_table daemon_options = {
	.module = "service",
	.size = sizeof(struct daemon_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

static int seen_from(const char *folder, const char *path, char *full, size_t size, struct error *e)
{
	int n = *path == '/' ? snprintf(full, size, "%s", path)
			     : snprintf(full, size, "%s/%s", folder, path);

	return n >= 0 && (size_t)n < size ? 0
					  : uwsgi_error_set(e, "%s: the path is too long", path);
}

static int go_to_background(struct error *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return uwsgi_error_set(e, "daemonize: cannot fork: %s", strerror(errno));
	if (pid > 0)
		_exit(EXIT_SUCCESS);
	setsid();
	int null = open("/dev/null", O_RDONLY);
	if (null < 0)
		return uwsgi_error_set(e, "/dev/null: %s", strerror(errno));
	if (null != STDIN_FILENO) {
		dup2(null, STDIN_FILENO);
		close(null);
	}
	return 0;
}

int daemon_enter(const struct config *cfg, const char *start_folder, struct error *e)
{
	const struct daemon_settings *s = uwsgi_options(cfg, &daemon_options);
	const char *log = s->logto ? s->logto : s->daemonize;
	char path[4096];

	if (log && (seen_from(start_folder, log, path, sizeof path, e) || log_to_file(path, e)))
		return -1;
	return s->daemonize ? go_to_background(e) : 0;
}

bool daemon_pidfile_path(const struct config *cfg, const char *start_folder, char *path,
			 size_t size)
{
	const struct daemon_settings *s = uwsgi_options(cfg, &daemon_options);
	struct error e;

	return s->pidfile && seen_from(start_folder, s->pidfile, path, size, &e) == 0;
}

int daemon_write_pidfile(const struct config *cfg, const char *start_folder,
			 const struct identity *owner, struct error *e)
{
	char path[4096];

	if (!daemon_pidfile_path(cfg, start_folder, path, sizeof path))
		return 0;
	FILE *f = fopen(path, "we");
	if (!f)
		return uwsgi_error_set(e, "pidfile = %s: %s", path, strerror(errno));
	/* Its later owner must be able to empty it, if not to remove it. */
	if (owner->changes && geteuid() == 0 && fchown(fileno(f), owner->uid, owner->gid))
		uwsgi_log(UWSGI_WARNING, "pidfile = %s: cannot change its owner: %s", path,
			  strerror(errno));
	int failed = fprintf(f, "%ld\n", (long)getpid()) < 0;
	if (fclose(f) || failed)
		return uwsgi_error_set(e, "pidfile = %s: %s", path, strerror(errno));
	return 0;
}

void daemon_remove_pidfile(const char *path)
{
	struct error e;

	if (daemon_read_pidfile(path, &e) != getpid() || unlink(path) == 0)
		return;
	/* In a folder of root's the name must stay: an empty file stops nobody. */
	int why = errno;
	if (truncate(path, 0))
		uwsgi_log(UWSGI_WARNING, "cannot remove %s: %s", path, strerror(why));
}

pid_t daemon_read_pidfile(const char *path, struct error *e)
{
	long pid = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return uwsgi_error_set(e, "cannot read pidfile %s: %s", path, strerror(errno));
	int got = fscanf(f, "%ld", &pid);
	fclose(f);
	if (got != 1 || pid <= 1 || pid > INT32_MAX)
		return uwsgi_error_set(e, "pidfile %s holds no pid", path);
	return (pid_t)pid;
}
