/* SPDX-License-Identifier: MIT */
/* source.h: what a configuration is read from, and what @(…) stands for in a value: the bytes of
 * a file, the output of a command. */
#ifndef UWSGI_SOURCE_H
#define UWSGI_SOURCE_H

#include "base/arena.h"

enum { SOURCE_SECONDS = 10 };

/* The whole file, to be freed; NULL with the reason ("No such file or directory"). */
char *source_read(const char *path, size_t *n, struct error *);

/* The name seen from cwd, with symbolic links of folders followed and that of the file kept: a
 * link in apps-enabled stays there.  In the arena; NULL when memory is out. */
const char *source_absolute(struct arena *, const char *cwd, const char *given);

/* What @(what) stands for: path, file://path, or what exec://command says, which runs in cwd for
 * SOURCE_SECONDS at most.  Without its last newline, in the arena; NULL with the reason. */
const char *source_text(struct arena *, const char *cwd, const char *what, struct error *);
bool source_is_command(const char *what);

#endif
