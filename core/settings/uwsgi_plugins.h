/* SPDX-License-Identifier: MIT */
/* uwsgi_plugins.h: the plugins that uWSGI has, to tell a file that asks for one of them from a
 * typing error. */
#ifndef UWSGI_PLUGINS_H
#define UWSGI_PLUGINS_H

#include <stddef.h>

/* What to do without it, to stand behind a colon; "" when it is not missed; NULL: uWSGI has no such
 * plugin either. */
const char *uwsgi_plugins_instead(const char *name);
/* All of them; NULL behind the last. */
const char *uwsgi_plugins_name(size_t i);

#endif
