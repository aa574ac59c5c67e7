/* SPDX-License-Identifier: MIT */
/* master.c: listens to signals, children and clocks, and keeps the generations: one that serves,
 * one that starts, older ones that drain.  A reload never touches what serves before the new one
 * accepts. */
#include "master.h"

#include "cause.h"
#include "clock.h"
#include "logmaster.h"
#include "option.h"
#include "outcome.h"
#include "spawn.h"
#include "stray.h"
#include "title.h"
#include "touch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* INT and QUIT: what is running may take that long to end by itself. */
#define STOP_NOW_S 1
/* A lost zygote that cannot be replaced: first after this, then each time after twice as long. */
#define RETRY_MS 1000
#define LONGEST_RETRY_MS 60000
/* One that lived less than this is not replaced at once, either. */
#define YOUNG_MS 10000

struct master_settings {
	bool vacuum, exit_on_reload;
	struct option_list touch_reload, hooks;
};

#define AT(member) offsetof(struct master_settings, member)
static const struct option rows[] = {
	{ .name = "vacuum",
	  .type = OPT_FLAG,
	  .offset = AT(vacuum),
	  .initial = "false",
	  .help = "remove UNIX sockets when the server ends" },
	{ .name = "touch-reload",
	  .type = OPT_LIST,
	  .offset = AT(touch_reload),
	  .unit = "FILE",
	  .help = "reload when this file is touched, or anything directly in this folder",
	  .example = "%p" },
	{ .name = "touch-workers-reload", .same_as = "touch-reload" },
	{ .name = "touch-chain-reload", .same_as = "touch-reload" },
	{ .name = "fs-reload", .same_as = "touch-reload" },
	{ .name = "fs-brutal-reload", .same_as = "touch-reload" },
	{ .name = "hook-master-start",
	  .type = OPT_LIST,
	  .offset = AT(hooks),
	  .unit = "HOOK",
	  .text = true,
	  .help = "what the master does when it starts; only the one hook that makes SIGTERM "
		  "graceful is understood, and it is so without it",
	  .example = "unix_signal:15 gracefully_kill_them_all" },
	{ .name = "exit-on-reload",
	  .type = OPT_FLAG,
	  .offset = AT(exit_on_reload),
	  .initial = "false",
	  .help = "stop instead of reloading; whoever started the server starts it again" },
};
#undef AT

const struct option_table master_options = {
	.module = "master",
	.size = sizeof(struct master_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

static bool wants_vacuum(const struct config *cfg)
{
	const struct master_settings *s = uwsgi_options(cfg, &master_options);

	return s->vacuum;
}

struct master {
	struct master_setup *setup;
	struct generation_host host;
	struct ev_loop *loop;
	struct logmaster log;
	struct touch touch_reload;
	struct generation *generations; /* newest first */
	/* Among them, or NULL.  A first one that nobody waits for any more, because a reload was
	 * asked for, is the serving one, as far as it serves. */
	struct generation *serving, *starting;
	int count; /* of generations so far */
	bool reload_wanted, stopping;
	struct cause wanted_by;
	struct outcomes outcomes;
	int failed_repairs; /* in a row: imports for a lost zygote */
	int64_t repair_at_ms;
	int exit_code;
	ev_io signals; /* a signalfd */
	ev_timer timer; /* the next deadline */
};

static void step(struct master *m);

static void keep_earlier(int64_t *due_ms, int64_t at_ms)
{
	if (at_ms > 0 && (*due_ms == 0 || at_ms < *due_ms))
		*due_ms = at_ms;
}

/* ---- what others want to know ---- */

/* daemonize2: whoever has started the server waits for this. */
static void on_ready(struct master *m)
{
	int fd = m->setup->served;

	if (fd < 0)
		return;
	if (write(fd, "", 1) != 1)
		uwsgi_log(UWSGI_NOTE, "nobody waits any more for the server to serve");
	close(fd);
	m->setup->served = -1;
}

static void on_reload_begins(struct master *m, const struct cause *cause)
{
	uwsgi_log(UWSGI_NOTE,
		  "%s: reload: reading the configuration again and importing the application "
		  "beside the one that serves",
		  cause->text);
	outcome_begin(&m->outcomes);
	notify_reloading(&m->setup->notify, "serving, and importing the application again");
}

static void on_reload_queued(const struct cause *cause)
{
	uwsgi_log(UWSGI_NOTE,
		  "%s: a reload is in progress; another follows when it is done", cause->text);
}

static void on_reload_failed(struct master *m, const char *why)
{
	struct error status;

	uwsgi_log(UWSGI_ERROR, "reload given up: %s; the old generation goes on serving", why);
	outcome_end(&m->outcomes, OUTCOME_FAILED, why);
	uwsgi_error_set(&status, "serving; the last reload was given up: %s", why);
	notify_ready(&m->setup->notify, getpid() != m->setup->started, status.text);
}

static void on_serving(struct master *m, const struct generation *g, bool is_reload)
{
	const struct roster *r = &g->roster;
	int serving = roster_serving(r, false), missing = r->workers - serving;
	char others[48] = "";
	struct error what;

	if (missing)
		snprintf(others, sizeof others, "; %d more do%s not yet", missing,
			 missing == 1 ? "es" : "");
	uwsgi_error_set(&what, "%s: %d worker%s × %zu thread%s accept requests",
			is_reload ? "reloaded" : "serving", serving, serving == 1 ? "" : "s",
			g->scoreboard.lanes, g->scoreboard.lanes == 1 ? "" : "s");
	uwsgi_log(UWSGI_NOTE, "%s after %lld ms%s", what.text,
		  (long long)(clock_monotonic_ms() - g->began_ms), others);
	if (is_reload)
		outcome_end(&m->outcomes, OUTCOME_DONE, "");
	notify_ready(&m->setup->notify, getpid() != m->setup->started, what.text);
}

static void on_stopping(struct master *m, const struct cause *cause, long long mercy_s)
{
	struct error why;

	uwsgi_log(UWSGI_NOTE, "%s: stopping; running requests have %lld s to finish", cause->text,
		  mercy_s);
	uwsgi_error_set(&why, "the server is stopping (%s)", cause->text);
	outcome_end_all(&m->outcomes, OUTCOME_FAILED, why.text);
	uwsgi_error_set(&why, "stopping (%s); running requests are finished", cause->text);
	notify_stopping(&m->setup->notify, why.text);
}

static void on_failed_start(struct master *m, const char *why)
{
	struct error status;

	uwsgi_log(UWSGI_ERROR, "cannot start: %s", why);
	outcome_end_all(&m->outcomes, OUTCOME_FAILED, why);
	uwsgi_error_set(&status, "cannot start: %s", why);
	notify_stopping(&m->setup->notify, status.text);
}

/* ---- generations ---- */

static void forked(void *data, const struct generation *own)
{
	struct master *m = data;

	/* What `own` shares with others stays open, and nothing else. */
	for (struct generation *g = m->generations; g; g = g->next)
		g->listeners.older = NULL;
	for (struct generation *g = m->generations; g; g = g->next)
		generation_close_in_child(g, own);
	close(m->signals.fd);
	logmaster_enter_child(&m->log);
	pidfiles_close(m->setup->pidfiles);
	notify_close(&m->setup->notify);
	if (m->setup->served >= 0)
		close(m->setup->served);
}

static void stirred(void *data)
{
	struct master *m = data;

	ev_feed_event(m->loop, &m->timer, EV_TIMER);
}

/* The newest first, and each knows the sockets of the older ones. */
static void link_sockets(struct master *m)
{
	for (struct generation *g = m->generations; g; g = g->next)
		g->listeners.older = g->next ? &g->next->listeners : NULL;
}

static const struct listeners *open_sockets(const struct master *m)
{
	return m->generations ? &m->generations->listeners : NULL;
}

static int begin(struct master *m, struct config *cfg, struct listeners *listeners, struct error *e)
{
	struct generation *g = generation_new(&m->host, cfg, listeners, open_sockets(m),
					      m->count + 1, e);

	if (!g)
		return -1;
	m->count++;
	g->is_reload = m->serving != NULL;
	g->awaited = m->setup->served >= 0;
	g->next = m->generations;
	m->generations = g;
	link_sockets(m);
	if (generation_start(g, e)) {
		m->generations = g->next;
		generation_free(g, open_sockets(m), true);
		return -1;
	}
	m->starting = g;
	return 0;
}

/* True: one was freed, and another may be finished by that. */
static bool free_gone(struct master *m, struct generation *g)
{
	struct generation **at = &m->generations;

	/* The serving one goes last, so that what its paths become is decided by its settings. */
	if (g == m->serving && (g->next || g != m->generations))
		return false;
	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	link_sockets(m);
	/* While another one serves, the paths that only this one had bound are of no use. */
	bool unlink_paths = wants_vacuum(g->config) || (m->serving && m->serving != g);
	if (m->serving == g)
		m->serving = NULL;
	generation_free(g, open_sockets(m), unlink_paths);
	return true;
}

/* ---- settings that are the master's ---- */

/* The files that this configuration names, which serves from now on, or will when its
 * application is imported.  NULL: none any more. */
static void watch_touches(struct master *m, const struct config *cfg)
{
	const struct master_settings *s = cfg ? uwsgi_options(cfg, &master_options) : NULL;

	touch_watch(&m->touch_reload, s ? &s->touch_reload : NULL);
}

/* ---- stopping ---- */

/* There is nothing to go on with. */
static void end_server(struct master *m, int exit_code)
{
	m->exit_code = exit_code;
	m->stopping = true;
	watch_touches(m, NULL);
	for (struct generation *g = m->generations; g; g = g->next)
		generation_kill(g);
}

static void stop(struct master *m, const struct cause *cause, bool now)
{
	if (m->stopping) {
		uwsgi_log(UWSGI_NOTE, "%s again: ending at once", cause->text);
		end_server(m, m->exit_code);
		return;
	}
	const struct generation *main = m->serving ? m->serving : m->generations;

	m->stopping = true;
	m->starting = NULL;
	migrate_end(&m->host.workers_left);
	migrate_end(&m->host.gateways_left);
	watch_touches(m, NULL);
	on_stopping(m, cause, now ? STOP_NOW_S : main->limits->reload_mercy_s);
	for (struct generation *g = m->generations; g; g = g->next)
		generation_drain(g, now ? STOP_NOW_S : g->limits->reload_mercy_s, NULL);
}

/* ---- reloading ---- */

static int64_t repair_delay(int failed)
{
	int64_t delay_ms = (int64_t)RETRY_MS << (failed < 8 ? failed : 8);

	return delay_ms < LONGEST_RETRY_MS ? delay_ms : LONGEST_RETRY_MS;
}

static void reload_failed(struct master *m, const char *why)
{
	on_reload_failed(m, why);
	if (m->serving && !generation_can_fork(m->serving))
		m->repair_at_ms = clock_monotonic_ms() + repair_delay(m->failed_repairs++);
}

/* Up to the new generation's zygote.  Returns -1 with the reason. */
static int begin_reload(struct master *m, struct error *e)
{
	const struct master_setup *setup = m->setup;
	struct invocation invocation = *setup->invocation;
	struct listeners listeners;
	struct report report;

	invocation.is_reload = true;
	report_init(&report);
	report.again = true;
	struct config *cfg = config_load(&invocation, setup->tables, setup->table_count, &report);
	report_print(&report);
	report_fini(&report);
	if (!cfg)
		return uwsgi_error_set(e, "the configuration has errors");
	config_print(cfg);
	if (config_exit(cfg) >= 0) {
		uwsgi_error_set(e, "the configuration now says exit = %d", config_exit(cfg));
		config_free(cfg);
		return -1;
	}
	if (listeners_open(&listeners, cfg, &setup->loader->protocols, open_sockets(m), e)) {
		config_free(cfg);
		return -1;
	}
	logmaster_expect(&m->log, cfg);
	return begin(m, cfg, &listeners, e);
}

static void reload(struct master *m, const struct cause *cause)
{
	struct error e;

	m->reload_wanted = false;
	on_reload_begins(m, cause);
	if (begin_reload(m, &e))
		reload_failed(m, e.text);
}

static void want_reload(struct master *m, const struct cause *cause)
{
	if (!outcome_ask(&m->outcomes, cause->ticket))
		return;
	if (m->stopping) {
		outcome_end_all(&m->outcomes, OUTCOME_FAILED, "the server is stopping");
		return;
	}
	/* Whoever asks does not want to wait for a first generation that may never be complete:
	 * it goes on as the one that serves. */
	if (!m->serving) {
		m->serving = m->starting;
		m->starting = NULL;
	}
	const struct master_settings *s = uwsgi_options(m->serving->config, &master_options);

	if (s->exit_on_reload) {
		struct cause with_option = *cause;

		snprintf(with_option.text, sizeof with_option.text, "%.200s, exit-on-reload",
			 cause->text);
		outcome_end_all(&m->outcomes, OUTCOME_DONE, "");
		stop(m, &with_option, false);
	} else if (m->starting) {
		m->reload_wanted = true;
		m->wanted_by = *cause;
		on_reload_queued(cause);
	} else {
		reload(m, cause);
	}
}

/* ---- news ---- */

static void on_first_ready(struct master *m, struct generation *g)
{
	m->serving = g;
	if (m->starting == g)
		m->starting = NULL;
	on_serving(m, g, false);
	on_ready(m);
}

/* Without gateways in the new generation, nobody would take what the old ones give away: they learn
 * that when they try.  Later generations have a queue of their own. */
static void renew_gateways_queue(struct master *m)
{
	struct error e;

	migrate_end(&m->host.gateways_left);
	migrate_close(&m->host.gateways_left);
	if (migrate_open(&m->host.gateways_left, &e))
		uwsgi_log(UWSGI_ERROR, "%s; routers will close their clients' connections", e.text);
}

static void on_generation_ready(struct master *m, struct generation *g)
{
	struct generation *old = m->serving;

	if (!old || old == g) {
		on_first_ready(m, g);
		return;
	}
	m->serving = g;
	m->starting = NULL;
	watch_touches(m, g->config);
	logmaster_use(&m->log, g->config);
	listeners_apply(&g->listeners, &old->listeners);
	on_serving(m, g, true);
	on_ready(m);
	if (!listeners_gateway(&g->listeners))
		renew_gateways_queue(m);
	generation_drain(old, old->limits->reload_mercy_s, g);
}

static void on_generation_failed(struct master *m, struct generation *g)
{
	if (m->starting == g) {
		m->starting = NULL;
		if (m->serving) {
			reload_failed(m, g->why);
			return;
		}
	} else if (m->starting) {
		/* A first one that was not waited for: what started beside it goes on. */
		m->serving = NULL;
		watch_touches(m, m->starting->config);
		logmaster_use(&m->log, m->starting->config);
		uwsgi_log(UWSGI_ERROR, "%s; going on with the reload", g->why);
		return;
	}
	on_failed_start(m, g->why);
	end_server(m, g->exit_code);
}

/* The serving generation's zygote is lost, or its application was changed. */
static void on_wish(struct master *m, const struct generation *g)
{
	struct cause cause = cause_of(g->why);
	int64_t now_ms = clock_monotonic_ms();

	if (generation_can_fork(g)) {
		want_reload(m, &cause);
		return;
	}
	uwsgi_log(UWSGI_ERROR, "%s; no worker can be started until the application is imported again",
		  g->why);
	if (now_ms - g->began_ms >= YOUNG_MS)
		m->failed_repairs = 0;
	/* The first one may be an accident. */
	m->repair_at_ms = now_ms + (m->failed_repairs ? repair_delay(m->failed_repairs - 1) : 0);
	m->failed_repairs++;
}

/* Whenever the serving generation has no zygote and none is on its way, there is a time at which
 * one is made.  True: that was now. */
static bool repair(struct master *m, int64_t *due_ms)
{
	const struct cause cause = cause_of("the process that workers are forked from was lost");

	if (m->stopping || m->starting || !m->serving || generation_can_fork(m->serving))
		return false;
	if (m->repair_at_ms > clock_monotonic_ms()) {
		keep_earlier(due_ms, m->repair_at_ms);
		return false;
	}
	reload(m, &cause);
	return true;
}

/* ---- signals ---- */

static void print_status(const struct master *m)
{
	for (const struct generation *g = m->generations; g; g = g->next)
		generation_print_status(g);
}

/* A child that has ended, if there is one: looked at before it is reaped, because until then its pid
 * is nobody else's. */
static bool peek(siginfo_t *info)
{
	int failed;

	info->si_pid = 0;
	do
		failed = waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT);
	while (failed && errno == EINTR);
	return !failed && info->si_pid;
}

static void reap(struct master *m)
{
	siginfo_t info;

	while (peek(&info)) {
		struct generation *g = m->generations;

		/* What it said in the log comes before what is said of it. */
		logmaster_drain(&m->log);
		while (g && !generation_ended(g, &info))
			g = g->next;
		/* No generation's: the application left it behind, and the subreaper got it. */
		while (waitpid(info.si_pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
}

/* Debian's init script sends TERM for force-reload, and this variable is its mark.  uWSGI reloads
 * then, unless it is told otherwise. */
static bool term_reloads(const struct master *m)
{
	const struct config *cfg = (m->serving ? m->serving : m->generations)->config;
	const struct master_settings *s = uwsgi_options(cfg, &master_options);
	const struct key *key = config_key(cfg, "die-on-term");
	bool dies = key && !(key->value && option_boolean(key->value) == 0);

	return getenv("UWSGI_DEB_CONFNAMESPACE") && !dies && s->hooks.count == 0;
}

static void on_signal(struct master *m, const struct signalfd_siginfo *info)
{
	struct cause cause;

	if (info->ssi_signo == SIGCHLD) {
		reap(m);
		return;
	}
	if (info->ssi_signo == SIGUSR1) {
		print_status(m);
		return;
	}
	cause = cause_of_signal(info);
	if (info->ssi_signo == SIGHUP ||
	    (info->ssi_signo == SIGTERM && term_reloads(m)))
		want_reload(m, &cause);
	else
		stop(m, &cause, info->ssi_signo != SIGTERM);
}

static void on_signals(struct ev_loop *loop, ev_io *w, int events)
{
	struct master *m = w->data;
	struct signalfd_siginfo info;

	(void)loop;
	(void)events;
	while (read(w->fd, &info, sizeof info) == sizeof info)
		on_signal(m, &info);
	step(m);
}

static void on_touched(void *data, const char *file)
{
	struct master *m = data;
	struct cause cause;

	snprintf(cause.text, sizeof cause.text, "%.200s was touched", file);
	cause.ticket = 0;
	want_reload(m, &cause);
	step(m);
}

/* ---- time ---- */

/* True: something has changed that others may depend on. */
static bool step_generation(struct master *m, struct generation *g, int64_t *due_ms)
{
	int64_t own_due_ms;
	enum generation_news news = generation_step(g, &own_due_ms);

	keep_earlier(due_ms, own_due_ms);
	switch (news) {
	case GENERATION_QUIET:
		return false;
	case GENERATION_READY:
		on_generation_ready(m, g);
		return true;
	case GENERATION_FAILED:
		on_generation_failed(m, g);
		return true;
	case GENERATION_WANTS_RELOAD:
		if (g == m->serving)
			on_wish(m, g);
		return true;
	case GENERATION_GONE:
		break;
	}
	return free_gone(m, g);
}

/* Until nothing is due any more.  Returns when to look again. */
static int64_t do_what_is_due(struct master *m)
{
	bool again;
	int64_t due_ms;

	do {
		struct generation *g = m->generations, *next;

		again = false;
		due_ms = 0;
		for (; g; g = next) {
			next = g->next;
			again = step_generation(m, g, &due_ms) || again;
		}
		if (m->reload_wanted && !m->starting && !m->stopping) {
			reload(m, &m->wanted_by);
			again = true;
		}
		again = repair(m, &due_ms) || again;
	} while (again);
	return due_ms;
}

static void step(struct master *m)
{
	int64_t due_ms = do_what_is_due(m);

	ev_timer_stop(m->loop, &m->timer);
	if (!m->generations)
		ev_break(m->loop, EVBREAK_ALL);
	if (due_ms == 0)
		return;
	int64_t now_ms = clock_monotonic_ms();
	ev_now_update(m->loop);
	ev_timer_set(&m->timer, due_ms > now_ms ? (double)(due_ms - now_ms) / 1000 : 0., 0.);
	ev_timer_start(m->loop, &m->timer);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	step(w->data);
}

/* ---- start ---- */

/* libev would not say who has sent a signal.  Children unblock theirs: child_set_signals(). */
static int watch_signals(struct master *m, struct error *e)
{
	static const int signals[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1 };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		sigaddset(&set, signals[i]);
		/* Not ignored, as nohup(1) leaves it: that would reap children, too. */
		signal(signals[i], SIG_DFL);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return uwsgi_error_set(e, "signalfd: %s", strerror(errno));
	ev_io_init(&m->signals, on_signals, fd, EV_READ);
	m->signals.data = m;
	ev_io_start(m->loop, &m->signals);
	return 0;
}

/* In any process of the server.  libev needs a new epoll after a fork, and when it hears of a
 * connection that was given away; without this it would abort().  When this returns it tries again. */
static void on_libev_failure(const char *what)
{
	uwsgi_log(UWSGI_ERROR, "%s: %s; trying again", what, strerror(errno));
	usleep(100000);
}

static int prepare(struct master *m, struct error *e)
{
	const struct master_setup *setup = m->setup;

	m->signals.fd = -1;
	ev_set_syserr_cb(on_libev_failure);
	if (stray_init(e))
		return -1;
	m->loop = ev_loop_new(EVFLAG_AUTO);
	if (!m->loop)
		return uwsgi_error_set(e, "cannot make an event loop: %s", strerror(errno));
	m->host = (struct generation_host){ .loop = m->loop,
					    .calls = &spawn_calls,
					    .loader = setup->loader,
					    .tally = tally_new(e),
					    .start_folder = setup->invocation->cwd,
					    .workers_left = MIGRATE_NO_QUEUE,
					    .gateways_left = MIGRATE_NO_QUEUE,
					    .forked = forked,
					    .stirred = stirred,
					    .data = m };
	if (!m->host.tally || migrate_open(&m->host.workers_left, e) ||
	    migrate_open(&m->host.gateways_left, e) || watch_signals(m, e))
		return -1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ev_timer_init(&m->timer, on_timer, 0., 0.);
	m->timer.data = m;
	touch_init(&m->touch_reload, m->loop, on_touched, m);
	return 0;
}

static void run(struct master *m)
{
	struct master_setup *setup = m->setup;
	struct error e;

	title_set(setup->config, "master");
	logmaster_init(&m->log, m->loop, setup->log, setup->config);
	setup->hello(setup);
	notify_status(&setup->notify, "importing the application");
	if (begin(m, setup->config, &setup->listeners, &e) == 0) {
		watch_touches(m, m->generations->config);
		if (term_reloads(m))
			uwsgi_log(UWSGI_NOTE, "SIGTERM reloads, as Debian's init script wants it "
					      "(UWSGI_DEB_CONFNAMESPACE is set); with "
					      "die-on-term = true it stops the server");
		step(m);
		ev_run(m->loop, 0);
		uwsgi_log(UWSGI_NOTE, "goodbye");
	} else {
		uwsgi_log(UWSGI_ERROR, "cannot start: %s", e.text);
		m->exit_code = EXIT_FAILURE;
	}
	watch_touches(m, NULL);
	logmaster_fini(&m->log);
}

int master_run(struct master_setup *setup)
{
	struct master m = { .setup = setup, .exit_code = EXIT_SUCCESS };
	struct error e;

	if (prepare(&m, &e)) {
		uwsgi_log(UWSGI_ERROR, "cannot start: %s", e.text);
		return EXIT_FAILURE;
	}
	run(&m);
	migrate_close(&m.host.workers_left);
	migrate_close(&m.host.gateways_left);
	tally_free(m.host.tally);
	close(m.signals.fd);
	ev_loop_destroy(m.loop);
	return m.exit_code;
}
