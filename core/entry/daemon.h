/* SPDX-License-Identifier: MIT */
/* daemon.h: the server in the background. */
#ifndef UWSGI_DAEMON_H
#define UWSGI_DAEMON_H

#include <uwsgi/plugin.h>

/* Opens /dev/null in place of each of the descriptors 0, 1 and 2 that is closed: otherwise a socket
 * would get its number, and lines of the log with it.  First of all, before anything is opened.
 * Returns -1 with errno. */
int daemon_fill_standard_descriptors(void);
/* daemonize: the server goes on in the background; the process that was started ends with 0.
 * Returns -1 with the reason. */
int daemon_enter(const struct config *, struct error *);
/* daemonize2: the process that was started ends when a byte is written to *served, or with the
 * server's exit code.  *served is -1 where nobody waits. */
int daemon_enter_waited(const struct config *, int *served, struct error *);

#endif
