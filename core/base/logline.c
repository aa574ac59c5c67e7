/* SPDX-License-Identifier: MIT */
/* logline.c: builds a line of the log, for the request log and its formats.  Writes nothing
 * anywhere. */
#include "base/logline.h"

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

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f;
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

/* Of the characters beyond ASCII, those that a terminal obeys, that end a line for some readers, or
 * that change the order in which it is shown: C1, U+2028 to U+202E, U+2066 to U+2069. */
static bool is_deceptive(const unsigned char *p, size_t length)
{
	switch (length) {
	case 2:
		return p[0] == 0xc2 && p[1] < 0xa0;
	case 3:
		return p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
					(p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
	default:
		return false;
	}
}

/* Adds what is harmless from s.p + i on; the place of the first character that is not. */
static size_t add_harmless(struct logline *l, struct slice s, size_t i, const char *special)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (;;) {
		size_t begin = i;

		while (i < s.n && is_plain(p[i]) && p[i] != special[0] && p[i] != special[1])
			i++;
		logline_text(l, (struct slice){ s.p + begin, i - begin });
		size_t length = i < s.n ? utf8_length(p + i, s.n - i) : 0;
		if (length < 2 || is_deceptive(p + i, length))
			return i;
		if (length <= room(l))
			logline_text(l, (struct slice){ s.p + i, length });
		i += length;
	}
}

/* The length of what stands at s.p + i and is to be escaped as one. */
static size_t unit_length(struct slice s, size_t i)
{
	size_t length = utf8_length((const unsigned char *)s.p + i, s.n - i);

	return length ? length : 1;
}

void logline_untrusted(struct logline *l, struct slice s)
{
	for (size_t i = 0; (i = add_harmless(l, s, i, "\0")) < s.n;)
		for (size_t end = i + unit_length(s, i); i < end; i++)
			add_escape(l, "\\x", (unsigned char)s.p[i]);
}

size_t uwsgi_escape(char *to, size_t size, struct slice s)
{
	struct logline l;

	logline_init(&l, to, size);
	logline_untrusted(&l, s);
	to[l.n] = '\0';
	return l.n;
}

/* By its code point, or, where it is no UTF-8, as the byte's in Latin-1. */
static void add_code(struct logline *l, const unsigned char *p, size_t length)
{
	if (length == 3)
		add_escape(l, "\\u20", (unsigned char)((p[1] & 0x3) << 6 | (p[2] & 0x3f)));
	else
		add_escape(l, "\\u00", p[length == 2]);
}

void logline_quoted(struct logline *l, struct slice s)
{
	for (size_t i = 0; (i = add_harmless(l, s, i, "\"\\")) < s.n;) {
		size_t length = unit_length(s, i);

		if (is_plain((unsigned char)s.p[i]))
			logline_printf(l, "\\%c", s.p[i]);
		else
			add_code(l, (const unsigned char *)s.p + i, length);
		i += length;
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
