/* SPDX-License-Identifier: MIT */
/* log.h: log lines: building one that no client can forge, and where this process writes it.  The
 * server's own lines are written with uwsgi_log() of plugin.h. */
#ifndef UWSGI_LOG_H
#define UWSGI_LOG_H

#include "base/ring.h"

#include <uwsgi/plugin.h>

/* ---- where lines go ---- */

/* What each line of uwsgi_log() begins with, for strftime(3); it is copied.  NULL: nothing. */
void log_set_date(const char *format);

/* Lines of this process are given to this function from now on; NULL: to standard error. */
typedef void log_writer(void *data, const char *text, size_t length);
void log_set_writer(log_writer *, void *data);

/* Warnings and errors of this process, and of those forked from it, are kept there, too, as struct
 * warning_status; copied. */
enum { WARNINGS_KEPT = 64 };
size_t log_warnings_size(void);
struct ring log_warnings(void *memory);
void log_keep_warnings(const struct ring *);

/* Lines of requests go to this descriptor from now on, and not to standard error. */
void log_set_request_fd(int fd);

/* Writes a line of a request, with its newline, in one system call where the kernel takes it
 * whole, so that lines of several processes do not mix. */
void log_write_request(const char *text, size_t length);

/* ---- a line in a buffer of fixed size: what does not fit is cut off, but the newline fits ---- */

struct logline {
	char *p;
	size_t n, size;
};

void logline_init(struct logline *, char *buffer, size_t size);
/* As it is: words of the server or of the configuration. */
void logline_text(struct logline *, struct slice);
void logline_printf(struct logline *, const char *fmt, ...) UWSGI_PRINTF(2, 3);
/* In decimal, as "%lld". */
void logline_number(struct logline *, long long);
/* Bytes of a client: what is not UTF-8, and what could forge a line or deceive its reader
 * (controls, C1 included, line separators, bidirectional marks) is escaped byte by byte as \x0a. */
void logline_untrusted(struct logline *, struct slice);
/* The same inside quotation marks, with the escapes of a JSON string: no client can end it. */
void logline_quoted(struct logline *, struct slice);
/* Local time, as strftime(3) formats it; cheap within the second of the thread's last call. */
void logline_time(struct logline *, const char *format, int64_t at_us);
/* Adds the newline; returns the length. */
size_t logline_end(struct logline *);

#endif
