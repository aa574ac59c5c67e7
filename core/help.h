/* SPDX-License-Identifier: MIT */
/* help.h: what --help prints: all options, as their tables describe them. */
#ifndef UWSGI_HELP_H
#define UWSGI_HELP_H

#include "plugin.h"

/* With an option's name only that option.  Returns the exit code. */
int help_print(const struct option_table *const *tables, size_t count, const char *option);

#endif
