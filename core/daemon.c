/* SPDX-License-Identifier: MIT */
/* daemon.c: what a service manager or an operator sees of the server: its pidfile, and whether
 * it stays in the foreground.  Called by the entry, once.  The log file is logfile.c's. */
#include "daemon.h"

#include "logging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct daemon_settings {
	const char *pidfile, *safe_pidfile, *pidfile2, *safe_pidfile2;
};

#define AT(member) offsetof(struct daemon_settings, member)
static const struct option rows[] = {
	{ .name = "pidfile",
	  .type = OPT_STRING,
	  .offset = AT(pidfile),
	  .help = "write the master's pid to this file, for --reload and --stop",
	  .example = "/run/uwsgi/shop.pid",
	  .unit = "FILE" },
	{ .name = "safe-pidfile",
	  .type = OPT_STRING,
	  .offset = AT(safe_pidfile),
	  .unit = "FILE",
	  .help = "the same, in another file; neither is written when the sockets cannot be opened",
	  .example = "/run/uwsgi/shop.pid" },
	{ .name = "pidfile2",
	  .type = OPT_STRING,
	  .offset = AT(pidfile2),
	  .unit = "FILE",
	  .help = "the same, written as the user of uid and gid",
	  .example = "/run/shop/uwsgi.pid" },
	{ .name = "safe-pidfile2",
	  .type = OPT_STRING,
	  .offset = AT(safe_pidfile2),
	  .unit = "FILE",
	  .help = "the same as pidfile2, in another file",
	  .example = "/run/shop/uwsgi.pid" },
};
#undef AT

const struct option_table daemon_options = {
	.module = "service",
	.size = sizeof(struct daemon_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

int daemon_fill_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		/* open() gives the lowest number that is free. */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return -1;
	return 0;
}

static int seen_from(const char *folder, const char *path, char *full, size_t size, struct error *e)
{
	int n = *path == '/' ? snprintf(full, size, "%s", path)
			     : snprintf(full, size, "%s/%s", folder, path);

	return n >= 0 && (size_t)n < size ? 0
					  : uwsgi_error_set(e, "%s: the path is too long", path);
}

/* In the child: without the terminal that the server was started from. */
static int leave_terminal(struct error *e)
{
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

int daemon_enter(const struct config *cfg, struct error *e)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);

	if (!s->daemonize)
		return 0;
	pid_t pid = fork();
	if (pid < 0)
		return uwsgi_error_set(e, "daemonize: cannot fork: %s", strerror(errno));
	if (pid > 0)
		_exit(EXIT_SUCCESS);
	return leave_terminal(e);
}

/* What the one who has started the server learns: that it serves, or why it ended. */
static _Noreturn void wait_for(pid_t server, int served, const char *log)
{
	char byte;
	int status;
	ssize_t n;

	do
		n = read(served, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(EXIT_SUCCESS);
	while (waitpid(server, &status, 0) < 0 && errno == EINTR)
		;
	uwsgi_log(UWSGI_ERROR, "the server did not start; %s says why", log);
	_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

int daemon_enter_waited(const struct config *cfg, int *served, struct error *e)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);
	int ends[2];

	*served = -1;
	if (!s->daemonize2)
		return 0;
	if (pipe2(ends, O_CLOEXEC))
		return uwsgi_error_set(e, "daemonize2: %s", strerror(errno));
	pid_t pid = fork();
	if (pid < 0)
		return uwsgi_error_set(e, "daemonize2: cannot fork: %s", strerror(errno));
	if (pid > 0) {
		close(ends[1]);
		wait_for(pid, ends[0], s->logto ? s->logto : s->daemonize2);
	}
	close(ends[0]);
	*served = ends[1];
	return leave_terminal(e);
}

void daemon_find_pidfiles(const struct config *cfg, const char *start_folder,
			  struct pidfiles *files)
{
	const struct daemon_settings *s = uwsgi_options(cfg, &daemon_options);
	const struct {
		const char *path;
		bool later;
	} given[] = {
		{ s->pidfile, false },
		{ s->safe_pidfile, false },
		{ s->pidfile2, true },
		{ s->safe_pidfile2, true },
	};
	struct error e;

	files->count = 0;
	for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
		struct pidfile *f = &files->items[files->count];

		f->later = given[i].later;
		if (!given[i].path)
			continue;
		if (seen_from(start_folder, given[i].path, f->path, sizeof f->path, &e))
			uwsgi_log(UWSGI_ERROR, "pidfile: %s", e.text);
		else
			files->count++;
	}
}

static int write_pidfile(const char *path, const struct identity *owner, struct error *e)
{
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

int daemon_write_pidfiles(const struct pidfiles *files, bool later, const struct identity *owner,
			  struct error *e)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->items[i].later == later && write_pidfile(files->items[i].path, owner, e))
			return -1;
	return 0;
}

static void remove_pidfile(const char *path)
{
	struct error e;

	if (daemon_read_pidfile(path, &e) != getpid() || unlink(path) == 0)
		return;
	/* In a folder of root's the name must stay: an empty file stops nobody. */
	int why = errno;
	if (truncate(path, 0))
		uwsgi_log(UWSGI_WARNING, "cannot remove %s: %s", path, strerror(why));
}

void daemon_remove_pidfiles(const struct pidfiles *files)
{
	for (size_t i = 0; i < files->count; i++)
		remove_pidfile(files->items[i].path);
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
