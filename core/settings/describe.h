/* SPDX-License-Identifier: MIT */
/* describe.h: what a row of an option table says, in words: for the help, the reference page and
 * the completion of shells. */
#ifndef UWSGI_DESCRIBE_H
#define UWSGI_DESCRIBE_H

#include <uwsgi/plugin.h>
#include "base/text.h"
#include "settings/uwsgi_names.h"

/* "whole number, from 1 to 4096"; "text, may be repeated"; "one of: uwsgi, http". */
void describe_type(struct text *, const struct option *);
/* "64k", "none", "off". */
void describe_default(struct text *, const struct option *);
/* The other names, each with this before it and that between: ", ". */
void describe_aliases(struct text *, const struct option_table *, const struct option *,
		      const char *before, const char *between);
/* The options of uWSGI that belong to it, written likewise. */
void describe_subject(struct text *, const struct subject *, const char *before,
		      const char *between);
/* A value as somebody may write it. */
const char *describe_example(const struct option *);

#endif
