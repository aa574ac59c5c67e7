/* SPDX-License-Identifier: MIT */
/* inifile.h: the lines of one ini file, as uWSGI splits them: each line stands alone, a name
 * ends at the first '=', nothing is quoted and nothing continues. */
#ifndef UWSGI_INIFILE_H
#define UWSGI_INIFILE_H

#include <uwsgi/plugin.h>

struct ini_line {
	const char *section; /* "" before the first heading */
	const char *name;    /* NULL: this line is the heading itself */
	const char *value;   /* NULL: there was no '=' */
	int number;          /* from 1 */
};

/* Calls visit for every heading and every name, in order; strings are valid during the call.
 * Blanks around name and value are gone, comments behind a value are still there.  Returns 0, or
 * -1 with the reason and *line where reading stopped. */
int inifile_read(struct slice bytes, void (*visit)(void *user, const struct ini_line *), void *user,
		 int *line, struct error *);

/* How much of the value stands before a comment: a '#' or ';' that begins it or follows a
 * blank, and the blanks before that. */
size_t inifile_comment_at(const char *value);

#endif
