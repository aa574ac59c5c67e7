/* SPDX-License-Identifier: MIT */
/* check_files.h: whether the files that the server opens at its start have a place. */
#ifndef UWSGI_CHECK_FILES_H
#define UWSGI_CHECK_FILES_H

#include "settings/config.h"

/* Pidfiles and log files whose folder is missing, each an error with the sentence of a start; relative ones
 * are seen from start_folder. */
void check_files(const struct config *, const char *start_folder, struct report *);

#endif
