/* SPDX-License-Identifier: MIT */
/* logline.c: builds a line of the log, for the request log and its formats.  Writes nothing
 * anywhere. */
#include "logline.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void logline_init(struct logline *l, char *buffer, size_t size)
{
	*l = (struct logline){ buffer, 0, size };
}

/* One byte is kept for the newline. */
static size_t room(const struct logline *l)
{
	return l->size - 1 - l->n;
}

void logline_text(struct logline *l, struct slice s)
{
	size_t n = s.n < room(l) ? s.n : room(l);

	if (n)
		memcpy(l->p + l->n, s.p, n);
	l->n += n;
}

void logline_printf(struct logline *l, const char *fmt, ...)
{
	va_list ap;

	/* vsnprintf() ends with a NUL, where the newline will be. */
	va_start(ap, fmt);
	int n = vsnprintf(l->p + l->n, room(l) + 1, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->n += (size_t)n < room(l) ? (size_t)n : room(l);
}

/* An escape as a whole, or nothing of it. */
static void add_escape(struct logline *l, const char *before, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	size_t length = strlen(before);

	if (length + 2 > room(l))
		return;
	logline_text(l, (struct slice){ before, length });
	l->p[l->n++] = digits[byte >> 4];
	l->p[l->n++] = digits[byte & 15];
}

static bool is_control(unsigned char byte)
{
	return byte < 0x20 || byte == 0x7f;
}

void logline_untrusted(struct logline *l, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char byte = (unsigned char)s.p[i];

		if (is_control(byte))
			add_escape(l, "\\x", byte);
		else if (room(l))
			l->p[l->n++] = (char)byte;
	}
}

/* The length of the UTF-8 sequence at p; 0: it is none. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
	size_t length = *p < 0x80                 ? 1
			: *p >= 0xc2 && *p < 0xe0 ? 2
			: *p >= 0xe0 && *p < 0xf0 ? 3
			: *p >= 0xf0 && *p < 0xf5 ? 4
						  : 0;

	if (length > n)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates and what lies beyond U+10FFFF. */
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

void logline_quoted(struct logline *l, struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0; i < s.n;) {
		size_t length = utf8_length(p + i, s.n - i);

		if (length == 0 || is_control(p[i]))
			add_escape(l, "\\u00", p[i]);
		else if (p[i] == '"' || p[i] == '\\')
			logline_printf(l, "\\%c", p[i]);
		else if (length <= room(l))
			logline_text(l, (struct slice){ s.p + i, length });
		i += length ? length : 1;
	}
}

/* The format is the user's: no compiler can check it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
void logline_time(struct logline *l, const char *format, int64_t at_us)
{
	time_t t = (time_t)(at_us / 1000000);
	struct tm tm;

	localtime_r(&t, &tm);
	/* With its NUL it may take the byte that is kept: that is not the line's yet. */
	l->n += strftime(l->p + l->n, room(l) + 1, format, &tm);
}
#pragma GCC diagnostic pop

size_t logline_end(struct logline *l)
{
	l->p[l->n++] = '\n';
	return l->n;
}
