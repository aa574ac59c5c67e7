/* SPDX-License-Identifier: MIT */
/* logpipe.c: moves lines from the pipe and of the master itself to the log, and never makes the
 * master wait: what standard error does not take waits here, then in the pipe, and then the writers
 * do.  What does not fit here, or on a full disk, is lost and counted.
 *
 * The way of a line.  The application prints it to standard error, the server says it with
 * uwsgi_log() (log.c), a lane writes that of a request (requestlog.c, logformat.c).  Standard error
 * is what the server was started with, or a file in its place (logfile.c), and there the way ends,
 * unless options ask for more (logging.c): then the standard error of every process but the master
 * is a pipe, and log.c gives the master's lines to say() here.  work() takes portions out of the
 * pipe and what was said (fill), hands their lines to the sinks (sink.c), which send each to its
 * loggers, and writes what they pass on, or all where there are none, to standard error
 * (write_some), with a new file where one is full.  The lines of requests have a second pipe with
 * sinks of its own if there is a req-logger.  logmaster.c opens all of it, again after a reload. */
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
	PORTION_MAX = 1 << 17, /* with all its escapes it fits into a text */
	OWN_MAX = 1 << 20,
	PORTIONS_A_TURN = 32,
	OWN_WAITS = 8,
	LAST_WAIT_MS = 1000,
	LAST_TURNS = 512, /* for a full pipe into one that takes a page at a time */
};

/* A busy server writes many lines: to wake up for each would cost the workers a processor. */
#define PAUSE_S .002

static bool is_open(const struct logpipe *p)
{
	return p->loop != NULL;
}

static bool has_pipe(const struct logpipe *p)
{
	return p->ends[0] >= 0;
}

/* ---- what comes ---- */

/* The next line of `n` bytes, with its newline; the last may have none.  *at begins as 0. */
static bool next_line(const char *text, size_t n, size_t *at, struct slice *line)
{
	if (*at >= n)
		return false;
	const char *start = text + *at, *newline = memchr(start, '\n', n - *at);

	*line = (struct slice){ start, newline ? (size_t)(newline - start) + 1 : n - *at };
	*at += line->n;
	return true;
}

/* Through the sinks, if there are any, into what is written next. */
static void pass(struct logpipe *p, const char *text, size_t n)
{
	struct slice line;

	if (!p->sinks)
		text_add(&p->out, (struct slice){ text, n });
	for (size_t at = 0; p->sinks && next_line(text, n, &at, &line);)
		sinks_write(p->sinks, line, &p->out);
	if (p->out.failed) {
		p->lost += n;
		p->why_lost = ENOMEM;
	}
}

/* A line that is longer than all that can wait for its end is seen in parts. */
static void show(const struct logpipe *p, const char *text, size_t n)
{
	struct slice line;

	for (size_t at = 0; p->seen && next_line(text, n, &at, &line);)
		p->seen(p->seen_data, line);
}

static void pass_in(struct logpipe *p, size_t n)
{
	show(p, p->in, n);
	pass(p, p->in, n);
	p->in_n -= n;
	if (p->in_n > 0)
		memmove(p->in, p->in + n, p->in_n);
}

/* False: there is none. */
static bool pass_own(struct logpipe *p)
{
	struct text lines = p->own;
	size_t n = lines.n < PORTION_MAX ? lines.n : PORTION_MAX;

	if (n == 0)
		return false;
	while (lines.p[n - 1] != '\n')
		n++;
	/* The sinks may have something to say themselves, behind what is left. */
	p->own = (struct text){ 0 };
	p->own_waits = 0;
	pass(p, lines.p, n);
	lines.n -= n;
	memmove(lines.p, lines.p + n, lines.n);
	text_add(&lines, (struct slice){ p->own.p, p->own.n });
	free(p->own.p);
	p->own = lines;
	return true;
}

static ssize_t read_pipe(struct logpipe *p)
{
	ssize_t n;

	if (!has_pipe(p))
		return 0;
	n = TEMP_FAILURE_RETRY(read(p->ends[0], p->in + p->in_n, p->in_size - p->in_n));
	if (n > 0 && p->own.n)
		p->own_waits++;
	return n;
}

/* The next portion, when all of the last is written; false: there is nothing.  What the master says
 * stands behind what the others have said before. */
static bool fill(struct logpipe *p)
{
	p->out.n = p->written = 0;
	p->out.failed = false;
	if (p->own_waits >= OWN_WAITS && pass_own(p))
		return true;
	ssize_t n = read_pipe(p);
	if (n > 0) {
		p->in_n += (size_t)n;
		const char *newline = memrchr(p->in, '\n', p->in_n);
		if (newline)
			pass_in(p, (size_t)(newline - p->in) + 1);
		else if (p->in_n == p->in_size)
			pass_in(p, p->in_n); /* longer than all that can wait for its end */
		return true;
	}
	/* Nobody knows when the rest of a line will come; sinks need it. */
	if (p->in_n == 0 || p->sinks)
		return pass_own(p);
	pass_in(p, p->in_n);
	return true;
}

/* ---- one write ---- */

/* How many bytes go out with it: whole lines, where that is possible. */
static size_t portion(const struct logpipe *p, const struct stat *out)
{
	const char *begin = p->out.p + p->written;
	size_t n = p->out.n - p->written;
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
	p->written += n;
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
	return put(p, out, p->out.p + p->written, n);
}

/* False: the log takes no more for now. */
static bool write_some(struct logpipe *p)
{
	struct stat out;

	if (fstat(STDERR_FILENO, &out)) {
		lose(p, p->out.n - p->written, errno);
		return true;
	}
	size_t n = portion(p, &out);
	if (*p->file->path && !p->inside_line && logfile_is_full(p->file, &out, n)) {
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
	p->inside_line = p->out.p[p->written + (size_t)written - 1] != '\n';
	p->written += (size_t)written;
	if (p->lost && !p->inside_line && p->own.n <= OWN_MAX / 2)
		tell_loss(p);
	return true;
}

/* What to wait for: room in the log when it is full, else lines in the pipe. */
static void watch(struct logpipe *p, bool blocked, bool moved)
{
	ev_io_stop(p->loop, &p->readable);
	ev_io_stop(p->loop, &p->writable);
	ev_timer_stop(p->loop, &p->pause);
	if (blocked) {
		ev_io_start(p->loop, &p->writable);
	} else if (moved && (has_pipe(p) || p->own.n || p->written < p->out.n)) {
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

	if (p->carried)
		return false;
	p->working = true;
	for (int i = 0; !blocked && i < PORTIONS_A_TURN; i++) {
		if (p->written == p->out.n && !fill(p))
			break;
		moved = true;
		while (!blocked && p->written < p->out.n)
			blocked = !write_some(p);
	}
	p->working = false;
	watch(p, blocked, moved);
	return moved && !blocked;
}

/* On EV_ERROR, too: work() sets both watchers right. */
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

/* A line of the master's own.  After one that did not fit all are lost, until the log says so: what
 * is missing is missing in one place. */
static void say(void *data, const char *text, size_t n)
{
	struct logpipe *p = data;
	bool full = p->lost && p->why_lost == EAGAIN;

	if (p->seen)
		p->seen(p->seen_data, (struct slice){ text, n });
	if (full || p->own.n + n > OWN_MAX) {
		p->lost += n;
		p->why_lost = EAGAIN;
		return;
	}
	p->own.failed = false;
	text_add(&p->own, (struct slice){ text, n });
	if (!p->working && !ev_is_active(&p->writable))
		work(p);
}

/* ---- life ---- */

void logpipe_carry(struct logpipe *p, struct carry *c)
{
	struct text in = { .p = p->in, .n = p->in_n };

	if (!c->reading && !is_open(p))
		p->ends[0] = p->ends[1] = -1;
	carry_fd(c, &p->ends[0]);
	carry_fd(c, &p->ends[1]);
	text_carry(&in, 0, c);
	text_carry(&p->own, 0, c);
	text_carry(&p->out, p->written, c);
	carry_bool(c, &p->inside_line);
	carry_bool(c, &p->broken);
	carry_u64(c, &p->lost);
	carry_int(c, &p->why_lost, 0, INT32_MAX);
	if (!c->reading)
		return;
	p->in = in.p;
	p->in_n = in.n;
	p->carried = true;
}

void logpipe_open(struct logpipe *p, struct ev_loop *loop, struct logfile *file)
{
	if (!p->carried)
		*p = (struct logpipe){ .ends = { -1, -1 } };
	p->loop = loop;
	p->file = file;
	ev_init(&p->readable, on_io);
	ev_io_init(&p->writable, on_io, STDERR_FILENO, EV_WRITE);
	ev_timer_init(&p->pause, on_pause_over, 0., 0.);
	p->readable.data = p->writable.data = p->pause.data = p;
}

/* With room for what was carried. */
static bool make_room(struct logpipe *p, size_t portion)
{
	p->in_size = portion < PORTION_MAX ? portion : PORTION_MAX;
	if (p->in_size <= p->in_n)
		p->in_size = PORTION_MAX;
	char *in = p->in_n < p->in_size ? realloc(p->in, p->in_size) : NULL;

	if (in)
		p->in = in;
	return in != NULL;
}

static void watch_pipe(struct logpipe *p)
{
	ev_io_set(&p->readable, p->ends[0], EV_READ);
	if (!ev_is_active(&p->writable))
		ev_io_start(p->loop, &p->readable);
}

int logpipe_open_pipe(struct logpipe *p, size_t portion, struct error *e)
{
	if (has_pipe(p) && !p->carried)
		return 0;
	if (!make_room(p, portion))
		return uwsgi_error_set(e, "log-master: out of memory");
	if (has_pipe(p)) {
		watch_pipe(p);
		return 0;
	}
	if (pipe2(p->ends, O_CLOEXEC)) {
		p->ends[0] = p->ends[1] = -1;
		return uwsgi_error_set(e, "log-master: cannot make a pipe: %s", strerror(errno));
	}
	/* Workers that are somebody else than the master may open /dev/stderr. */
	if (geteuid() == 0 && fchown(p->ends[1], p->file->uid, p->file->gid))
		uwsgi_log(UWSGI_NOTE, "log-master: %s", strerror(errno));
	fcntl(p->ends[0], F_SETFL, O_NONBLOCK);
	fcntl(p->ends[1], F_SETPIPE_SZ, PIPE_SIZE); /* as much as the system allows */
	watch_pipe(p);
	return 0;
}

void logpipe_take_own(struct logpipe *p)
{
	log_set_writer(say, p);
}

void logpipe_use(struct logpipe *p, struct sinks *sinks)
{
	bool carried = p->carried;

	logpipe_drain(p);
	p->carried = false;
	p->sinks = sinks;
	if (carried)
		logpipe_drain(p);
}

void logpipe_show(struct logpipe *p, void (*seen)(void *data, struct slice line), void *data)
{
	p->seen = seen;
	p->seen_data = data;
}

void logpipe_enter_child_for_requests(struct logpipe *p)
{
	if (!is_open(p) || !has_pipe(p))
		return;
	log_set_request_fd(p->ends[1]);
	close(p->ends[0]);
}

void logpipe_enter_child(struct logpipe *p)
{
	if (!is_open(p))
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
	if (is_open(p) && !p->working && !ev_is_active(&p->writable))
		work(p);
}

/* As much as the log takes. */
static void write_rest(struct logpipe *p)
{
	for (int i = 0; i < LAST_TURNS; i++)
		if (!work(p) &&
		    ((p->written == p->out.n && !p->own.n) || !takes_more(LAST_WAIT_MS)))
			return;
}

void logpipe_close(struct logpipe *p)
{
	if (!is_open(p))
		return;
	write_rest(p);
	if (p->in_n && p->written == p->out.n) {
		p->working = true;
		pass_in(p, p->in_n); /* without its newline */
		p->working = false;
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
	free(p->in);
	free(p->own.p);
	free(p->out.p);
	*p = (struct logpipe){ 0 };
}
