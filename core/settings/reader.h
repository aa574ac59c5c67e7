/* SPDX-License-Identifier: MIT */
/* reader.h: reads what a user set, from the environment, the command line and files. */
#ifndef UWSGI_READER_H
#define UWSGI_READER_H

#include "settings/directives.h"

/* Reads everything into reading->set, and gives each directive its value.  The rest of the world
 * is only looked at, but for the commands that a value names. */
void reader_run(struct reading *);

#endif
