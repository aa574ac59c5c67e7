/* SPDX-License-Identifier: MIT */
/* expand.h: what stands for something else in a value: %d, $(NAME), @(file), %(name). */
#ifndef UWSGI_EXPAND_H
#define UWSGI_EXPAND_H

#include "settings/directives.h"

/* The file that one-letter variables speak of. */
struct place {
	const char *given;   /* as it was named */
	const char *path;    /* absolute */
	const char *section; /* "" unless one was asked for */
	const char *cwd;
	const struct place *first; /* the file that began it all; itself for that one */
};

/* Replaces %x, makes % of %%, keeps %( for later; a letter that means nothing goes away, as in
 * uWSGI, and the first such letter is *unknown (left alone otherwise).  Returns text itself
 * when it holds no %, NULL when memory is out. */
const char *expand_letters(struct arena *, const char *text, const struct place *, char *unknown);

/* The text with $(NAME) and %(name) replaced as far as they are known by now, for what must be
 * understood while reading goes on: the name of a file, a condition.  Never NULL.  Names in it,
 * and in the values that they stand for, are used from then on. */
const char *expand(struct reading *, const char *text);

/* Gives each directive its value, when all are there: the same, and @(what).  What nobody defines
 * stays as it is written, because log formats have the same notation; the report says so. */
void expand_all(struct reading *);

/* A variable of the environment; NULL: it is not set. */
const char *expand_variable(const struct reading *, const char *name);

#endif
