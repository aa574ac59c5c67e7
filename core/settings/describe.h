/* SPDX-License-Identifier: MIT */
/* describe.h: what a row of an option table says, in words; and all that there is to say, for
 * programs. */
#ifndef UWSGI_DESCRIBE_H
#define UWSGI_DESCRIBE_H

#include <uwsgi/plugin.h>

#include <stdio.h>

struct description {
	char type[256];      /* "whole number, from 1 to 4096" */
	char also[512];      /* its other names; "": none */
	const char *initial; /* the default: "64k", "none" */
	const char *example; /* a value as somebody may write it */
};

/* dashes stand before each other name: "--", or "". */
void describe(struct description *, const struct option_table *, const struct option *,
	      const char *dashes);

/* All commands, options and names of uWSGI as one JSON document. */
void describe_all(const struct option_table *const *tables, size_t count, FILE *);

#endif
