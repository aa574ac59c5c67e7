/* SPDX-License-Identifier: MIT */
/* logpipe.c: moves lines from the pipe and of the master itself to the log file, and begins a new
 * file where one ends.  The master never waits for the log: when a terminal or a pipe takes no
 * more, lines wait here, then in the pipe, and then their writers do.  What does not fit here, or
 * on a full disk, is lost and counted.  It neither opens files nor reads lines. */
#include "log/logpipe.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PIPE_SIZE = 1 << 20,
	STREAM_MAX = 1 << 17, /* the escapes of so much still fit into a text */
	OWN_BUFFER = 1 << 16, /* so that a file gets any line of the master's in one piece */
	OWN_MAX = 1 << 20,
	PORTIONS_A_TURN = 32,
	OWN_WAITS = 8,
	LAST_WAIT_MS = 1000,
	LAST_TURNS = 512, /* for a full pipe into one that takes a page at a time */
};

/* A busy server writes many lines: to wake up for each would cost the workers a processor. */
#define PAUSE_S .002

/* ---- one portion ---- */

/* What of the buffer may go out: not the beginning of a line whose rest will be here soon. */
static size_t whole_lines(const struct logpipe *p)
{
	const char *begin = p->buffer + p->begin;
	size_t n = p->end - p->begin;
	const char *newline = p->cut ? memrchr(begin, '\n', n) : NULL;

	if (newline)
		return (size_t)(newline - begin) + 1;
	return p->cut && n < p->size ? 0 : n;
}

/* What of the buffer goes out with the next write: whole lines, where that is possible. */
static size_t portion(const struct logpipe *p, const struct stat *out)
{
	const char *begin = p->buffer + p->begin;
	size_t n = whole_lines(p);
	const char *newline = NULL;

	if (S_ISSOCK(out->st_mode)) {
		newline = memchr(begin, '\n', n); /* a datagram for each line */
	} else if (!S_ISREG(out->st_mode)) {
		/* A pipe that can be written to takes this much without making us wait. */
		if (n > PIPE_BUF)
			newline = memrchr(begin, '\n', n = PIPE_BUF);
	} else if (p->file->full_at && (int64_t)n > p->file->full_at - out->st_size) {
		int64_t left = p->file->full_at - out->st_size;

		newline = left > 0 ? memrchr(begin, '\n', (size_t)left) : NULL;
		if (!newline)
			newline = memchr(begin, '\n', n);
	}
	return newline ? (size_t)(newline - begin) + 1 : n;
}

/* Its first line would not fit into the file, which is not empty. */
static bool must_rotate(const struct logpipe *p, const struct stat *out, size_t n)
{
	return S_ISREG(out->st_mode) && *p->file->path && p->file->full_at && out->st_size > 0 &&
	       !p->inside_line && out->st_size + (int64_t)n > p->file->full_at;
}

static bool takes_more(int wait_ms)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&fd, 1, wait_ms) > 0;
}

/* write() to standard error that does not wait: EAGAIN. */
static ssize_t put(struct logpipe *p, const struct stat *out, const char *text, size_t n)
{
	if (S_ISSOCK(out->st_mode))
		return send(STDERR_FILENO, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	int fd = logfile_descriptor(p->file, out);

	if (fd == STDERR_FILENO && !S_ISREG(out->st_mode) && !takes_more(0)) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, text, n);
}

static void lose(struct logpipe *p, size_t n, int why)
{
	p->lost += n;
	p->why_lost = why;
	p->begin += n;
	p->broken = p->inside_line;
}

static void tell_loss(struct logpipe *p)
{
	uint64_t lost = p->lost;

	p->lost = 0;
	uwsgi_log(UWSGI_ERROR, "%llu bytes of the log are lost here: %s", (unsigned long long)lost,
		  p->why_lost == EAGAIN ? "nobody read it for too long" : strerror(p->why_lost));
}

/* A line that broke off where the disk was full is ended before the next one begins. */
static ssize_t write_portion(struct logpipe *p, const struct stat *out, size_t n)
{
	if (p->broken) {
		if (put(p, out, "\n", 1) != 1)
			return -1;
		p->broken = p->inside_line = false;
	}
	return put(p, out, p->buffer + p->begin, n);
}

/* False: the log takes no more for now. */
static bool write_some(struct logpipe *p)
{
	struct stat out;

	if (fstat(STDERR_FILENO, &out)) {
		lose(p, p->end - p->begin, errno);
		return true;
	}
	size_t n = portion(p, &out);
	if (must_rotate(p, &out, n)) {
		logfile_rotate(p->file);
		return true;
	}
	ssize_t written = write_portion(p, &out, n);
	if (written < 0 && errno == EAGAIN)
		return false;
	if (written < 0 && errno == EINTR)
		return true;
	if (written <= 0) {
		lose(p, n, errno);
		return true;
	}
	p->inside_line = p->buffer[p->begin + (size_t)written - 1] != '\n';
	p->begin += (size_t)written;
	if (p->lost && !p->inside_line && p->own.n <= OWN_MAX / 2)
		tell_loss(p);
	return true;
}

/* ---- through the stream ---- */

/* Returns how much of it were lines. */
static size_t stream_lines(struct logpipe *p, const char *text, size_t n)
{
	const char *at = text, *newline;

	while ((newline = memchr(at, '\n', n - (size_t)(at - text)))) {
		logstream_line(p->stream, (struct slice){ at, (size_t)(newline + 1 - at) },
			       &p->passed);
		at = newline + 1;
	}
	return (size_t)(at - text);
}

static void stream_unsplit(struct logpipe *p)
{
	size_t taken = stream_lines(p, p->unsplit, p->unsplit_n);

	p->unsplit_n -= taken;
	memmove(p->unsplit, p->unsplit + taken, p->unsplit_n);
	if (p->unsplit_n < p->capacity)
		return;
	/* A line that is longer than all that can wait for its end. */
	logstream_line(p->stream, (struct slice){ p->unsplit, p->unsplit_n }, &p->passed);
	p->unsplit_n = 0;
}

/* What is left for standard error is what will be written. */
static void take_passed(struct logpipe *p)
{
	size_t n = p->passed.n;

	p->passed.n = 0;
	p->begin = p->end = 0;
	p->cut = false;
	if (n > p->size) {
		char *grown = realloc(p->buffer, n);

		p->lost += grown ? 0 : n;
		p->why_lost = ENOMEM;
		if (!grown)
			return;
		p->buffer = grown;
		p->size = n;
	}
	if (n)
		memcpy(p->buffer, p->passed.p, n);
	p->end = n;
}

/* ---- what comes ---- */

static bool has_pipe(const struct logpipe *p)
{
	return p->ends[0] >= 0;
}

static bool fill_from_own(struct logpipe *p)
{
	size_t n = p->own.n;
	const char *newline = NULL;

	if (n == 0)
		return false;
	if (n > p->size)
		newline = memrchr(p->own.p, '\n', n = p->size);
	if (newline)
		n = (size_t)(newline - p->own.p) + 1;
	p->own_waits = 0;
	p->cut = false;
	if (p->stream) {
		/* Taken out first: loggers and routes may have something to say themselves. */
		struct text lines = p->own;

		p->own = (struct text){ 0 };
		stream_lines(p, lines.p, lines.n);
		free(lines.p);
		take_passed(p);
		return true;
	}
	memcpy(p->buffer, p->own.p, n);
	memmove(p->own.p, p->own.p + n, p->own.n - n);
	p->own.n -= n;
	p->end = n;
	return true;
}

static ssize_t read_into(struct logpipe *p, char *at, size_t room)
{
	ssize_t n;

	if (!has_pipe(p))
		return 0;
	do
		n = read(p->ends[0], at, room);
	while (n < 0 && errno == EINTR);
	if (n > 0 && p->own.n)
		p->own_waits++;
	return n;
}

/* Behind what is left in the buffer.  What the master says stands behind what the others have
 * said before. */
static bool fill(struct logpipe *p)
{
	ssize_t n;

	memmove(p->buffer, p->buffer + p->begin, p->end - p->begin);
	p->end -= p->begin;
	p->begin = 0;
	if (p->end == 0 && p->own_waits >= OWN_WAITS && fill_from_own(p))
		return true;
	if (p->stream) {
		n = read_into(p, p->unsplit + p->unsplit_n, p->capacity - p->unsplit_n);
		if (n <= 0)
			return fill_from_own(p);
		p->unsplit_n += (size_t)n;
		stream_unsplit(p);
		take_passed(p);
		return true;
	}
	n = read_into(p, p->buffer + p->end, p->size - p->end);
	if (n <= 0) {
		p->cut = false;
		return p->end > 0 || fill_from_own(p);
	}
	p->end += (size_t)n;
	p->cut = p->end == p->size;
	return true;
}

/* What is watched next: the log, when it takes no more, or the pipe. */
static void watch(struct logpipe *p, bool blocked, bool moved)
{
	ev_io_stop(p->loop, &p->readable);
	ev_io_stop(p->loop, &p->writable);
	ev_timer_stop(p->loop, &p->pause);
	if (blocked) {
		ev_io_start(p->loop, &p->writable);
	} else if (moved && (has_pipe(p) || p->own.n || p->begin < p->end)) {
		ev_timer_set(&p->pause, PAUSE_S, 0.);
		ev_timer_start(p->loop, &p->pause);
	} else if (has_pipe(p)) {
		ev_io_start(p->loop, &p->readable);
	}
}

/* True: there may be more to move. */
static bool work(struct logpipe *p)
{
	bool blocked = false, moved = false;

	p->writing = true;
	for (int i = 0; !blocked && i < PORTIONS_A_TURN; i++) {
		if (whole_lines(p) == 0 && !fill(p))
			break;
		moved = true;
		while (!blocked && whole_lines(p) > 0)
			blocked = !write_some(p);
	}
	p->writing = false;
	watch(p, blocked, moved);
	return moved && !blocked;
}

/* Whatever it is: EV_ERROR, too, ends with both watchers as they should be. */
static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	work(w->data);
}

static void on_pause_over(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	work(w->data);
}

/* A line of the master's own.  Once one did not fit, none does until that is told in its place. */
static void say(void *data, const char *text, size_t n)
{
	struct logpipe *p = data;
	bool full = p->lost && p->why_lost == EAGAIN;

	if (full || p->own.n + n > OWN_MAX) {
		p->lost += n;
		p->why_lost = EAGAIN;
		return;
	}
	p->own.failed = false;
	text_add(&p->own, (struct slice){ text, n });
	if (!p->writing && !ev_is_active(&p->writable))
		work(p);
}

/* ---- life ---- */

int logpipe_open(struct logpipe *p, struct ev_loop *loop, struct logfile *file, struct error *e)
{
	char *buffer = malloc(OWN_BUFFER);

	if (!buffer)
		return uwsgi_error_set(e, "log: out of memory");
	*p = (struct logpipe){ .loop = loop,
			       .file = file,
			       .ends = { -1, -1 },
			       .buffer = buffer,
			       .size = OWN_BUFFER,
			       .capacity = OWN_BUFFER };
	ev_init(&p->readable, on_io);
	ev_io_init(&p->writable, on_io, STDERR_FILENO, EV_WRITE);
	ev_timer_init(&p->pause, on_pause_over, 0., 0.);
	p->readable.data = p->writable.data = p->pause.data = p;
	return 0;
}

int logpipe_open_pipe(struct logpipe *p, size_t capacity, struct error *e)
{
	size_t size = p->end > capacity ? p->end : capacity;

	if (has_pipe(p))
		return 0;
	char *buffer = realloc(p->buffer, size);
	if (!buffer)
		return uwsgi_error_set(e, "log-master: out of memory");
	p->buffer = buffer;
	p->size = size;
	p->capacity = size < STREAM_MAX ? size : STREAM_MAX;
	if (pipe2(p->ends, O_CLOEXEC)) {
		p->ends[0] = p->ends[1] = -1;
		return uwsgi_error_set(e, "log-master: cannot make a pipe: %s", strerror(errno));
	}
	/* Workers that are somebody else than the master may open /dev/stderr. */
	if (geteuid() == 0 && fchown(p->ends[1], p->file->uid, p->file->gid))
		uwsgi_log(UWSGI_NOTE, "log-master: %s", strerror(errno));
	fcntl(p->ends[0], F_SETFL, O_NONBLOCK);
	fcntl(p->ends[1], F_SETPIPE_SZ, PIPE_SIZE); /* as much as the system allows */
	ev_io_set(&p->readable, p->ends[0], EV_READ);
	if (!ev_is_active(&p->writable))
		ev_io_start(p->loop, &p->readable);
	return 0;
}

void logpipe_take_own(struct logpipe *p)
{
	log_set_writer(say, p);
}

void logpipe_use(struct logpipe *p, struct logstream *stream)
{
	if (!p->buffer)
		return;
	logpipe_drain(p);
	p->cut = false;
	p->unsplit_n = 0;
	if (stream && !p->unsplit)
		p->unsplit = malloc(p->capacity);
	p->stream = p->unsplit ? stream : NULL;
}

void logpipe_enter_child_for_requests(struct logpipe *p)
{
	if (!p->buffer || !has_pipe(p))
		return;
	log_set_request_fd(p->ends[1]);
	close(p->ends[0]);
}

void logpipe_enter_child(struct logpipe *p)
{
	if (!p->buffer)
		return;
	log_set_writer(NULL, NULL);
	logfile_enter_child(p->file);
	if (!has_pipe(p))
		return;
	dup2(p->ends[1], STDOUT_FILENO);
	dup2(p->ends[1], STDERR_FILENO);
	close(p->ends[0]);
	close(p->ends[1]);
}

void logpipe_drain(struct logpipe *p)
{
	if (p->buffer && !p->writing && !ev_is_active(&p->writable))
		work(p);
}

/* As much as the log takes. */
static void write_rest(struct logpipe *p)
{
	for (int i = 0; i < LAST_TURNS; i++)
		if (!work(p) && ((p->begin == p->end && !p->own.n) || !takes_more(LAST_WAIT_MS)))
			return;
}

void logpipe_close(struct logpipe *p)
{
	if (!p->buffer)
		return;
	write_rest(p);
	if (p->unsplit_n && p->begin == p->end) {
		logstream_line(p->stream, (struct slice){ p->unsplit, p->unsplit_n }, &p->passed);
		take_passed(p);
		write_rest(p);
	}
	log_set_writer(NULL, NULL);
	ev_io_stop(p->loop, &p->readable);
	ev_io_stop(p->loop, &p->writable);
	ev_timer_stop(p->loop, &p->pause);
	if (has_pipe(p)) {
		close(p->ends[0]);
		close(p->ends[1]);
	}
	free(p->buffer);
	free(p->own.p);
	free(p->unsplit);
	free(p->passed.p);
	*p = (struct logpipe){ 0 };
}
