/* SPDX-License-Identifier: MIT */
/* completion.h: scripts with which shells complete the command line. */
#ifndef UWSGI_COMPLETION_H
#define UWSGI_COMPLETION_H

#include <uwsgi/plugin.h>

/* shell: "bash" or "zsh".  Returns the exit code. */
int completion_print(const struct option_table *const *tables, size_t count, const char *shell);

#endif
