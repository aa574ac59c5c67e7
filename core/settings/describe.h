/* SPDX-License-Identifier: MIT */
/* describe.h: what a row of an option table says, in words: for the help, the reference page and
 * the manual page. */
#ifndef UWSGI_DESCRIBE_H
#define UWSGI_DESCRIBE_H

#include "settings/uwsgi_names.h"
#include <uwsgi/plugin.h>

struct description {
	char word[64];       /* its value, as in "--name VALUE"; "": none */
	bool optional;       /* and "--name" alone means something */
	char type[256];      /* "whole number, from 1 to 4096" */
	char initial[128];   /* the default: "64k", "none" */
	char also[512];      /* its other names; "": none */
	const char *example; /* a value as somebody may write it */
};

/* Each other name stands between these two. */
void describe(struct description *, const struct option_table *, const struct option *,
	      const char *before, const char *behind);

/* The options of uWSGI that belong to the subject, likewise. */
struct names {
	char text[1 << 14];
};
void describe_subject(struct names *, const struct subject *, const char *before,
		      const char *behind);

#endif
