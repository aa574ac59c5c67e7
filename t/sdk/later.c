/* SPDX-License-Identifier: MIT */
/* later.c: an application outside the tree that runs its requests side by side on the lane's libev
 * loop: it answers from timers and other threads, and streams both ways no faster than its client.
 *     /hello          at once                 /sleep?MS     from a timer
 *     /meet?N         when N of them wait     /pid          the worker's
 *     /thread         from another thread     /stream?N     N blocks of 64 KiB, as they are taken
 *     /echo           the body, as it comes   /first        at once, whatever the body is
 *     /hang           never                   /spin?MS      the loop stands still so long
 *     /detach         takes the connection, says what the client has said behind its request, closes
 *     /ever           a line in each tenth of a second, until the server leaves */
#define _GNU_SOURCE
#include <uwsgi/plugin.h>

#include <ev.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 65536, HIGH = 262144 };

struct settings {
	bool on;
	long long startup_ms;
};

static const struct option rows[] = {
	{ .name = "later",
	  .type = OPT_FLAG,
	  .offset = offsetof(struct settings, on),
	  .help = "answer every request later" },
	{ .name = "later-startup-ms",
	  .type = OPT_INT,
	  .offset = offsetof(struct settings, startup_ms),
	  .max = 100000,
	  .initial = "0",
	  .help = "how long a lane takes to start; 99999: it fails" },
};

static const struct option_table options = {
	.module = "later",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

static const struct settings *settings;
static char block[BLOCK];

struct lane {
	struct ev_loop *loop;
	const struct drive *drive;
	ev_timer startup;
	ev_async woken;
	pthread_mutex_t lock;
	struct task *answered; /* by other threads */
	struct task *waiting;  /* to meet others */
	long long met;
};

/* One request. */
struct task {
	struct lane *lane;
	struct request *rq; /* NULL: the response has ended */
	struct response *rs;
	ev_timer timer;
	struct task *next;
	long long blocks; /* still to be said */
	int64_t at;       /* of the portion, what is said */
	bool echoes, in_thread;
};

static bool wants(const struct config *cfg)
{
	return ((const struct settings *)uwsgi_options(cfg, &options))->on;
}

static int init(const struct config *cfg, const struct worker_info *info, struct error *e)
{
	(void)info, (void)e;
	settings = uwsgi_options(cfg, &options);
	memset(block, 'x', sizeof block);
	return 0;
}

/* ---- answers ---- */

/* The response is over and the other thread, if there is one, done with it. */
static void forget(struct task *t)
{
	ev_timer_stop(t->lane->loop, &t->timer);
	if (!t->in_thread)
		free(t);
	else
		t->rq = NULL;
}

static void start(struct task *t)
{
	uwsgi_response_start(t->rs, SLICE("200 OK"));
	uwsgi_response_header(t->rs, SLICE("Content-Type"), SLICE("text/plain"));
}

static void end(struct task *t)
{
	struct response *rs = t->rs;

	forget(t);
	uwsgi_response_end(rs);
}

static void answer(struct task *t, const char *text)
{
	start(t);
	uwsgi_response_body(t->rs, (struct slice){ text, strlen(text) }, NULL);
	end(t);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop, (void)events;
	answer(w->data, "later\n");
}

static void say_again(struct ev_loop *loop, ev_timer *w, int events)
{
	struct task *t = w->data;
	const struct drive *d = t->lane->drive;

	(void)loop, (void)events;
	uwsgi_response_body(t->rs, SLICE("tick\n"), NULL);
	if (!uwsgi_response_flush(t->rs) || d->leaves(d->data))
		end(t);
}

static void say_for_ever(struct task *t)
{
	start(t);
	ev_timer_init(&t->timer, say_again, 0.1, 0.1);
	t->timer.data = t;
	ev_timer_start(t->lane->loop, &t->timer);
}

static void detach(struct task *t)
{
	char unread[1024];
	size_t n;
	int fd = uwsgi_response_detach(t->rs, unread, sizeof unread, &n);

	if (fd < 0) {
		answer(t, "not possible\n");
		return;
	}
	forget(t);
	if (write(fd, unread, n) != (ssize_t)n)
		uwsgi_log(UWSGI_WARNING, "later: a client takes nothing");
	close(fd);
}

static void answer_in(struct task *t, long long ms)
{
	ev_timer_init(&t->timer, on_timer, (double)ms / 1000, 0.);
	t->timer.data = t;
	ev_now_update(t->lane->loop);
	ev_timer_start(t->lane->loop, &t->timer);
}

/* ---- from another request ---- */

static void meet(struct task *t, long long number)
{
	struct lane *lane = t->lane;

	t->next = lane->waiting;
	lane->waiting = t;
	if (++lane->met < number)
		return;
	t = lane->waiting;
	lane->waiting = NULL;
	lane->met = 0;
	for (struct task *next; t; t = next) {
		next = t->next;
		answer(t, "met\n");
	}
}

/* ---- from another thread ---- */

static void *think(void *data)
{
	struct task *t = data;

	pthread_mutex_lock(&t->lane->lock);
	t->next = t->lane->answered;
	t->lane->answered = t;
	pthread_mutex_unlock(&t->lane->lock);
	ev_async_send(t->lane->loop, &t->lane->woken);
	return NULL;
}

static void begin_to_think(struct task *t)
{
	pthread_t thread;

	t->in_thread = true;
	if (pthread_create(&thread, NULL, think, t) == 0)
		pthread_detach(thread);
}

static void on_woken(struct ev_loop *loop, ev_async *w, int events)
{
	struct lane *lane = w->data;

	(void)loop, (void)events;
	pthread_mutex_lock(&lane->lock);
	struct task *t = lane->answered;
	lane->answered = NULL;
	pthread_mutex_unlock(&lane->lock);
	for (struct task *next; t; t = next) {
		next = t->next;
		t->in_thread = false;
		if (t->rq)
			answer(t, "thread\n");
		else
			free(t);
	}
}

/* ---- streams: no more is said than the client takes ---- */

static void stream(struct task *t)
{
	while (t->blocks > 0 && uwsgi_response_unsent(t->rs) < HIGH) {
		t->blocks--;
		uwsgi_response_body(t->rs, (struct slice){ block, BLOCK }, NULL);
		if (!uwsgi_response_flush(t->rs))
			t->blocks = 0;
	}
	if (t->blocks == 0)
		end(t);
}

/* A copy is lent, since the request's own bytes are gone before they are sent. */
static void give_back(struct task *t, const struct body_view *view)
{
	size_t n = view->length - t->at < BLOCK ? (size_t)(view->length - t->at) : BLOCK;
	char *copy = malloc(n);

	if (!copy || (view->fd >= 0 && pread(view->fd, copy, n, t->at) != (ssize_t)n))
		abort();
	if (view->fd < 0)
		memcpy(copy, view->bytes.p + t->at, n);
	t->at += (int64_t)n;
	uwsgi_response_body(t->rs, (struct slice){ copy, n }, copy);
}

/* What has come goes back, and more is asked for when most of that has gone. */
static void echo(struct task *t)
{
	struct body_view view = uwsgi_request_body_view(t->rq);

	while (t->at < view.length) {
		if (uwsgi_response_unsent(t->rs) >= HIGH)
			return;
		give_back(t, &view);
		if (!uwsgi_response_flush(t->rs))
			break;
	}
	if (uwsgi_request_is_whole(t->rq))
		end(t);
	else
		uwsgi_request_read_on(t->rq);
}

static void body(void *state, void *handled)
{
	struct task *t = handled;

	(void)state;
	t->at = 0;
	if (t->echoes)
		echo(t);
}

static void drained(void *state, void *handled)
{
	struct task *t = handled;

	(void)state;
	if (t->echoes)
		echo(t);
	else if (t->blocks > 0)
		stream(t);
}

static void gone(void *state, void *handled)
{
	struct task *t = handled;
	struct response *rs = t->rs;

	(void)state;
	uwsgi_log(UWSGI_NOTE, "later: a client is gone");
	forget(t);
	uwsgi_response_fail(rs, SLICE("given up"));
}

static void release(void *state, void *const *owners, size_t count)
{
	(void)state;
	for (size_t i = 0; i < count; i++)
		free(owners[i]);
}

/* ---- requests ---- */

static void spin(long long ms)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < ms);
}

static bool is(struct slice s, const char *text)
{
	return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

static long long number(const struct request *rq)
{
	struct slice s = uwsgi_request_find(rq, SLICE("QUERY_STRING"));
	char text[32];

	snprintf(text, sizeof text, "%.*s", (int)s.n, s.n ? s.p : "");
	return atoll(text);
}

static void handle(void *state, struct request *rq, struct response *rs)
{
	struct slice path = uwsgi_request_find(rq, SLICE("PATH_INFO"));
	struct task *t = calloc(1, sizeof *t);

	if (!t) {
		uwsgi_response_fail(rs, SLICE("out of memory"));
		return;
	}
	t->lane = state;
	t->rq = rq;
	t->rs = rs;
	uwsgi_response_set_handled(rs, t);
	if (is(path, "/sleep")) {
		answer_in(t, number(rq));
	} else if (is(path, "/meet")) {
		meet(t, number(rq));
	} else if (is(path, "/pid")) {
		char text[32];

		snprintf(text, sizeof text, "%d", (int)getpid());
		answer(t, text);
	} else if (is(path, "/thread")) {
		begin_to_think(t);
	} else if (is(path, "/stream")) {
		t->blocks = number(rq);
		start(t);
		stream(t);
	} else if (is(path, "/echo")) {
		t->echoes = true;
		start(t);
		echo(t);
	} else if (is(path, "/detach")) {
		detach(t);
	} else if (is(path, "/ever")) {
		say_for_ever(t);
	} else if (is(path, "/spin")) {
		spin(number(rq));
		answer(t, "spun\n");
	} else if (!is(path, "/hang")) {
		answer(t, "hello\n");
	}
}

/* ---- lanes ---- */

static int lane_start(int index, void **state, struct error *e)
{
	struct lane *lane = calloc(1, sizeof *lane);

	(void)index;
	*state = lane;
	if (!lane)
		return uwsgi_error_set(e, "out of memory");
	pthread_mutex_init(&lane->lock, NULL);
	return 0;
}

static void on_started(struct ev_loop *loop, ev_timer *w, int events)
{
	struct lane *lane = w->data;

	(void)loop, (void)events;
	lane->drive->accept(lane->drive->data);
}

static bool drives(const struct config *cfg)
{
	return wants(cfg);
}

static int drive(void *state, const struct drive *d, struct error *e)
{
	struct lane *lane = state;

	if (settings->startup_ms == 99999)
		return uwsgi_error_set(e, "later: the start has failed");
	lane->loop = d->loop;
	lane->drive = d;
	ev_async_init(&lane->woken, on_woken);
	lane->woken.data = lane;
	ev_async_start(d->loop, &lane->woken);
	ev_timer_init(&lane->startup, on_started, (double)settings->startup_ms / 1000, 0.);
	lane->startup.data = lane;
	ev_timer_start(d->loop, &lane->startup);
	while (!d->over(d->data))
		ev_run(d->loop, EVRUN_ONCE);
	ev_async_stop(d->loop, &lane->woken);
	return 0;
}

static const struct app app = {
	.name = "later",
	.wants = wants,
	.init = init,
	.lane_start = lane_start,
	.handle = handle,
	.release = release,
	.drives = drives,
	.drive = drive,
	.body = body,
	.drained = drained,
	.gone = gone,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "later",
	.options = &options,
	.app = &app,
};
