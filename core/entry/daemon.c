/* SPDX-License-Identifier: MIT */
/* daemon.c: whether the server stays in the foreground.  Called by the entry, once.  The log file
 * is logfile.c's, the pidfile pidfile.c's. */
#include "entry/daemon.h"

#include "log/logging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int daemon_fill_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		/* open() gives the lowest number that is free. */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return -1;
	return 0;
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

	if (TEMP_FAILURE_RETRY(read(served, &byte, 1)) == 1)
		_exit(EXIT_SUCCESS);
	(void)TEMP_FAILURE_RETRY(waitpid(server, &status, 0));
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
