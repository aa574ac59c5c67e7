/* SPDX-License-Identifier: MIT */
/* expand.h: what stands for something else in a value: $(NAME) and %(name). */
#ifndef UWSGI_EXPAND_H
#define UWSGI_EXPAND_H

#include "base/arena.h"
#include <uwsgi/plugin.h>

/* The text for a name; NULL: nobody defines it, it stays as it is written. */
typedef const char *(*expand_find)(void *user, const char *name);

/* All of them return value itself when nothing stands in it, else a string in the arena; NULL
 * when memory is out.  The first name that was not found is copied to *missing, as written
 * and in the arena; missing may be NULL. */

/* $(NAME) from the environment. */
const char *expand_environment(struct arena *, const char *value, char *const *environment,
			       const char **missing);
/* @(what), answered by find. */
const char *expand_sources(struct arena *, const char *value, expand_find, void *user);
/* %(name), and sums like %(name + 2 * 3), worked out strictly from left to right, in which an
 * unknown name counts as 0. */
const char *expand_names(struct arena *, const char *value, expand_find, void *user,
			 const char **missing);

#endif
