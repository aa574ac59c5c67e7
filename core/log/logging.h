/* SPDX-License-Identifier: MIT */
/* logging.h: what the configuration says of the server log. */
#ifndef UWSGI_LOGGING_H
#define UWSGI_LOGGING_H

#include "log/sink.h"

#include <sys/types.h>

struct logging_settings {
	const char *daemonize, *daemonize2, *logto, *logto2, *date;
	const char *mode, *backup;
	bool truncate, chown, reopen, master, thread;
	long long max_size, buffer;
	struct option_list touch_rotate, touch_reopen;
	struct sink_options lines, requests;
	struct option_list alarms, not_alarms; /* alarms.c reads them */
	long long packet_size; /* the most that a packet for syslog holds */
	bool split;            /* longer lines go in several packets */
};

extern const struct option_table logging_options;

/* The format that log-date was set to, for strftime(3); NULL: none, or uWSGI's own. */
const char *logging_date_format(const struct config *);
/* The lines of this process, and of those that it forks, begin with the time as log-date says,
 * or as fits where standard error goes now.  NULL: there is no configuration yet. */
void logging_use(const struct config *);
/* Whether the master has to write what all other processes say: nobody else can begin a new
 * file for all of them, and the sinks are the master's. */
bool logging_wants_pipe(const struct logging_settings *);
/* logfile-chmod; 0: the file keeps its mode. */
mode_t logging_mode(const struct logging_settings *);

#endif
