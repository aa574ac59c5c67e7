/* SPDX-License-Identifier: MIT */
/* log.c: the server log is standard error, one line a write.  Any process of the server calls
 * it.  It owns no file: a log file is put in the place of standard error. */
#include "log.h"

#include "clock.h"
#include "logline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What lines begin with, for strftime(3); empty: nothing. */
static char date[128];

void log_set_date(const char *format)
{
	snprintf(date, sizeof date, "%s", format ? format : "");
}

static size_t say_date(char *text, size_t size)
{
	struct logline l;

	logline_init(&l, text, size);
	logline_time(&l, date, clock_wall_us());
	if (l.n)
		logline_text(&l, SLICE(" - "));
	return l.n;
}

void log_write(const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(STDERR_FILENO, text, length);

		if (n > 0) {
			text += n;
			length -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			/* Standard error may share its open file with a socket or pipe that
			 * someone made non-blocking; a reader that is gone ends the wait. */
			struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

			if (poll(&p, 1, 1000) <= 0)
				return;
		} else if (n == 0 || errno != EINTR) {
			return;
		}
	}
}

void uwsgi_log(enum severity severity, const char *fmt, ...)
{
	static const char *const prefix[] = {
		[UWSGI_NOTE] = "", [UWSGI_WARNING] = "warning: ", [UWSGI_ERROR] = "error: "
	};
	int saved = errno;
	char *message = NULL, *line = NULL, when[256];
	va_list ap;

	/* A traceback may be long, and has to leave in one piece. */
	va_start(ap, fmt);
	int failed = vasprintf(&message, fmt, ap) < 0;
	va_end(ap);
	int dated = *date ? (int)say_date(when, sizeof when) : 0;
	int n = failed ? -1 : asprintf(&line, "%.*s%s%s\n", dated, when, prefix[severity], message);
	if (n >= 0) {
		log_write(line, (size_t)n);
		free(line);
	}
	if (!failed)
		free(message);
	errno = saved;
}

int log_to_file(const char *path, struct error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

	if (fd < 0)
		return uwsgi_error_set(e, "cannot open log file %s: %s", path, strerror(errno));
	fflush(stdout);
	if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0) {
		uwsgi_error_set(e, "cannot log to %s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}
