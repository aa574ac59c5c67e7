/* SPDX-License-Identifier: MIT */
/* log.h: where log lines go.  Lines are said with uwsgi_log() of plugin.h. */
#ifndef UWSGI_LOG_H
#define UWSGI_LOG_H

#include "plugin.h"

/* Makes standard output and standard error append to the file (created 0640), so that what
 * the application prints lands there too.  Returns -1 with the reason. */
int log_to_file(const char *path, struct error *);

/* What each line of uwsgi_log() begins with, for strftime(3); it is copied.  NULL: nothing. */
void log_set_date(const char *format);

/* Writes all of it to standard error in one system call where the kernel takes it whole, so
 * that lines of several processes do not mix. */
void log_write(const char *text, size_t length);

#endif
