/* SPDX-License-Identifier: MIT */
/* command.h: what the binary does besides serving: each command prints its answer and ends. */
#ifndef UWSGI_COMMAND_H
#define UWSGI_COMMAND_H

#include <uwsgi/plugin.h>

/* --reload FILE waits until the reload has gone well or wrong, --stop FILE until the server has
 * ended; at most `wait` seconds, or not at all when that is NULL.  Both return the exit code. */
int command_reload(const char *pidfile, const char *wait);
int command_stop(const char *pidfile, const char *wait);
int command_version(void);

#endif
