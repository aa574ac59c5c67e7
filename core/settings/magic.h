/* SPDX-License-Identifier: MIT */
/* magic.h: the one-letter variables of an ini file: %d its folder, %n its name, %k the
 * processors … */
#ifndef UWSGI_MAGIC_H
#define UWSGI_MAGIC_H

#include "base/arena.h"
#include <uwsgi/plugin.h>

/* The file that is being read. */
struct place {
	const char *given;   /* as it was named */
	const char *path;    /* absolute */
	const char *section; /* "" unless one was asked for */
	const char *cwd;
	const struct place *first; /* the file that began it all; itself for that one */
};

/* Replaces %x, makes % of %%, keeps %( for later; a letter that means nothing goes away, as in
 * uWSGI, and the first such letter is *unknown (left alone otherwise).  Returns value itself
 * when it holds no %, NULL when memory is out. */
const char *magic_expand(struct arena *, const char *value, const struct place *, char *unknown);

#endif
