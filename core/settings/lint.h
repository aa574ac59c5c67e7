/* SPDX-License-Identifier: MIT */
/* lint.h: settings that are right one by one and wrong together, or here and now. */
#ifndef UWSGI_LINT_H
#define UWSGI_LINT_H

#include <uwsgi/plugin.h>

/* To be among the tables: it has no rows, only a check(). */
extern const struct option_table lint_table;

#endif
