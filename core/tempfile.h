/* SPDX-License-Identifier: MIT */
/* tempfile.h: files without a name, for what is too much to hold in memory.  A process that dies
 * leaves nothing behind. */
#ifndef UWSGI_TEMPFILE_H
#define UWSGI_TEMPFILE_H

#include "plugin.h"

/* Where they are: $TMPDIR or /tmp. */
const char *tempfile_folder(void);
/* For `what` ("the request body").  -1 with the reason. */
int tempfile_open(const char *what, struct error *);
/* Appends all of it, or returns -1 with the reason. */
int tempfile_write(int fd, struct slice, const char *what, struct error *);

#endif
