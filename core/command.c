/* SPDX-License-Identifier: MIT */
/* command.c: the commands of the command line that do not serve.  main() calls them. */
#include "command.h"

#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int send_signal(const char *pidfile, int number, const char *what)
{
	struct error e;
	pid_t pid = daemon_read_pidfile(pidfile, &e);

	if (pid < 0) {
		fprintf(stderr, "%s: %s\n", what, e.text);
		return EXIT_FAILURE;
	}
	if (kill(pid, number)) {
		fprintf(stderr, "%s: process %ld of %s: %s\n", what, (long)pid, pidfile,
			errno == ESRCH ? "is not running" : strerror(errno));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int command_reload(const char *pidfile)
{
	return send_signal(pidfile, SIGHUP, "--reload");
}

int command_stop(const char *pidfile)
{
	return send_signal(pidfile, SIGINT, "--stop");
}

int command_version(void)
{
	printf("uwsgi %s\n", UWSGI_VERSION);
	return EXIT_SUCCESS;
}
