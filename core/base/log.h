/* SPDX-License-Identifier: MIT */
/* log.h: where log lines go.  Lines are said with uwsgi_log() of plugin.h. */
#ifndef UWSGI_LOG_H
#define UWSGI_LOG_H

#include <uwsgi/plugin.h>

/* What each line of uwsgi_log() begins with, for strftime(3); it is copied.  NULL: nothing. */
void log_set_date(const char *format);

/* Lines of this process are given to this function from now on; NULL: to standard error. */
typedef void log_writer(void *data, const char *text, size_t length);
void log_set_writer(log_writer *, void *data);

/* Lines of requests go to this descriptor from now on, and not to standard error. */
void log_set_request_fd(int fd);

/* Writes a line of a request, with its newline, in one system call where the kernel takes it
 * whole, so that lines of several processes do not mix. */
void log_write_request(const char *text, size_t length);

#endif
