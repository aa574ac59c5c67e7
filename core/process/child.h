/* SPDX-License-Identifier: MIT */
/* child.h: what every process that the master or its zygote has forked does first. */
#ifndef UWSGI_CHILD_H
#define UWSGI_CHILD_H

#include <uwsgi/plugin.h>

#include <sys/types.h>

/* The master decides what signals mean that reach the whole group of processes. */
void child_set_signals(void);
/* No orphans: when the master dies, however, this process dies with it. */
void child_die_with(pid_t master);
/* Both, and all else that a process needs that runs no code of the application: its title, the user's
 * rights, limits. */
int child_begin(const struct config *, const char *title, pid_t master, struct error *);

#endif
