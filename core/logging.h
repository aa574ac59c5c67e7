/* SPDX-License-Identifier: MIT */
/* logging.h: what the configuration says of the server log. */
#ifndef UWSGI_LOGGING_H
#define UWSGI_LOGGING_H

#include "plugin.h"

struct logging_settings {
	const char *date;
};

extern const struct option_table logging_options;

/* The format of log-date for strftime(3); NULL: it is off, or uWSGI's own. */
const char *logging_date_format(const struct config *);
/* The lines of this process, and of those that it forks, are written that way from now on. */
void logging_use(const struct config *);

#endif
