/* SPDX-License-Identifier: MIT */
/* moving.h: uwsgi --migrate: from another server's configuration to an ini file for this one. */
#ifndef UWSGI_MOVING_H
#define UWSGI_MOVING_H

/* Becomes the Python program in migrate/, which prints the ini file and ends.  words, up to a NULL: a file,
 * or another server's command line.  Comes back with the exit code of a failure only, which it has said. */
int moving_run(char *const *words);

#endif
