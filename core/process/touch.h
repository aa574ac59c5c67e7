/* SPDX-License-Identifier: MIT */
/* touch.h: files that somebody touches to tell the server something (touch-logrotate …). */
#ifndef UWSGI_TOUCH_H
#define UWSGI_TOUCH_H

#include "base/arena.h"
#include "base/carry.h"

#include <ev.h>

struct touch {
	struct ev_loop *loop;
	ev_timer timer; /* runs while there are files */
	/* file: as it stands in the list; valid until touch_watch(), which this may call. */
	void (*touched)(void *data, const char *file);
	void *data;
	/* What stands behind a file's first blank is no part of its name, and says what is to be done, so
	 * that all that were touched are told at once. */
	bool has_rest;
	struct arena memory;
	const char **files;
	struct timespec *seen; /* of each; zero: there was no such file */
	size_t count;
};

/* It watches nothing yet.  Before, it is all zero, but for what was carried. */
void touch_init(struct touch *, struct ev_loop *, void (*touched)(void *data, const char *file),
		void *data);
/* What happens to these files from now on counts, and for those that were watched already what
 * has happened since; NULL: none.  The list is copied.  A folder: anything directly in it.  Without
 * memory it watches nothing, and says so. */
void touch_watch(struct touch *, const struct option_list *);
/* For the program that takes this one's place: what was seen of each file, so that a touch between this
 * one's last look and the other's first one counts.  What is read is for touch_watch(). */
void touch_carry(struct touch *, struct carry *);

#endif
