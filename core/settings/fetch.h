/* SPDX-License-Identifier: MIT */
/* fetch.h: what @(…) stands for in a value: the content of a file, the output of a command. */
#ifndef UWSGI_FETCH_H
#define UWSGI_FETCH_H

#include "base/arena.h"

enum { FETCH_SECONDS = 10 };

/* A command is an @(exec://…); it runs in cwd, for FETCH_SECONDS at most. */
bool fetch_is_command(const char *what);
/* The text without its last newline, in the arena; NULL with the reason.  Relative names are
 * seen from cwd. */
const char *fetch(struct arena *, const char *cwd, const char *what, struct error *);

#endif
