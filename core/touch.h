/* SPDX-License-Identifier: MIT */
/* touch.h: files that somebody touches to tell the server something (touch-logrotate …). */
#ifndef UWSGI_TOUCH_H
#define UWSGI_TOUCH_H

#include "plugin.h"

/* Zeroed it watches nothing. */
struct touch {
	const struct option_list *files; /* the caller's */
	struct timespec *seen;           /* of each; zero: there was no such file */
};

/* What happens to these files from now on counts, and for those that were watched already what
 * has happened since; NULL: none.  Without memory it watches nothing, and says so. */
void touch_watch(struct touch *, const struct option_list *);
/* A file that was touched or made since it was looked at last; a folder: one that anything
 * directly in it happened to.  NULL: none. */
const char *touch_fired(struct touch *);

#endif
