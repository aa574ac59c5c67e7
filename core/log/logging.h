/* SPDX-License-Identifier: MIT */
/* logging.h: what the configuration says of the server log. */
#ifndef UWSGI_LOGGING_H
#define UWSGI_LOGGING_H

#include <uwsgi/plugin.h>

struct logging_settings {
	const char *daemonize, *daemonize2, *logto, *logto2, *date;
	const char *mode, *backup;
	bool truncate, chown, reopen, master, thread;
	long long max_size, buffer;
	struct option_list touch_rotate, touch_reopen;
};

extern const struct option_table logging_options;

/* The format that log-date was set to, for strftime(3); NULL: none, or uWSGI's own. */
const char *logging_date_format(const struct config *);
/* The lines of this process, and of those that it forks, begin with the time as log-date says,
 * or as fits where standard error goes now.  NULL: there is no configuration yet. */
void logging_use(const struct config *);
/* Whether the master has to write what all other processes say: nobody else can begin a new
 * file for all of them. */
bool logging_wants_pipe(const struct config *);
/* logfile-chmod; 0: the file keeps its mode. */
mode_t logging_mode(const struct config *);

#endif
