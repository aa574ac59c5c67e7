/* SPDX-License-Identifier: MIT */
/* fifo.c: reads orders from a FIFO, a letter each.  One FIFO of those that are named is there at a time, so
 * that a digit can make room for another server's. */
#include "process/fifo.h"

#include "base/safefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fifo_settings {
	struct option_list paths;
};

#define AT(member) offsetof(struct fifo_settings, member)
static const struct option rows[] = {
	{ .name = "master-fifo",
	  .type = OPT_LIST,
	  .offset = AT(paths),
	  .unit = "FILE",
	  .help = "take orders from this FIFO, a letter each: r reload, q stop, Q stop at once, p pause "
		  "and go on, + and - one worker more or less, C no worker until a client connects, "
		  "l and L open or begin the log file anew, s what runs into the log; a digit "
		  "chooses among several",
	  .example = "/run/shop/orders.fifo",
	  .differs = "anything else at this path is not removed" },
};
#undef AT

static void check(const struct config *cfg, struct report *report)
{
	const struct fifo_settings *s = uwsgi_options(cfg, &fifo_options);
	const struct fifo *none = NULL;

	size_t most = sizeof none->paths / sizeof *none->paths;

	if (s->paths.count > most)
		uwsgi_config_doubt_item(
			cfg, report, UWSGI_WARNING, "master-fifo", s->paths.items[most],
			"there are more than 10: a digit can only choose the first ones");
}

const struct option_table fifo_options = {
	.module = "orders",
	.size = sizeof(struct fifo_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

/* ---- letters ---- */

static const struct {
	char letter;
	enum fifo_order order;
} letters[] = {
	{ 'r', FIFO_RELOAD },     { 'R', FIFO_RELOAD },       { 'w', FIFO_RELOAD },
	{ 'W', FIFO_RELOAD },     { 'c', FIFO_CHAIN_RELOAD }, { 'q', FIFO_STOP },
	{ 'Q', FIFO_STOP_NOW },   { '+', FIFO_MORE },         { '-', FIFO_FEWER },
	{ 'C', FIFO_SLEEP },      { 'p', FIFO_PAUSE },        { 'l', FIFO_REOPEN_LOG },
	{ 'L', FIFO_ROTATE_LOG }, { 's', FIFO_STATUS },       { 'P', FIFO_PIDFILES },
	{ 'B', FIFO_ELSEWHERE },  { 'E', FIFO_ELSEWHERE },    { 'f', FIFO_ELSEWHERE },
	{ 'S', FIFO_ELSEWHERE },
};

static int find_order(char letter)
{
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
		if (letters[i].letter == letter)
			return (int)letters[i].order;
	return -1;
}

/* ---- opening ---- */

static void close_fifo(struct fifo *f)
{
	if (f->watch.io.fd < 0)
		return;
	watch_stop(&f->watch, f->loop);
	close(f->watch.io.fd);
	f->watch.io.fd = -1;
}

static void on_readable(struct watch *);

/* The path of the one before stays: another server may have it by now. */
static void open_fifo(struct fifo *f, size_t which)
{
	struct error e;
	int fd;

	close_fifo(f);
	f->active = which;
	fd = safefile_make_fifo(f->paths[which], &e);
	if (fd < 0) {
		uwsgi_log(UWSGI_ERROR, "no orders are taken from %s: %s", f->paths[which], e.text);
		return;
	}
	watch_init(&f->watch, fd, EV_READ, on_readable, f);
	watch_start(&f->watch, f->loop);
	uwsgi_log(UWSGI_NOTE, "orders are taken from %s", f->paths[which]);
}

/* ---- reading ---- */

static void obey(struct fifo *f, char letter)
{
	size_t slot = (size_t)(letter - '0');
	int order = find_order(letter);
	struct cause cause = { .ticket = 0 };
	char shown[8];

	if (strchr(" \t\r\n", letter))
		return;
	uwsgi_escape(shown, sizeof shown, (struct slice){ &letter, 1 });
	snprintf(cause.text, sizeof cause.text, "\"%s\" from %.200s", shown, f->paths[f->active]);
	if (letter >= '0' && letter <= '9' && slot < f->count)
		open_fifo(f, slot);
	else if (order >= 0)
		f->ordered(f->data, (enum fifo_order)order, &cause);
	else
		uwsgi_log(UWSGI_WARNING, "%s: there is no such order", cause.text);
}

/* What the rest says behind a digit was written to the FIFO before. */
static void on_readable(struct watch *w)
{
	struct fifo *f = w->data;
	char said[64];
	ssize_t n = read(w->io.fd, said, sizeof said);

	for (ssize_t i = 0; i < n && f->count > 0; i++)
		if (said[i])
			obey(f, said[i]);
}

/* ---- life ---- */

void fifo_init(struct fifo *f, struct ev_loop *loop)
{
	*f = (struct fifo){ .loop = loop };
	f->watch.io.fd = -1;
}

static void forget_paths(struct fifo *f)
{
	while (f->count > 0)
		free(f->paths[--f->count]);
}

/* Where it is open, that one of the new paths; 0: none of them. */
static size_t find_active(const struct fifo *f, const char *path)
{
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->paths[i], path))
			return i;
	return 0;
}

/* Where another server's is there, it is to stay. */
static bool is_missing(const char *path)
{
	return access(path, F_OK) && errno == ENOENT;
}

void fifo_use(struct fifo *f, const struct config *cfg)
{
	const struct fifo_settings *s = cfg ? uwsgi_options(cfg, &fifo_options) : NULL;
	char *before = f->watch.io.fd >= 0 ? strdup(f->paths[f->active]) : NULL;

	forget_paths(f);
	for (size_t i = 0; s && i < s->paths.count && i < sizeof f->paths / sizeof *f->paths; i++) {
		f->paths[f->count] = strdup(s->paths.items[i]);
		if (f->paths[f->count])
			f->count++;
	}
	f->active = before ? find_active(f, before) : 0;
	if (!f->count)
		close_fifo(f);
	else if (!before || strcmp(before, f->paths[f->active]) || is_missing(before))
		open_fifo(f, f->active);
	free(before);
}

void fifo_carry(struct fifo *f, struct carry *c)
{
	char *path = f->count ? f->paths[f->active] : NULL;
	size_t n = path ? strlen(path) : 0;
	int fd = f->watch.io.fd;

	carry_bytes(c, &path, &n, 1 << 16);
	carry_fd(c, &fd);
	if (!c->reading)
		return;
	if (path)
		f->paths[f->count++] = path;
	watch_init(&f->watch, fd, EV_READ, on_readable, f);
	if (fd >= 0 && path && !c->rehearsal)
		watch_start(&f->watch, f->loop);
}

void fifo_enter_child(struct fifo *f)
{
	if (f->watch.io.fd >= 0)
		close(f->watch.io.fd);
}

void fifo_fini(struct fifo *f)
{
	close_fifo(f);
	forget_paths(f);
}
