/* SPDX-License-Identifier: MIT */
/* body.h: a request's body, whole before the application sees it: in memory up to a limit,
 * past that in a file without a name. */
#ifndef UWSGI_BODY_H
#define UWSGI_BODY_H

#include "plugin.h"

struct body {
	char *memory; /* kept for the next request */
	size_t capacity;
	int fd; /* the unlinked file that holds all of the body; -1: memory does */
	int64_t length;
};

void body_init(struct body *);
void body_fini(struct body *);
void body_reset(struct body *);
/* Appends a copy; what grows past in_memory bytes goes to a file in $TMPDIR or /tmp.
 * Returns -1 with the reason when memory or disk is out. */
int body_add(struct body *, struct slice bytes, int64_t in_memory, struct error *);

#endif
