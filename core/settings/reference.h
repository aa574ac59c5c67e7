/* SPDX-License-Identifier: MIT */
/* reference.h: docs/options.md, as the tables have it. */
#ifndef UWSGI_REFERENCE_H
#define UWSGI_REFERENCE_H

#include <uwsgi/plugin.h>

void reference_print(const struct option_table *const *tables, size_t count);

#endif
