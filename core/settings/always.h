/* SPDX-License-Identifier: MIT */
/* always.h: the options that change nothing, because it is always so. */
#ifndef UWSGI_ALWAYS_H
#define UWSGI_ALWAYS_H

#include <uwsgi/plugin.h>

extern const struct option_table always_options;

#endif
