/* SPDX-License-Identifier: MIT */
/* log.c: the server log is standard error, one line a write.  Any process of the server calls
 * it.  It owns no file: logfile.c puts one in the place of standard error. */
#include "base/log.h"

#include "base/clock.h"
#include "base/logline.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who takes the lines of this process; NULL: standard error. */
static log_writer *writer;
static void *writer_data;
/* Where the lines of requests go. */
static int request_fd = STDERR_FILENO;
/* What lines begin with, for strftime(3); empty: nothing. */
static char date[128];
/* The same for the second of the last line of this thread. */
static _Thread_local struct {
	int64_t second;
	size_t n;
	char text[256];
} said;

void log_set_writer(log_writer *other, void *data)
{
	writer = other;
	writer_data = data;
}

void log_set_request_fd(int fd)
{
	request_fd = fd;
}

void log_set_date(const char *format)
{
	snprintf(date, sizeof date, "%s", format ? format : "");
	said.second = 0;
}

static void find_date(void)
{
	int64_t now_us = clock_wall_us();
	struct logline l;

	if (said.second == now_us / 1000000)
		return;
	said.second = now_us / 1000000;
	logline_init(&l, said.text, sizeof said.text);
	logline_time(&l, date, now_us);
	if (l.n)
		logline_text(&l, SLICE(" - "));
	said.n = l.n;
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

void uwsgi_log(enum severity severity, const char *fmt, ...)
{
	static const char *const prefix[] = {
		[UWSGI_NOTE] = "", [UWSGI_WARNING] = "warning: ", [UWSGI_ERROR] = "error: "
	};
	int saved = errno;
	char *message = NULL, *line = NULL;
	va_list ap;

	/* A traceback may be long, and has to leave in one piece. */
	va_start(ap, fmt);
	int failed = vasprintf(&message, fmt, ap) < 0;
	va_end(ap);
	find_date();
	int n = failed ? -1
		       : asprintf(&line, "%.*s%s%s\n", (int)said.n, said.text, prefix[severity],
				  message);
	if (n >= 0) {
		write_line(line, (size_t)n);
		free(line);
	}
	if (!failed)
		free(message);
	errno = saved;
}
