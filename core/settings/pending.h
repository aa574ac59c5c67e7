/* SPDX-License-Identifier: MIT */
/* pending.h: the options of uWSGI's subsystems that this server will have and has not yet. */
#ifndef UWSGI_PENDING_H
#define UWSGI_PENDING_H

#include <uwsgi/plugin.h>

/* Each has a `pending`. */
extern const struct option_table *const pending_tables[];
extern const size_t pending_table_count;

#endif
