/* SPDX-License-Identifier: MIT */
/* proctitle.h: the name of a process as ps shows it. */
#ifndef UWSGI_PROCTITLE_H
#define UWSGI_PROCTITLE_H

#include <uwsgi/plugin.h>

extern const struct option_table proctitle_options;

/* Once, first thing in main(): the memory of argv and environ is what ps reads, and both are
 * moved away from it.  Returns the moved argv (NULL: no memory, titles then do nothing). */
char **proctitle_init(int argc, char **argv);
/* Frees what proctitle_init() returned, last thing in main(). */
void proctitle_fini(char **moved);
/* With one of the options of process names: "[prefix]uwsgi role", or the name that they give;
 * otherwise nothing changes. */
void proctitle_set(const struct config *, const char *role);

#endif
