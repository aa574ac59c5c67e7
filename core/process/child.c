/* SPDX-License-Identifier: MIT */
/* child.c: signals and the tie to the master, for its children. */
#include "process/child.h"

#include "base/stray.h"
#include "process/privileges.h"
#include "process/proctitle.h"
#include "process/resources.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static void ignore(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
}

/* The terminal and the service manager signal the whole group, and `pkill -USR1 uwsgi` is meant for
 * the master.  A handler, not SIG_IGN, which programs that the application starts would inherit. */
void child_set_signals(void)
{
	static const int ignored[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP
	};
	sigset_t none;

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		stray_handle(ignored[i], ignore);
	signal(SIGCHLD, SIG_DFL);
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

int child_begin(const struct config *cfg, const char *title, pid_t master, struct error *e)
{
	child_set_signals();
	child_die_with(master);
	proctitle_set(cfg, title);
	if (privileges_enter_child(cfg, e))
		return -1;
	resources_set_limits(cfg);
	return 0;
}
