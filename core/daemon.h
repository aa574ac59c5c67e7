/* SPDX-License-Identifier: MIT */
/* daemon.h: the server as a service: background and pidfile. */
#ifndef UWSGI_DAEMON_H
#define UWSGI_DAEMON_H

#include "privileges.h"

extern const struct option_table daemon_options;

/* daemonize: the server goes on in the background; the process that was started ends with 0.
 * Returns -1 with the reason. */
int daemon_enter(const struct config *, struct error *);
/* daemonize2: the process that was started ends when a byte is written to *served, or with the
 * server's exit code.  *served is -1 where nobody waits. */
int daemon_enter_waited(const struct config *, int *served, struct error *);
/* Writes the pidfile as who the server is now and gives it to who it will be.  Relative paths
 * are seen from start_folder. */
int daemon_write_pidfile(const struct config *, const char *start_folder, const struct identity *,
			 struct error *);
/* The absolute path of the pidfile; false: there is none. */
bool daemon_pidfile_path(const struct config *, const char *start_folder, char *path, size_t);
/* Removes it if it still holds this process's pid. */
void daemon_remove_pidfile(const char *path);
/* The pid in a pidfile; -1 with the reason. */
pid_t daemon_read_pidfile(const char *path, struct error *);

#endif
