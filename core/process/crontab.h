/* SPDX-License-Identifier: MIT */
/* crontab.h: what the configuration says of commands that run by the clock. */
#ifndef UWSGI_CRONTAB_H
#define UWSGI_CRONTAB_H

#include "process/crontime.h"

extern const struct option_table crontab_options;

/* Strings point into the configuration. */
struct crontab_entry {
	const char *text; /* as it is written */
	const char *command;
	struct crontime when;
	bool unique;       /* not while it still runs */
	long long limit_s; /* it is killed after that; 0: never */
};

/* All; *count of them.  The caller's to free(); NULL: there are none, or no memory, which the log says. */
struct crontab_entry *crontab_find(const struct config *, size_t *count);

#endif
