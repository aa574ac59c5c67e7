/* SPDX-License-Identifier: MIT */
/* source.h: a configuration file's bytes and its full name. */
#ifndef UWSGI_SOURCE_H
#define UWSGI_SOURCE_H

#include "base/arena.h"
#include <uwsgi/plugin.h>

/* The whole file, to be freed; NULL with the reason ("No such file or directory"). */
char *source_read(const char *path, size_t *n, struct error *);

/* The name seen from cwd, with symbolic links of folders followed and that of the file kept: a
 * link in apps-enabled stays there.  In the arena; NULL when memory is out. */
const char *source_absolute(struct arena *, const char *cwd, const char *given);

#endif
