/* SPDX-License-Identifier: MIT */
/* uwsgi_names.h: the option names of uWSGI, with all its plugins, to tell a typing error from
 * an option that this server does not have. */
#ifndef UWSGI_NAMES_H
#define UWSGI_NAMES_H

#include <stddef.h>

enum arity { ARITY_NONE, ARITY_OPTIONAL, ARITY_REQUIRED };

struct uwsgi_name {
	const char *name;
	enum arity arity;
};

/* NULL: uWSGI has no such option either. */
const struct uwsgi_name *uwsgi_names_find(const char *name);
/* The option that uWSGI's short form means; NULL: none. */
const struct uwsgi_name *uwsgi_names_letter(char letter);
/* All of them, sorted. */
const struct uwsgi_name *uwsgi_names_all(size_t *count);

#endif
