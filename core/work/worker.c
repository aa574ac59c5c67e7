/* SPDX-License-Identifier: MIT */
/* worker.c: a worker process: starts its lanes, tells the master when all of them accept, and
 * ends when they have answered everything.  Lane 0 runs on the main thread, beside what the
 * process as a whole listens to: the master's channel and signals. */
#include "work/worker.h"

#include "work/channel.h"
#include "work/drive.h"
#include "work/hooks.h"
#include "work/order.h"
#include "work/watchdog.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/stray.h"
#include "wire/watch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define AT(member) offsetof(struct worker_settings, member)
static const struct option rows[] = {
	{ .name = "processes",
	  .letter = 'p',
	  .type = OPT_INT,
	  .offset = AT(processes),
	  .initial = "1",
	  .min = 1,
	  .max = WORKERS_MAX,
	  .help = "number of worker processes" },
	{ .name = "workers", .same_as = "processes" },
	{ .name = "threads",
	  .type = OPT_INT,
	  .offset = AT(threads),
	  .initial = "1",
	  .min = 1,
	  .max = 1024,
	  .help = "requests that each worker runs at the same time",
	  .differs = "threads of the application do not run unless enable-threads is set" },
	{ .name = "lazy-apps",
	  .type = OPT_FLAG,
	  .offset = AT(lazy_apps),
	  .initial = "false",
	  .help = "import the application in each worker instead of once before they are forked" },
	{ .name = "lazy", .same_as = "lazy-apps" },
	{ .name = "need-app",
	  .type = OPT_FLAG,
	  .offset = AT(need_app),
	  .initial = "false",
	  .help = "do not start without the application: exit with 22 when it cannot be imported" },
	{ .name = "thread-stacksize",
	  .type = OPT_INT,
	  .offset = AT(stack_kb),
	  .min = 64,
	  .max = 1 << 20,
	  .unit = "KB",
	  .help = "the stack of each thread; without it, as the system has it",
	  .example = "512" },
	{ .name = "threads-stacksize", .same_as = "thread-stacksize" },
	{ .name = "thread-stack-size", .same_as = "thread-stacksize" },
	{ .name = "threads-stack-size", .same_as = "thread-stacksize" },
};
#undef AT

const struct option_table worker_options = {
	.module = "workers",
	.size = sizeof(struct worker_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

struct worker {
	const struct worker_setup *setup;
	struct lane_setup lane_setup;
	struct lane *lanes;
	size_t count;
	pthread_t *threads; /* [0] is unused: lane 0 has the main thread */
	/* Threads report here when their lane accepts, or could not start. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t started, failed;
	struct error error;
	atomic_size_t accepting; /* lanes that their application drives */
	atomic_bool broken;      /* one of them could not go on */
	struct watch channel;
	struct orders orders;
	struct watchdog watchdog;
	atomic_bool leaving, unfit;
	ev_timer memory;           /* of lane 0 */
	_Atomic int64_t end_by_ms; /* the master kills it then; 0: there is no master to do it */
};

/* Bytes: that thread only passes on. */
enum { CHANNEL_STACK = 256 << 10 };

/* Whom a signal is for: set before the first one can come, and constant then. */
static struct worker *signalled;

/* ---- leaving ---- */

/* Once too often does no harm.  end_ms, empties: as lane_ask_to_leave()'s. */
static void leave(struct worker *w, int64_t end_ms, bool empties)
{
	for (size_t i = 0; i < w->count; i++)
		lane_ask_to_leave(&w->lanes[i], end_ms, empties);
}

/* The master is told, which sends MESSAGE_LEAVE when another worker serves. */
static void on_signal(int number, siginfo_t *info, void *context)
{
	const struct message m = { .kind = MESSAGE_ASKED, .value = number, .worker = info->si_pid };
	int kept = errno;

	(void)context;
	if (getpid() != signalled->lane_setup.pid) {
		/* A child that was made without fork(), perhaps to exec. */
		signal(number, SIG_DFL);
		kill(getpid(), number);
	} else {
		channel_send(signalled->setup->channel, &m, -1);
	}
	errno = kept;
}

/* What the master says.  When it is gone, nobody is left who would end this process: leave too (the
 * kernel kills it at once where it can).  got: as channel_receive() says. */
static void hear(struct worker *w, int got, const struct message *m, int fd)
{
	if (got > 0 && m->kind == MESSAGE_ORDER) {
		if (fd >= 0)
			orders_take(&w->orders, m, fd);
		return;
	}
	if (got > 0)
		w->end_by_ms = clock_monotonic_ms() + m->mercy_ms;
	if (got > 0 && fd >= 0)
		close(fd);
	orders_end(&w->orders);
	w->leaving = true;
	leave(w, got > 0 ? m->value : 1, got > 0 && m->slot);
}

static bool hear_next(void *worker)
{
	struct worker *w = worker;
	struct message m;
	int fd, got = channel_receive(w->setup->channel, &m, &fd);

	if (got != 0)
		hear(w, got, &m, fd);
	return got >= 0;
}

static void on_channel(struct watch *channel)
{
	struct worker *w = channel->data;

	if (!hear_next(w))
		watch_stop(channel, w->lanes[0].loop);
}

/* The same where services give orders, which are taken while lane 0 runs a request, too. */
static void *channel_thread(void *worker)
{
	struct worker *w = worker;
	struct message m;
	int fd, got;

	do {
		got = channel_wait(w->setup->channel, &m, &fd);
		hear(w, got, &m, fd);
	} while (got > 0);
	return NULL;
}

/* On the thread of any lane, once: each count is reached by one request only. */
static void on_exhausted(void *worker)
{
	struct worker *w = worker;
	struct message m = { .kind = MESSAGE_RECYCLE,
			     .slot = (int)w->setup->slot,
			     .text = "max-requests reached" };

	channel_send(w->setup->channel, &m, -1);
}

/* Once is enough. */
static void on_unfit(void *worker, const char *why)
{
	struct worker *w = worker;
	struct message m = { .kind = MESSAGE_RECYCLE, .slot = (int)w->setup->slot };

	snprintf(m.text, sizeof m.text, "%s", why);
	if (!atomic_exchange(&w->unfit, true))
		channel_send(w->setup->channel, &m, -1);
}

static void on_changed(void *worker, const char *what)
{
	struct worker *w = worker;
	struct message m = { .kind = MESSAGE_CHANGED, .slot = (int)w->setup->slot };

	snprintf(m.text, sizeof m.text, "%s", what);
	channel_send(w->setup->channel, &m, -1);
}

static bool leaves(void *worker)
{
	return ((struct worker *)worker)->leaving;
}

/* On the thread of any lane. */
static void on_sooner(void *worker, int64_t at_ms)
{
	struct worker *w = worker;

	watchdog_expect(&w->watchdog, at_ms);
}

static void report_ready(struct worker *w)
{
	const struct message m = { .kind = MESSAGE_READY, .slot = (int)w->setup->slot };

	scoreboard_begin(w->setup->scoreboard, w->setup->slot, w->setup->info.id);
	channel_send(w->setup->channel, &m, -1);
}

static void on_accepts(void *worker)
{
	struct worker *w = worker;

	if (atomic_fetch_add(&w->accepting, 1) + 1 == w->count)
		report_ready(w);
}

/* On the thread of any lane; the others end what they run. */
static void on_failed(void *worker, const struct error *e)
{
	struct worker *w = worker;

	if (!atomic_exchange(&w->broken, true))
		channel_send_failure(w->setup->channel, e);
	leave(w, 1, false);
}

/* ---- starting ---- */

static void report_start(struct worker *w, const struct error *e)
{
	pthread_mutex_lock(&w->lock);
	if (e) {
		w->failed++;
		w->error = *e;
	} else {
		w->started++;
	}
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static int init_lane(struct worker *w, size_t i)
{
	const struct worker_setup *setup = w->setup;
	struct error e;

	if (lane_init(&w->lanes[i], &w->lane_setup, (int)i,
		      scoreboard_lane(setup->scoreboard, setup->slot, i), &e)) {
		report_start(w, &e);
		return -1;
	}
	if (w->lane_setup.host)
		drive_init(&w->lanes[i]);
	report_start(w, NULL);
	return 0;
}

static void run_lane(struct worker *w, size_t i)
{
	if (w->lane_setup.host)
		drive_run(&w->lanes[i]);
	else
		lane_run(&w->lanes[i]);
	atomic_store(&w->lanes[i].over, true);
}

struct thread_start {
	struct worker *w;
	size_t index;
};

static void *lane_thread(void *argument)
{
	struct thread_start start = *(struct thread_start *)argument;

	free(argument);
	if (init_lane(start.w, start.index))
		return NULL;
	run_lane(start.w, start.index);
	lane_fini(&start.w->lanes[start.index]);
	return NULL;
}

/* They block no signal, as the programs would inherit it that the application starts in them; the
 * kernel gives those for the process to the main thread anyway. */
static int start_threads(struct worker *w, struct error *e)
{
	const struct worker_settings *s = uwsgi_options(w->setup->config, &worker_options);
	pthread_attr_t attributes;
	int failed = 0;

	pthread_attr_init(&attributes);
	if (s->stack_kb)
		pthread_attr_setstacksize(&attributes, (size_t)s->stack_kb << 10);
	for (size_t i = 1; i < w->count && !failed; i++) {
		struct thread_start *start = malloc(sizeof *start);

		if (!start) {
			failed = ENOMEM;
			break;
		}
		*start = (struct thread_start){ w, i };
		failed = pthread_create(&w->threads[i], &attributes, lane_thread, start);
		if (failed)
			free(start);
	}
	pthread_attr_destroy(&attributes);
	return failed ? uwsgi_error_set(e, "cannot start a thread: %s", strerror(failed)) : 0;
}

static int wait_for_lanes(struct worker *w, struct error *e)
{
	pthread_mutex_lock(&w->lock);
	while (w->started + w->failed < w->count)
		pthread_cond_wait(&w->changed, &w->lock);
	bool failed = w->failed > 0;
	if (failed)
		*e = w->error;
	pthread_mutex_unlock(&w->lock);
	return failed ? -1 : 0;
}

static int start_channel_thread(struct worker *w, struct error *e)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, CHANNEL_STACK);
	int failed = pthread_create(&thread, &attributes, channel_thread, w);
	pthread_attr_destroy(&attributes);
	return failed ? uwsgi_error_set(e, "cannot start a thread: %s", strerror(failed)) : 0;
}

static int watch_channel(struct worker *w, struct error *e)
{
	orders_init(&w->orders, w->setup->app);
	if (w->setup->takes_orders)
		return start_channel_thread(w, e);
	watch_init(&w->channel, w->setup->channel, EV_READ, on_channel, w);
	watch_start(&w->channel, w->lanes[0].loop);
	return lane_watch(&w->lanes[0], w->setup->channel, e);
}

/* A loop that its application turns looks after its requests by itself. */
static void start_watchdog(struct worker *w)
{
	if (!w->lane_setup.host && harakiri_is_wanted(w->setup->config))
		watchdog_start(&w->watchdog);
}

/* In the place of handlers that the application may have set when it was imported, as in uWSGI. */
static void watch_signals(struct worker *w)
{
	static const int leave_signals[] = { SIGTERM, SIGHUP, SIGQUIT };

	signalled = w;
	for (size_t i = 0; i < sizeof leave_signals / sizeof *leave_signals; i++)
		stray_handle(leave_signals[i], on_signal);
}

/* Lane 0 comes first: the others are told to leave through its loop. */
static int start(struct worker *w, struct error *e)
{
	const struct worker_setup *setup = w->setup;
	const struct worker_settings *s = uwsgi_options(setup->config, &worker_options);

	w->count = (size_t)s->threads;
	w->lanes = calloc(w->count, sizeof *w->lanes);
	w->threads = calloc(w->count, sizeof *w->threads);
	if (!w->lanes || !w->threads)
		return uwsgi_error_set(e, "out of memory");
	w->lane_setup = (struct lane_setup){
		.config = setup->config,
		.listeners = setup->listeners,
		.neighbours = setup->neighbours,
		.successors = setup->successors,
		.app = setup->app,
		.handlers = setup->handlers,
		.handler_count = setup->handler_count,
		.slot = &setup->scoreboard->slot[setup->slot],
		.totals = setup->totals,
		.slow = setup->slow,
		.spans = setup->spans,
		.span_percent = setup->span_percent,
		.metrics = setup->info.metrics,
		.pid = getpid(),
		.worker_id = setup->info.id,
		.lanes = w->count,
		.exhausted = on_exhausted,
		.unfit = on_unfit,
		.changed = on_changed,
		.sooner = on_sooner,
		.host = drive_is_wanted(setup->app, setup->config) ? &drive_host : NULL,
		.accepts = on_accepts,
		.failed = on_failed,
		.worker = w,
	};
	const struct watchdog_setup watchdog = {
		.lane_setup = &w->lane_setup,
		.lanes = w->lanes,
		.count = w->count,
		.channel = setup->channel,
		.slot = (int)setup->slot,
		.hear = hear_next,
		.leaves = leaves,
		.worker = w,
	};
	watchdog_init(&w->watchdog, &watchdog);
	if (setup->app->worker_start(e))
		return -1;
	if (init_lane(w, 0) == 0 && start_threads(w, e))
		return -1;
	if (w->failed) {
		*e = w->error;
		return -1;
	}
	return wait_for_lanes(w, e) || watch_channel(w, e) ? -1 : 0;
}

/* -1: with the reason, by the application's own fault; -2: by a hook's. */
static int load(const struct worker_setup *setup, struct error *e)
{
	struct error of_app;

	if (hooks_run(setup->config, HOOK_PRE_APP, e))
		return -2;
	int failed = setup->app->load(setup->config, &of_app);

	if (hooks_run(setup->config, HOOK_POST_APP, e))
		return -2;
	if (failed)
		*e = of_app;
	return failed;
}

/* With lazy-apps the application is this worker's own.  False: it must not serve. */
static bool load_lazily(const struct worker_setup *setup)
{
	const struct worker_settings *s = uwsgi_options(setup->config, &worker_options);
	struct error e;
	int failed = s->lazy_apps ? load(setup, &e) : 0;

	if (!failed)
		return true;
	if (failed == -2 || s->need_app || setup->info.reloaded) {
		channel_send_failure(setup->channel, &e);
		return false;
	}
	uwsgi_log(UWSGI_ERROR, "%s; worker %d answers every request with 500", e.text,
		  setup->info.id);
	return true;
}

/* ---- memory ---- */

/* How often, while there are connections: what does nothing stays as it is. */
static const double memory_s = 10;

static void show_memory(const struct worker *w)
{
	struct slot_score *score = &w->setup->scoreboard->slot[w->setup->slot];
	struct memory m = memory_of(getpid());

	memory_add_shares(&m, getpid());
	atomic_store(&score->address_space, m.address_space);
	atomic_store(&score->resident, m.resident);
	atomic_store(&score->own, m.own);
	atomic_store(&score->share, m.share);
}

static void on_memory(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	show_memory(timer->data);
}

/* Of a process that was root's once, the kernel tells nobody else how it shares its pages, and nothing at
 * all where /proc is mounted with hidepid (ProtectProc= of systemd). */
static void watch_memory(struct worker *w)
{
	ev_init(&w->memory, on_memory);
	w->memory.data = w;
	if (!w->setup->is_watched || prctl(PR_GET_DUMPABLE) == 1)
		return;
	show_memory(w);
	ev_timer_set(&w->memory, memory_s, memory_s);
	ev_timer_start(w->lanes[0].loop, &w->memory);
}

/* At the end of the server. */
static void report_cut_off(const struct worker *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->count; i++)
		n += w->lanes[i].clients.cut_off;
	if (n > 0)
		uwsgi_log(UWSGI_NOTE,
			  "worker %d closed %zu kept connection%s in use, which FastCGI cannot "
			  "announce: a request that was just being sent there fails",
			  w->setup->info.id, n, n == 1 ? "" : "s");
}

/* Threads that nobody joins look at it until the process is gone: it is never freed. */
static struct worker *worker_new(const struct worker_setup *setup)
{
	struct worker *w = malloc(sizeof *w);

	if (w)
		*w = (struct worker){ .setup = setup,
				      .lock = PTHREAD_MUTEX_INITIALIZER,
				      .changed = PTHREAD_COND_INITIALIZER };
	return w;
}

static int serve(struct worker *w)
{
	run_lane(w, 0);
	for (size_t i = 1; i < w->count; i++)
		pthread_join(w->threads[i], NULL);
	lane_fini(&w->lanes[0]);
	report_cut_off(w);
	int64_t left_ms = w->end_by_ms - clock_monotonic_ms();
	w->setup->app->worker_stop(left_ms > 0 ? left_ms : 0);
	return w->broken ? EXIT_FAILURE : EXIT_SUCCESS;
}

int worker_run(const struct worker_setup *setup)
{
	struct worker *w = worker_new(setup);
	struct error e;

	scoreboard_enter(setup->scoreboard, setup->slot, setup->info.id);
	if (!load_lazily(setup))
		return EXIT_FAILED_APP;
	if (!w)
		uwsgi_error_set(&e, "out of memory");
	if (!w || start(w, &e)) {
		/* NOLINTNEXTLINE: all memory goes with the process */
		channel_send_failure(setup->channel, &e);
		return EXIT_FAILURE;
	}
	/* Before the master hears that it serves: from then on it may be asked to leave. */
	watch_signals(w);
	bool unwanted = hooks_run_accepting(setup->config, setup->info.id, setup->is_first, &e);
	watch_memory(w);
	start_watchdog(w);
	if (unwanted)
		on_failed(w, &e);
	else if (!w->lane_setup.host)
		report_ready(w);
	int code = serve(w);

	return unwanted ? EXIT_FAILED_APP : code;
}
