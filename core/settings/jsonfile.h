/* SPDX-License-Identifier: MIT */
/* jsonfile.h: the settings of one JSON file: {"uwsgi": {"name": "value", "list": ["a", "b"]}}. */
#ifndef UWSGI_JSONFILE_H
#define UWSGI_JSONFILE_H

#include "settings/inifile.h"

/* As inifile_read() does: a heading for each member of the whole, then its names.  Lists are a
 * line for each item; numbers and booleans become text.  Lines have the number 0, as the library
 * does not keep them; *line tells where the syntax is wrong. */
int jsonfile_read(struct slice bytes, void (*visit)(void *user, const struct ini_line *),
		  void *user, int *line, struct error *);

#endif
