/* SPDX-License-Identifier: MIT */
/* minder.h: the process of an attached program.  One of the server's own stands between the master and
 * the program, so that all that this has started ends with it, even when the master is killed. */
#ifndef UWSGI_MINDER_H
#define UWSGI_MINDER_H

#include "process/attached.h"

#include <sys/types.h>

struct minder_start {
	const struct attached *what;
	const struct config *config;
	const char *name;         /* "daemon 1" */
	const char *start_folder; /* as for environment_enter_folder() */
	pid_t master;
	/* Of one that is launched: its standard input, and where it writes; -1: /dev/null, and the log. */
	int input, output;
	bool waits; /* for all that a minded one has started, which it may end before */
};

/* In its process, where all signals are blocked.  Signals that the master sends it go to the program and
 * to all that this has started in its group; it ends as the program does. */
_Noreturn void minder_run(const struct minder_start *);
/* The same for a program that goes on without the server, with a pidfile or for an alarm: it is not
 * minded. */
_Noreturn void minder_launch(const struct minder_start *);
/* Ends this process, which is one of both, with all that it has started. */
void minder_kill(pid_t);

#endif
