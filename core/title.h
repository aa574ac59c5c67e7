/* SPDX-License-Identifier: MIT */
/* title.h: the name of a process as ps shows it. */
#ifndef UWSGI_TITLE_H
#define UWSGI_TITLE_H

#include "plugin.h"

extern const struct option_table title_options;

/* Once, first thing in main(): the memory of argv and environ is what ps reads, and both are
 * moved away from it.  Returns the moved argv (NULL: no memory, titles then do nothing). */
char **title_init(int argc, char **argv);
/* Frees what title_init() returned, last thing in main(). */
void title_fini(char **moved);
/* With one of the options of process names: "[prefix]uwsgi role", or the name that they give;
 * otherwise nothing changes. */
void title_set(const struct config *, const char *role);

#endif
