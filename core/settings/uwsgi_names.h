/* SPDX-License-Identifier: MIT */
/* uwsgi_names.h: the option names of uWSGI, with all its plugins, and what this server makes of
 * each: whether it works, is always so, is planned, or is left to others. */
#ifndef UWSGI_NAMES_H
#define UWSGI_NAMES_H

#include "settings/uwsgi_subjects.h"

#include <stddef.h>

enum arity { ARITY_NONE, ARITY_OPTIONAL, ARITY_REQUIRED };

struct uwsgi_name {
	const char *name;
	enum arity arity;
	enum subject_id subject;
};

/* NULL: uWSGI has no such option either. */
const struct uwsgi_name *uwsgi_names_find(const char *name);
/* The option that uWSGI's short form means; NULL: none. */
const struct uwsgi_name *uwsgi_names_letter(char letter);
/* The short form of a name; 0: it has none. */
char uwsgi_names_letter_of(const char *name);
/* All of them, sorted. */
const struct uwsgi_name *uwsgi_names_all(size_t *count);

#endif
