/* SPDX-License-Identifier: MIT */
/* child.c: signals and the tie to the master, for its children. */
#include "child.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static void ignore(int signal)
{
	(void)signal;
}

/* The terminal and the service manager signal the whole group, and `pkill -USR1 uwsgi` is meant for
 * the master.  A handler, not SIG_IGN, which programs that the application starts would inherit. */
void child_set_signals(void)
{
	static const int defaults[] = { SIGCHLD, SIGTSTP };
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	struct sigaction a = { .sa_handler = ignore, .sa_flags = SA_RESTART };
	sigset_t none;

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		sigaction(ignored[i], &a, NULL);
	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
		signal(defaults[i], SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void child_die_with(pid_t master)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != master)
		_exit(EXIT_FAILURE);
}
