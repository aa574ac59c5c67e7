/* SPDX-License-Identifier: MIT */
/* manual.h: the manual page uwsgi(1), as the tables have it. */
#ifndef UWSGI_MANUAL_H
#define UWSGI_MANUAL_H

#include <uwsgi/plugin.h>

void manual_print(const struct option_table *const *tables, size_t count);

#endif
