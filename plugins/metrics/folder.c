/* SPDX-License-Identifier: MIT */
/* folder.c: metrics-dir: a file for each metric, with its value; and metrics-dir-restore, which begins
 * with what they say.  A reader sees the value before or the one after, never half of it. */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct folder {
	const char *path;
	int fd;      /* -1: it cannot be opened, and that is said */
	bool failed; /* a file could not be written the last time, and that is said */
	size_t count;
	struct {
		bool written;
		long long value;
	} file[];
};

struct folder *folder_new(const struct metrics *all, const char *path)
{
	size_t count = 0;

	while (uwsgi_metrics_next(all, &count))
		;
	struct folder *f = calloc(1, sizeof *f + count * sizeof f->file[0]);

	if (!f)
		return NULL;
	f->path = path;
	f->count = count;
	f->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		uwsgi_log(UWSGI_ERROR, "metrics-dir %s: %s; no files of metrics are written", path,
			  strerror(errno));
	return f;
}

void folder_free(struct folder *f)
{
	if (f && f->fd >= 0)
		close(f->fd);
	free(f);
}

static int write_file(const struct folder *f, const char *name, long long value)
{
	char temporary[256], text[32];
	int n = snprintf(text, sizeof text, "%lld\n", value);

	snprintf(temporary, sizeof temporary, ".%s", name);
	int fd = openat(f->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			0644);
	if (fd < 0)
		return -1;
	bool whole = write(fd, text, (size_t)n) == n;
	int why = errno;

	close(fd);
	errno = why;
	return whole ? renameat(f->fd, temporary, f->fd, name) : -1;
}

/* One that cannot be written, such as a folder of its name, is no reason to leave the others out; nor
 * is it said again because they could. */
void folder_write(struct folder *f, const struct metrics *all)
{
	const struct metric *m;
	bool failed = false;
	size_t i = 0;

	while (f->fd >= 0 && (m = uwsgi_metrics_next(all, &i))) {
		long long value = uwsgi_metric_get(m);

		if (f->file[i - 1].written && f->file[i - 1].value == value)
			continue;
		if (write_file(f, m->name, value)) {
			if (!f->failed && !failed)
				uwsgi_log(UWSGI_WARNING, "metrics-dir %s: cannot write %s: %s",
					  f->path, m->name, strerror(errno));
			failed = true;
			continue;
		}
		f->file[i - 1].written = true;
		f->file[i - 1].value = value;
	}
	f->failed = failed;
}

static bool read_file(const struct folder *f, const char *name, long long *value)
{
	char text[64];
	int fd = openat(f->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	char *end;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	*value = strtoll(text, &end, 10);
	return end > text;
}

void folder_restore(const struct folder *f, const struct metrics *all,
		    bool (*lasts)(const void *data, const struct metric *), const void *data)
{
	const struct metric *m;
	size_t i = 0;
	long long value;

	while (f->fd >= 0 && (m = uwsgi_metrics_next(all, &i)))
		if (m->type != METRIC_ALIAS && lasts(data, m) &&
		    uwsgi_metric_get(m) == m->initial && read_file(f, m->name, &value))
			uwsgi_metric_set(m, value);
}
