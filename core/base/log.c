/* SPDX-License-Identifier: MIT */
/* log.c: builds lines of the log and writes them to standard error, one a write.  Any process of
 * the server calls it.  It owns no file: logfile.c puts one in the place of standard error, and
 * logpipe.c takes the master's lines. */
#include "base/log.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- a line ---- */

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

void logline_number(struct logline *l, long long number)
{
	unsigned long long left =
		number < 0 ? -(unsigned long long)number : (unsigned long long)number;
	char digits[24], *at = digits + sizeof digits;

	do
		*--at = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (number < 0)
		*--at = '-';
	logline_text(l, (struct slice){ at, (size_t)(digits + sizeof digits - at) });
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
	const unsigned char a = (unsigned char)special[0], b = (unsigned char)special[1];

	for (;;) {
		size_t begin = i;

		while (i < s.n && is_plain(p[i]) && p[i] != a && p[i] != b)
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

/* The last result of this thread: a busy server writes many lines within a second. */
static _Thread_local struct {
	time_t second;
	size_t n;
	char format[64], text[64];
} written;

/* The format is the user's: no compiler can check it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
void logline_time(struct logline *l, const char *format, int64_t at_us)
{
	time_t second = (time_t)(at_us / 1000000);
	struct tm tm;

	if (second == written.second && strcmp(format, written.format) == 0) {
		logline_text(l, (struct slice){ written.text, written.n });
		return;
	}
	localtime_r(&second, &tm);
	/* With its NUL it may take the byte that is kept: that is not the line's yet. */
	size_t n = strftime(l->p + l->n, room(l) + 1, format, &tm);
	if (n > 0 && n < sizeof written.text && strlen(format) < sizeof written.format) {
		written.second = second;
		written.n = n;
		strcpy(written.format, format);
		memcpy(written.text, l->p + l->n, n);
	}
	l->n += n;
}
#pragma GCC diagnostic pop

size_t logline_end(struct logline *l)
{
	l->p[l->n++] = '\n';
	return l->n;
}

/* ---- where lines go ---- */

/* Who takes the lines of this process; NULL: standard error. */
static log_writer *writer;
static void *writer_data;
/* Where the lines of requests go. */
static int request_fd = STDERR_FILENO;
/* What lines begin with, for strftime(3); empty: nothing. */
static char date[128];
static struct ring warnings;
enum { DATE_MAX = 2048 }; /* the most that it may become, with the severity behind it */

void log_set_writer(log_writer *other, void *data)
{
	writer = other;
	writer_data = data;
}

size_t log_warnings_size(void)
{
	return ring_memory_size(WARNINGS_KEPT, sizeof(struct warning_status));
}

struct ring log_warnings(void *memory)
{
	return (struct ring){ memory, WARNINGS_KEPT, sizeof(struct warning_status) };
}

void log_keep_warnings(const struct ring *ring)
{
	warnings = *ring;
}

void log_set_request_fd(int fd)
{
	request_fd = fd;
}

void log_set_date(const char *format)
{
	snprintf(date, sizeof date, "%s", format ? format : "");
}

static void write_to(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n > 0) {
			text += n;
			length -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			/* Standard error may share its open file with a socket or pipe that
			 * someone made non-blocking; a reader that is gone ends the wait. */
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			if (poll(&p, 1, 1000) <= 0)
				return;
		} else if (n == 0 || errno != EINTR) {
			return;
		}
	}
}

static void write_line(const char *text, size_t length)
{
	if (writer)
		writer(writer_data, text, length);
	else
		write_to(STDERR_FILENO, text, length);
}

void log_write_request(const char *text, size_t length)
{
	write_to(request_fd, text, length);
}

/* A traceback keeps its newlines and tabs; what a client said in it is escaped. */
static void add_message(struct logline *l, const char *message)
{
	for (size_t n;; message += n + 1) {
		n = strcspn(message, "\n\t");
		logline_untrusted(l, (struct slice){ message, n });
		if (!message[n])
			return;
		logline_text(l, (struct slice){ message + n, 1 });
	}
}

/* Where the memory for so much is missing, what is fixed has to do: the line is cut off. */
static char *room_for(size_t wanted, char *fixed, size_t *size)
{
	char *room = wanted > *size ? malloc(wanted) : NULL;

	if (room)
		*size = wanted;
	return room ? room : fixed;
}

/* Cut where a character ends. */
static void keep_warning(enum severity severity, const char *text, size_t n)
{
	struct warning_status w = { clock_wall_us(), getpid(), severity, "" };

	if (n >= sizeof w.text)
		for (n = sizeof w.text - 1; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			;
	memcpy(w.text, text, n);
	ring_write(&warnings, &w);
}

static void say(enum severity severity, const char *message, size_t n)
{
	static const char *const prefix[] = {
		[UWSGI_NOTE] = "", [UWSGI_WARNING] = "warning: ", [UWSGI_ERROR] = "error: "
	};
	char fixed[6144];
	size_t size = sizeof fixed;
	/* Any byte may become \x0a: a traceback may be long, and has to leave in one piece. */
	char *text = room_for(DATE_MAX + 4 * n, fixed, &size);
	struct logline l;

	logline_init(&l, text, size);
	logline_time(&l, date, clock_wall_us());
	if (l.n)
		logline_text(&l, SLICE(" - "));
	logline_text(&l, (struct slice){ prefix[severity], strlen(prefix[severity]) });
	size_t at = l.n;
	add_message(&l, message);
	if (severity != UWSGI_NOTE)
		keep_warning(severity, l.p + at, l.n - at);
	write_line(text, logline_end(&l));
	if (text != fixed)
		free(text);
}

void uwsgi_log(enum severity severity, const char *fmt, ...)
{
	int saved = errno;
	char fixed[1024] = "";
	size_t size = sizeof fixed;
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(fixed, size, fmt, ap);
	va_end(ap);
	char *message = room_for((size_t)n + 1, fixed, &size);
	if (message != fixed) {
		va_start(ap, fmt);
		vsnprintf(message, size, fmt, ap);
		va_end(ap);
	}
	say(severity, message, strlen(message));
	if (message != fixed)
		free(message);
	errno = saved;
}
