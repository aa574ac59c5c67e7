/* SPDX-License-Identifier: MIT */
/* shell.h: a command of the shell that is waited for. */
#ifndef UWSGI_SHELL_H
#define UWSGI_SHELL_H

#include <uwsgi/plugin.h>

/* Runs the command with /bin/sh, with this process's standard streams and no other descriptor of it, and
 * with no signal ignored or blocked.  It ends when this process does, but what it has started may go on.
 * by_ms: when it still runs then, on the monotonic clock, or SIGINT, SIGTERM or SIGQUIT comes meanwhile,
 * it is killed with what it has started; 0: it may take what it takes.  0: it ended with exit code 0; -1
 * with what it did instead. */
int shell_run(const char *command, int64_t by_ms, struct error *);
/* In a child, as a program expects them that is executed now: none is ignored or blocked. */
void shell_reset_signals(void);

#endif
