/* SPDX-License-Identifier: MIT */
/* password.c: the file of inspect-password-file, lines of "name:password".  It is read anew for each
 * request that says a password, so a new one needs no reload. */
#include "inspect.h"

#include "route/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 4096 };

/* Who else can write or read it has the password; root follows no link that somebody else may have
 * put there. */
static int judge_file(int fd, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return uwsgi_error_errno(e);
	if (!S_ISREG(st.st_mode))
		return uwsgi_error_set(e, "it is no ordinary file");
	if (st.st_uid != 0 && st.st_uid != geteuid() && geteuid() != 0)
		return uwsgi_error_set(e, "it belongs to another user");
	if (st.st_mode & (S_IWGRP | S_IRWXO))
		return uwsgi_error_set(e, "others may read or change it; chmod 640 helps");
	return 0;
}

/* The file's text, ended with a zero; returns its length or -1 with the reason. */
static ssize_t read_file(const char *path, char text[FILE_MAX], struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	ssize_t n = -1;

	if (fd < 0)
		return uwsgi_error_errno(e);
	if (judge_file(fd, e) == 0) {
		n = read(fd, text, FILE_MAX);
		if (n < 0)
			uwsgi_error_errno(e);
		else if (n == FILE_MAX)
			n = uwsgi_error_set(e, "it is longer than %d bytes", FILE_MAX - 1);
		else
			text[n] = '\0';
	}
	close(fd);
	return n;
}

/* The next line that has a name and a password; false: there are no more. */
static bool next_line(const char **at, struct slice *line)
{
	while (**at) {
		size_t n = strcspn(*at, "\r\n");
		const char *colon = memchr(*at, ':', n);

		*line = (struct slice){ *at, n };
		*at += n;
		*at += strspn(*at, "\r\n");
		if (*line->p != '#' && colon && colon > line->p && colon + 1 < line->p + n)
			return true;
	}
	return false;
}

int password_check(const char *path, struct error *e)
{
	char text[FILE_MAX];
	const char *at = text;
	struct slice line;
	ssize_t n = read_file(path, text, e);

	if (n < 0)
		return -1;
	bool found = next_line(&at, &line);

	explicit_bzero(text, sizeof text);
	return found ? 0 : uwsgi_error_set(e, "it has no line \"name:password\"");
}

/* Each line is compared whole, so that the time says nothing of which one is nearly right. */
bool password_fits(const char *path, struct slice field)
{
	char text[FILE_MAX], said[CREDENTIALS_MAX];
	const char *at = text;
	struct slice line;
	struct error e;
	bool fits = false;
	size_t length;

	if (!credentials_read(field, said, &length))
		return false;
	if (read_file(path, text, &e) < 0) {
		uwsgi_log(UWSGI_ERROR, "cannot read %s: %s; nobody is let in", path, e.text);
		return false;
	}
	while (next_line(&at, &line))
		fits |= is_secret(said, length, line.p, line.n);
	explicit_bzero(text, sizeof text);
	explicit_bzero(said, sizeof said);
	return fits;
}
