/* SPDX-License-Identifier: MIT */
/* check_app.h: imports the application to see whether it can be, and forgets it. */
#ifndef UWSGI_CHECK_APP_H
#define UWSGI_CHECK_APP_H

#include <uwsgi/plugin.h>

/* In a child process, with the folder, user, limits and variables that a start would give it;
 * its traceback goes to the log.  Processes that the import leaves behind are not waited for.
 * Returns -1 with the reason, also when it takes longer than timeout_s. */
int check_app(const struct config *, const struct app *, const char *start_folder,
	      long long timeout_s, struct error *);

#endif
