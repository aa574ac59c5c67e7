/* SPDX-License-Identifier: MIT */
/* help.h: what --help prints, on standard output, 80 columns wide. */
#ifndef UWSGI_HELP_H
#define UWSGI_HELP_H

#include <uwsgi/plugin.h>

/* The options that most people need, by subject. */
void help_print(const struct option_table *const *tables, size_t count);
/* All options, by module. */
void help_print_all(const struct option_table *const *tables, size_t count);
/* One option, by any of its names; dashes before it are read over.  Returns the exit code. */
int help_explain(const struct option_table *const *tables, size_t count, const char *name);
/* All commands, options and names of uWSGI, for programs. */
void help_print_json(const struct option_table *const *tables, size_t count);

#endif
