/* SPDX-License-Identifier: MIT */
/* logline.h: a line of the log in a buffer of fixed size.  What does not fit is cut off, but
 * the newline always fits. */
#ifndef UWSGI_LOGLINE_H
#define UWSGI_LOGLINE_H

#include <uwsgi/plugin.h>

struct logline {
	char *p;
	size_t n, size;
};

void logline_init(struct logline *, char *buffer, size_t size);
/* As it is: words of the server or of the configuration. */
void logline_text(struct logline *, struct slice);
void logline_printf(struct logline *, const char *fmt, ...) UWSGI_PRINTF(2, 3);
/* Bytes of the client: what is no UTF-8, and what could forge a line or deceive who reads it
 * (controls, also C1, ends of lines, marks that turn the order of writing), is written byte by byte
 * as \x0a. */
void logline_untrusted(struct logline *, struct slice);
/* The same between quotation marks: the escapes of a JSON string, so that no client can end
 * it. */
void logline_quoted(struct logline *, struct slice);
/* Local time, as strftime(3) writes it. */
void logline_time(struct logline *, const char *format, int64_t at_us);
/* Adds the newline; returns the length. */
size_t logline_end(struct logline *);

#endif
