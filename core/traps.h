/* SPDX-License-Identifier: MIT */
/* traps.h: settings that are right one by one and wrong together, or here and now. */
#ifndef UWSGI_TRAPS_H
#define UWSGI_TRAPS_H

#include "plugin.h"

/* To be among the tables: it has no rows, only a check(). */
extern const struct option_table traps_table;

#endif
