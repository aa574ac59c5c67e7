/* SPDX-License-Identifier: MIT */
/* master.c: listens to signals, children and clocks, and moves the reigns: one that serves, one
 * that is being imported, older ones that drain.  A reload never touches what serves before the
 * new one accepts. */
#include "master.h"

#include "clock.h"
#include "logmaster.h"
#include "reign.h"
#include "title.h"
#include "touch.h"
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* INT and QUIT: what is running may take that long to end by itself. */
#define STOP_NOW_S 1
/* After the zygote of a serving generation was lost and could not be replaced. */
#define RETRY_MS 10000
/* Between two looks at the files that are touched to tell something. */
#define TOUCH_S 1.

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

enum { SIGNALS = 6 };

struct master {
	struct master_setup *setup;
	struct reign_setup reign_setup;
	struct reign_host host;
	struct ev_loop *loop;
	struct logmaster log;
	struct touch touch_reload;
	ev_timer touching;                 /* looks at those files */
	struct reign *reigns;              /* newest first */
	struct reign *serving, *importing; /* among them, or NULL */
	int reign_count;
	bool reload_wanted, stopping;
	int64_t retry_at_ms; /* a reload that the server itself wants; 0: none */
	int exit_code;
	ev_signal signals[SIGNALS];
	ev_timer timer;       /* the next deadline */
	int64_t limits_at_ms; /* when limits are looked at next */
};

static void step(struct master *m);

/* ---- reigns ---- */

static void forked(void *data, const struct reign *own)
{
	struct master *m = data;

	/* A socket that stayed open here would go on taking connections that nobody accepts. */
	for (struct reign *r = m->reigns; r; r = r->next) {
		reign_close_channels(r);
		if (r != own)
			reign_close_sockets(r, own);
	}
	/* libev knows one loop for each signal of a process: a worker will have its own. */
	for (size_t i = 0; i < SIGNALS; i++)
		ev_signal_stop(m->loop, &m->signals[i]);
	logmaster_enter_child(&m->log);
	pidfiles_close(m->setup->pidfiles);
	if (m->setup->served >= 0)
		close(m->setup->served);
}

static struct reign *begin_reign(struct master *m, struct config *cfg, struct listeners *listeners,
				 struct error *e)
{
	struct reign *r = reign_new(&m->host, &m->reign_setup, cfg, listeners, m->reign_count + 1,
				    m->serving, e);

	if (!r)
		return NULL;
	m->reign_count++;
	if (reign_start(r, e)) {
		reign_free(r, m->serving, true);
		return NULL;
	}
	r->next = m->reigns;
	m->reigns = r;
	m->importing = r;
	return r;
}

static void start_reload(struct master *m)
{
	const struct master_setup *setup = m->setup;
	struct invocation invocation = *setup->invocation;
	struct listeners listeners;
	struct report report;
	struct error e;

	invocation.is_reload = true;
	m->reload_wanted = false;
	m->retry_at_ms = 0;
	uwsgi_log(UWSGI_NOTE, "reload: reading the configuration again and importing the "
			      "application beside the one that serves");
	report_init(&report);
	struct config *cfg = config_load(&invocation, setup->tables, setup->table_count, &report);
	report_print(&report);
	report_fini(&report);
	if (!cfg) {
		uwsgi_log(UWSGI_ERROR, "reload given up: the configuration has errors; the old "
				       "generation goes on serving");
		return;
	}
	config_print(cfg);
	if (config_exit(cfg) >= 0) {
		uwsgi_error_set(&e, "the configuration now says exit = %d", config_exit(cfg));
		config_free(cfg);
	} else if (listeners_open(&listeners, cfg, &setup->loader->protocols,
				  &m->serving->listeners, &e)) {
		config_free(cfg);
	} else {
		logmaster_expect(&m->log, cfg);
		if (begin_reign(m, cfg, &listeners, &e))
			return;
	}
	uwsgi_log(UWSGI_ERROR, "reload given up: %s; the old generation goes on serving", e.text);
}

static void stop(struct master *m, const char *why, bool now);

static void want_reload(struct master *m)
{
	const struct master_settings *s = uwsgi_options(m->reigns->config, &master_options);

	if (m->stopping)
		return;
	if (s->exit_on_reload) {
		stop(m, "exit-on-reload", false);
		return;
	}
	if (m->importing) {
		uwsgi_log(UWSGI_NOTE,
			  "reload: another one is under way; it will be followed by this");
		m->reload_wanted = true;
		return;
	}
	start_reload(m);
}

/* The first generation failed: there is nothing to go on with. */
static void end_server(struct master *m, int exit_code)
{
	m->exit_code = exit_code;
	m->stopping = true;
	for (struct reign *r = m->reigns; r; r = r->next) {
		enum generation_action action;

		r->gen.state = generation_next(r->gen.state, GENERATION_REPLACED, &action);
		reign_kill(r);
	}
}

static void fail(struct master *m, struct reign *r, int exit_code)
{
	enum generation_action action;

	r->gen.state = generation_next(r->gen.state, GENERATION_FAILED, &action);
	if (action != GENERATION_DROP)
		return;
	m->importing = NULL;
	reign_kill(r);
	if (!m->serving) {
		uwsgi_log(UWSGI_ERROR, "cannot start: %s", r->failure);
		end_server(m, exit_code);
		return;
	}
	uwsgi_log(UWSGI_ERROR, "reload given up: %s; the old generation goes on serving",
		  r->failure);
	if (m->serving->zygote == 0)
		m->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
}

static void on_touching(struct ev_loop *loop, ev_timer *w, int events)
{
	struct master *m = w->data;
	const char *file = touch_fired(&m->touch_reload);

	(void)loop;
	(void)events;
	if (!file)
		return;
	uwsgi_log(UWSGI_NOTE, "%s was touched", file);
	want_reload(m);
	step(m);
}

/* The files that this configuration names, which serves from now on, or will when its
 * application is imported. */
static void watch_touches(struct master *m, const struct config *cfg)
{
	const struct master_settings *s = uwsgi_options(cfg, &master_options);

	touch_watch(&m->touch_reload, &s->touch_reload);
	ev_timer_stop(m->loop, &m->touching);
	if (m->touch_reload.files) {
		ev_timer_set(&m->touching, TOUCH_S, TOUCH_S);
		ev_timer_start(m->loop, &m->touching);
	}
}

/* daemonize2: whoever has started the server waits for this. */
static void tell_starter(struct master *m)
{
	int fd = m->setup->served;

	if (fd < 0)
		return;
	if (write(fd, "", 1) != 1)
		uwsgi_log(UWSGI_NOTE, "nobody waits any more for the server to serve");
	close(fd);
	m->setup->served = -1;
}

static void take_over(struct master *m, struct reign *r)
{
	enum generation_action action;
	struct reign *old = m->serving;

	r->gen.state = generation_next(r->gen.state, GENERATION_READY, &action);
	if (action != GENERATION_TAKE_OVER)
		return;
	m->serving = r;
	m->importing = NULL;
	m->retry_at_ms = 0;
	watch_touches(m, r->config);
	if (old)
		logmaster_use(&m->log, r->config);
	uwsgi_log(UWSGI_NOTE, "%s: %d worker%s × %zu thread%s accept requests after %lld ms",
		  old ? "reloaded" : "serving", r->gen.workers, r->gen.workers == 1 ? "" : "s",
		  r->scoreboard.lanes, r->scoreboard.lanes == 1 ? "" : "s",
		  (long long)(clock_monotonic_ms() - r->began_ms));
	if (!old) {
		tell_starter(m);
		return;
	}
	old->gen.state = generation_next(old->gen.state, GENERATION_REPLACED, &action);
	reign_drain(old, old->limits->reload_mercy_s, false);
	if (old->zygote > 0)
		kill(old->zygote, SIGKILL);
}

/* ---- messages ---- */

static void on_message(void *host, struct reign *r, struct slot *slot, const struct message *msg)
{
	struct master *m = host;

	switch (msg->kind) {
	case MESSAGE_IMPORTED:
		reign_note_imported(r, msg);
		break;
	case MESSAGE_FORKED:
		reign_note_forked(r, msg);
		break;
	case MESSAGE_READY:
		if (!slot)
			break;
		if (generation_is_gateway(&r->gen, slot))
			uwsgi_log(UWSGI_NOTE, "%s (pid %ld) takes clients", slot->name,
				  (long)slot->pid);
		reign_apply(r, slot, SLOT_READY);
		break;
	case MESSAGE_RECYCLE:
		if (slot && slot->state == SLOT_SERVING &&
		    limits_is_young(r->limits, clock_monotonic_ms() - slot->since_ms)) {
			slot->exhausted = true;
		} else if (slot && slot->state == SLOT_SERVING) {
			uwsgi_log(UWSGI_NOTE, "%s (pid %ld) is replaced: %s", slot->name,
				  (long)slot->pid, msg->text);
			slot->replace = true;
		}
		break;
	case MESSAGE_CHANGED:
		if (r == m->serving) {
			uwsgi_log(UWSGI_NOTE, "module %s was changed", msg->text);
			want_reload(m);
		}
		break;
	case MESSAGE_FAILED:
		if (slot)
			uwsgi_log(UWSGI_ERROR, "%s: %s", slot->name, msg->text);
		reign_note_failure(r, msg->text);
		break;
	case MESSAGE_FORK:
	case MESSAGE_LEAVE:
		break; /* the master's own words */
	}
	/* The reign may be freed only when no reader of its messages is on the stack. */
	ev_feed_event(m->loop, &m->timer, EV_TIMER);
}

/* ---- deaths ---- */

static void describe_end(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "killed by signal %d (%s)%s", WTERMSIG(status),
			 strsignal(WTERMSIG(status)), WCOREDUMP(status) ? ", core dumped" : "");
	else
		snprintf(text, size, "exit code %d", WEXITSTATUS(status));
}

static void on_zygote_death(struct master *m, struct reign *r, int status)
{
	char end[128], why[256];

	r->zygote = 0;
	reign_bury_unborn(r);
	if (r->gen.state == GENERATION_DRAINING)
		return;
	describe_end(status, end, sizeof end);
	if (r->gen.state == GENERATION_IMPORTING) {
		snprintf(why, sizeof why, "the process that imports the application ended: %s",
			 end);
		reign_note_failure(r, why);
		fail(m, r,
		     WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
		return;
	}
	uwsgi_log(UWSGI_ERROR,
		  "the process that workers are forked from ended: %s; importing the "
		  "application again",
		  end);
	want_reload(m);
}

static void on_worker_death(struct master *m, struct reign *r, struct slot *slot, int status)
{
	int64_t now_ms = clock_monotonic_ms();
	long pid = (long)slot->pid;
	bool started = slot->state != SLOT_STARTING;
	int64_t delay_ms = 0;
	char end[128], why[256];

	describe_end(status, end, sizeof end);
	if (slot->state == SLOT_STARTING || slot->state == SLOT_SERVING)
		delay_ms = generation_note_death(&r->gen, slot, now_ms);
	if (reign_bury(r, slot) != SLOT_REPORT)
		return;
	if (r->gen.state == GENERATION_IMPORTING && !started &&
	    (r->is_reload || (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILED_APP))) {
		snprintf(why, sizeof why, "%s (pid %ld) ended while it started: %s",
			 slot->name, pid, end);
		reign_note_failure(r, why);
		fail(m, r, EXIT_FAILED_APP);
		return;
	}
	if (delay_ms)
		uwsgi_log(UWSGI_ERROR,
			  "%s (pid %ld) ended %s: %s; it keeps dying, so it is "
			  "started again in %.1f s",
			  slot->name, pid, started ? "unexpectedly" : "while it started", end,
			  (double)delay_ms / 1000);
	else
		uwsgi_log(UWSGI_ERROR, "%s (pid %ld) ended %s: %s; restarting", slot->name,
			  pid, started ? "unexpectedly" : "while it started", end);
}

static void bury(struct master *m, pid_t pid, int status)
{
	for (struct reign *r = m->reigns; r; r = r->next) {
		struct slot *slot = reign_find(r, pid);

		if (r->zygote == pid) {
			on_zygote_death(m, r, status);
			return;
		}
		if (slot) {
			on_worker_death(m, r, slot, status);
			return;
		}
	}
	/* A process that the application left behind: adopted by the subreaper, and reaped. */
}

static void reap(struct master *m)
{
	int status;
	pid_t pid;

	/* What a child said before its end explains it. */
	for (struct reign *r = m->reigns; r; r = r->next)
		reign_read_messages(r);
	logmaster_drain(&m->log);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		bury(m, pid, status);
}

/* ---- stopping ---- */

static void stop(struct master *m, const char *why, bool now)
{
	if (m->stopping) {
		uwsgi_log(UWSGI_NOTE, "%s again: ending at once", why);
		end_server(m, m->exit_code);
		return;
	}
	m->stopping = true;
	uwsgi_log(UWSGI_NOTE, "%s: stopping; running requests have %lld s to finish", why,
		  now ? STOP_NOW_S : (m->serving ? m->serving : m->reigns)->limits->reload_mercy_s);
	for (struct reign *r = m->reigns; r; r = r->next) {
		enum generation_action action;

		r->gen.state = generation_next(r->gen.state, GENERATION_REPLACED, &action);
		reign_drain(r, now ? STOP_NOW_S : r->limits->reload_mercy_s, true);
		if (r->zygote > 0)
			kill(r->zygote, SIGKILL);
	}
	m->importing = NULL;
}

static void on_signal(struct ev_loop *loop, ev_signal *w, int events)
{
	struct master *m = w->data;

	(void)loop;
	(void)events;
	switch (w->signum) {
	case SIGCHLD:
		reap(m);
		break;
	case SIGHUP:
		want_reload(m);
		break;
	case SIGTERM:
		stop(m, "SIGTERM", false);
		break;
	case SIGINT:
		stop(m, "SIGINT", true);
		break;
	case SIGQUIT:
		stop(m, "SIGQUIT", true);
		break;
	case SIGUSR1:
		for (const struct reign *r = m->reigns; r; r = r->next)
			reign_print_status(r);
		break;
	}
	step(m);
}

/* ---- time ---- */

static void keep_earlier(int64_t *due_ms, int64_t at_ms)
{
	if (at_ms > 0 && (*due_ms == 0 || at_ms < *due_ms))
		*due_ms = at_ms;
}

static int64_t import_deadline(const struct reign *r)
{
	return r->is_reload && r->gen.state == GENERATION_IMPORTING
		       ? r->began_ms + r->limits->reload_timeout_s * 1000
		       : 0;
}

static void schedule(struct master *m)
{
	int64_t due_ms = m->retry_at_ms;
	bool limits = false;

	for (const struct reign *r = m->reigns; r; r = r->next) {
		keep_earlier(&due_ms, generation_due_ms(&r->gen));
		keep_earlier(&due_ms, import_deadline(r));
		limits = limits || reign_has_limits(r);
	}
	if (limits)
		keep_earlier(&due_ms, m->limits_at_ms);
	ev_timer_stop(m->loop, &m->timer);
	if (due_ms == 0)
		return;
	int64_t now_ms = clock_monotonic_ms();
	ev_now_update(m->loop);
	ev_timer_set(&m->timer, due_ms > now_ms ? (double)(due_ms - now_ms) / 1000 : 0., 0.);
	ev_timer_start(m->loop, &m->timer);
}

/* Everything that is due in one reign. */
static void step_reign(struct master *m, struct reign *r, int64_t now_ms)
{
	int64_t deadline_ms = import_deadline(r);
	struct slot *slot;

	if (deadline_ms && deadline_ms <= now_ms) {
		snprintf(r->failure, sizeof r->failure,
			 "it is not ready after %lld s (reload-timeout)",
			 r->limits->reload_timeout_s);
		fail(m, r, EXIT_FAILURE);
	}
	while ((slot = generation_next_fork(&r->gen, now_ms))) {
		reign_apply(r, slot, SLOT_WANTED);
		if (slot->state == SLOT_VACANT)
			break;
	}
	while ((slot = generation_next_replaced(&r->gen)))
		reign_apply(r, slot, SLOT_LEAVE);
	while ((slot = generation_next_overdue(&r->gen, now_ms))) {
		uwsgi_log(UWSGI_WARNING, "%s (pid %ld) killed: it did not finish in time",
			  slot->name, (long)slot->pid);
		reign_apply(r, slot, SLOT_OVERDUE);
	}
	if (r->gen.state == GENERATION_IMPORTING && generation_is_ready(&r->gen))
		take_over(m, r);
}

static bool is_finished(const struct master *m, const struct reign *r)
{
	/* The serving one goes last: the others share sockets with it. */
	bool has_others = r->next || r != m->reigns;

	return r->gen.state == GENERATION_DRAINING && r->zygote == 0 &&
	       generation_is_vacant(&r->gen) && !(r == m->serving && has_others);
}

/* True: one was freed, and another may be finished by that. */
static bool free_finished(struct master *m)
{
	struct reign **at = &m->reigns, *r;

	while (*at && !is_finished(m, *at))
		at = &(*at)->next;
	r = *at;
	if (!r)
		return false;
	*at = r->next;
	/* What it alone had opened is of no use when the server goes on. */
	bool unlink_paths = wants_vacuum(r->config) || (m->serving && m->serving != r);
	if (m->serving == r)
		m->serving = NULL;
	reign_free(r, m->serving, unlink_paths);
	return true;
}

static void step(struct master *m)
{
	int64_t now_ms = clock_monotonic_ms();

	if (m->limits_at_ms <= now_ms) {
		for (struct reign *r = m->reigns; r; r = r->next)
			if (reign_has_limits(r))
				reign_enforce_limits(r);
		m->limits_at_ms = now_ms + 1000;
	}
	for (struct reign *r = m->reigns; r; r = r->next)
		step_reign(m, r, now_ms);
	while (free_finished(m))
		;
	if (!m->stopping && !m->importing &&
	    (m->reload_wanted || (m->retry_at_ms && m->retry_at_ms <= now_ms)))
		start_reload(m);
	if (!m->reigns)
		ev_break(m->loop, EVBREAK_ALL);
	schedule(m);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	step(w->data);
}

/* ---- start ---- */

static void watch_signals(struct master *m)
{
	static const int signals[SIGNALS] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1 };

	for (size_t i = 0; i < SIGNALS; i++) {
		ev_signal_init(&m->signals[i], on_signal, signals[i]);
		m->signals[i].data = m;
		ev_signal_start(m->loop, &m->signals[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
}

int master_run(struct master_setup *setup)
{
	struct master m = { .setup = setup, .exit_code = EXIT_SUCCESS };
	struct error e;

	m.loop = ev_loop_new(EVFLAG_AUTO);
	m.reign_setup = (struct reign_setup){ setup->loader, tally_new(&e), setup->invocation->cwd,
					      forked, &m };
	m.host = (struct reign_host){ on_message, m.loop, &m };
	if (!m.loop || !m.reign_setup.tally) {
		uwsgi_log(UWSGI_ERROR, "cannot start: %s", m.loop ? e.text : strerror(errno));
		return EXIT_FAILURE;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	title_set(setup->config, "master");
	watch_signals(&m);
	ev_timer_init(&m.timer, on_timer, 0., 0.);
	m.timer.data = &m;
	ev_init(&m.touching, on_touching);
	m.touching.data = &m;
	logmaster_init(&m.log, m.loop, setup->log, setup->config);
	setup->hello(setup);
	if (begin_reign(&m, setup->config, &setup->listeners, &e)) {
		watch_touches(&m, setup->config);
		schedule(&m);
		ev_run(m.loop, 0);
		uwsgi_log(UWSGI_NOTE, "goodbye");
	} else {
		uwsgi_log(UWSGI_ERROR, "cannot start: %s", e.text);
		m.exit_code = EXIT_FAILURE;
	}
	touch_watch(&m.touch_reload, NULL);
	logmaster_fini(&m.log);
	tally_free(m.reign_setup.tally);
	ev_loop_destroy(m.loop);
	return m.exit_code;
}
