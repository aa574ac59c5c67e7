/* SPDX-License-Identifier: MIT */
/* file.c: stats-push = file:FILE or file:path=FILE,…: the JSON of stats, behind what the file has. */
#include "push.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct target {
	const struct push_source *source;
	char *path, *separator; /* owned */
	bool failed;            /* and that is said */
};

struct wish {
	struct slice path, separator;
	long long every_s; /* 0: as the others */
};

static int parse(struct wish *w, const char *text, struct error *e)
{
	struct slice key, value;

	*w = (struct wish){ .path = SLICE("uwsgi.stats"), .separator = SLICE("\n\n") };
	while (keyval_next(&text, &key, &value)) {
		if (!value.p)
			w->path = key;
		else if (keyval_is(key, "path"))
			w->path = value;
		else if (keyval_is(key, "separator"))
			w->separator = value;
		else if (!keyval_is(key, "freq"))
			return uwsgi_error_set(e,
					       "unknown key \"%.*s\": expected path, freq or "
					       "separator",
					       (int)key.n, key.p);
		else if (!keyval_number(value, &w->every_s) || w->every_s < 1)
			return uwsgi_error_set(e, "freq: \"%.*s\" is no number of seconds",
					       (int)value.n, value.p);
	}
	return w->path.n ? 0 : uwsgi_error_set(e, "path= names no file");
}

static int valid(const char *argument, struct error *e)
{
	struct wish w;

	return parse(&w, argument, e);
}

static void close_it(void *state)
{
	struct target *t = state;

	free(t->path);
	free(t->separator);
	free(t);
}

static void *open_it(const struct push_source *source, const char *argument, long long *every_s)
{
	struct target *t = calloc(1, sizeof *t);
	struct error e;
	struct wish w;

	parse(&w, argument, &e);
	if (!t)
		return NULL;
	t->source = source;
	t->path = strndup(w.path.p, w.path.n);
	t->separator = strndup(w.separator.n ? w.separator.p : "", w.separator.n);
	if (w.every_s)
		*every_s = w.every_s;
	if (t->path && t->separator)
		return t;
	close_it(t);
	return NULL;
}

/* One write, so that whoever else appends to the file gets in between two reports, not into one. */
static bool append(const char *path, const char *text, size_t n)
{
	int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
	bool whole = fd >= 0 && write(fd, text, n) == (ssize_t)n;
	int why = errno;

	if (fd >= 0)
		close(fd);
	errno = why;
	return whole;
}

static void push(void *state)
{
	struct target *t = state;
	char *report = report_text(&t->source->form, t->source->status), *text = NULL;
	int n = report ? asprintf(&text, "%s%s", report, t->separator) : -1;

	free(report);
	if (n < 0)
		return;
	bool whole = append(t->path, text, (size_t)n);
	if (!whole && !t->failed)
		uwsgi_log(UWSGI_WARNING, "stats-push file:path=%s: %s", t->path, strerror(errno));
	t->failed = !whole;
	free(text);
}

const struct push_kind push_file = { "file", valid, open_it, push, close_it };
