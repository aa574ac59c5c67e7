/* SPDX-License-Identifier: MIT */
/* error.c: the caller's one sentence about what went wrong.  Whoever knows why a thing failed
 * writes it here; it is printed once, by whoever decides what follows. */
#include <uwsgi/plugin.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int uwsgi_error_set(struct error *e, const char *fmt, ...)
{
	/* Formatted apart, because an argument may be the very text that is being replaced. */
	char text[sizeof e->text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	snprintf(e->text, sizeof e->text, "%s", text);
	return -1;
}

int uwsgi_error_errno(struct error *e)
{
	return uwsgi_error_set(e, "%s", strerror(errno));
}
