/* SPDX-License-Identifier: MIT */
/* daemon.h: the server as a service: background and pidfiles. */
#ifndef UWSGI_DAEMON_H
#define UWSGI_DAEMON_H

#include "privileges.h"

extern const struct option_table daemon_options;

struct pidfiles {
	struct pidfile {
		char path[1024];
		bool later;
	} items[4];
	size_t count;
};

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
/* The absolute paths of the pidfiles; relative ones are seen from start_folder. */
void daemon_find_pidfiles(const struct config *, const char *start_folder, struct pidfiles *);
/* Writes those that are to be written now, or later, when privileges are dropped, and gives them
 * to who the server will be. */
int daemon_write_pidfiles(const struct pidfiles *, bool later, const struct identity *,
			  struct error *);
/* Removes those that still hold this process's pid. */
void daemon_remove_pidfiles(const struct pidfiles *);
/* The pid in a pidfile; -1 with the reason. */
pid_t daemon_read_pidfile(const char *path, struct error *);

#endif
