/* SPDX-License-Identifier: MIT */
/* command.h: what the binary does besides serving: each command prints its answer and ends. */
#ifndef UWSGI_COMMAND_H
#define UWSGI_COMMAND_H

#include "plugin.h"

/* --reload FILE: graceful restart; --stop FILE: stop.  FILE holds the master's pid.  Returns the
 * exit code. */
int command_reload(const char *pidfile);
int command_stop(const char *pidfile);
int command_version(void);

#endif
