/* SPDX-License-Identifier: MIT */
/* master.c: the process that everything else is forked from: its loop, its signals, the ends of its
 * children.  What follows from them is decided in succession.c and generation.c.  Its children begin in
 * forks.c. */
#include "process/master_parts.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stray.h"
#include "log/logging.h"
#include "process/forks.h"
#include "process/proctitle.h"
#include "process/view.h"
#include "settings/option.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT(member) offsetof(struct master_settings, member)
static const struct option rows[] = {
	{ .name = "vacuum",
	  .type = OPT_FLAG,
	  .offset = AT(vacuum),
	  .initial = "false",
	  .help = "remove UNIX sockets when the server ends" },
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
	.check = hook_signals_check,
};

/* ---- memory ---- */

static int open_memory(struct master *m, struct error *e)
{
	const struct {
		struct shared **to;
		const char *name;
		size_t size;
	} all[] = {
		{ &m->totals, "totals", sizeof(struct totals) },
		{ &m->slow, "slow", slow_memory_size() },
		{ &m->warnings, "warnings", log_warnings_size() },
		{ &m->beside, "daemons", daemons_memory_size() },
		{ &m->below, "vassals", vassals_memory_size() },
		{ &m->crons, "crons", crons_memory_size() },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		*all[i].to = outliving_take(&m->outliving, all[i].name, 1, all[i].size, e);
		if (!*all[i].to)
			return -1;
	}
	m->host.totals = m->totals->p;
	m->cells.outliving = &m->outliving;
	m->host.cells = &m->cells;
	cgroup_find(&m->cgroup, "/sys/fs/cgroup", "/proc/self/cgroup");
	m->host.cgroup = &m->cgroup;
	if (!atomic_load(&m->host.totals->started_us)) {
		atomic_store(&m->host.totals->started_us, clock_wall_us());
		atomic_store(&m->host.totals->generation, 1);
	}
	m->slow_ring = slow_ring(m->slow->p);
	m->spans_ring = spans_ring(m->slow->p);
	const struct ring ring = log_warnings(m->warnings->p);
	log_keep_warnings(&ring);
	return 0;
}

static void relay(void *data, const struct message *order, int fd)
{
	struct master *m = data;

	relay_order(&m->relay, &m->succession, order, fd);
}

static bool is_child(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static const struct generation_calls calls = {
	.fork_zygote = forks_zygote,
	.fork_gateway = forks_gateway,
	.kill = kill,
	.is_child = is_child,
	.now_ms = clock_monotonic_ms,
};

/* ---- what generations tell ---- */

static void on_wake(void *data)
{
	struct master *m = data;

	ev_feed_event(m->loop, &m->timer, EV_TIMER);
}

static void on_in_force(void *data, const struct config *cfg)
{
	struct master *m = data;

	program_note(&m->takeover.program);
	chores_use(&m->chores, cfg);
	/* Services and attached programs go on as long as there are workers. */
	if (!cfg) {
		alarms_hurry(&m->alarms);
		balancers_break_off(&m->balancers);
		return;
	}
	alarms_use(&m->alarms, cfg);
	logmaster_show(&m->log, alarms_want_lines(&m->alarms) ? alarms_see : NULL, &m->alarms);
	hooks_keep(&m->at_exit, cfg);
	const struct limits_settings *limits = uwsgi_options(cfg, &limits_options);

	m->takeover.patience_s = limits->reload_timeout_s;
	daemons_use(&m->daemons, cfg, limits->reload_mercy_s * 1000);
	vassals_use(&m->vassals, cfg, limits->reload_mercy_s * 1000);
	allegiance_beat(&m->setup->emperor, emperor_heartbeat_s(cfg));
	services_use(&m->services, cfg, succession_listeners(&m->succession),
		     succession_metrics(&m->succession));
}

static void on_serves(void *data, const struct config *cfg)
{
	struct master *m = data;

	balancers_serve(&m->balancers, cfg);
	pidfiles_renew(m->setup->pidfiles);
}

static bool on_drains(void *data, const struct config *cfg)
{
	struct master *m = data;

	return balancers_drain(&m->balancers, cfg);
}

static void on_begun(void *data, const struct generation *g)
{
	struct master *m = data;

	services_show(&m->services, &g->scoreboard);
}

static bool on_replace(void *data, const struct cause *cause)
{
	struct master *m = data;

	return takeover_begin(&m->takeover, cause);
}

static const struct scoreboard *board(void *data, size_t i)
{
	const struct master *m = data;

	return succession_scoreboard(&m->succession, i);
}

/* ---- time ---- */

/* What workers may have needed to the last. */
static void dismiss(struct master *m)
{
	services_dismiss(&m->services);
	daemons_dismiss(&m->daemons, m->succession.mercy_ms);
	vassals_dismiss(&m->vassals, m->succession.mercy_ms);
	if (!m->dismissed)
		jobs_dismiss(&m->chores.jobs, clock_monotonic_ms() + m->succession.mercy_ms);
	m->dismissed = true;
}

/* Whether another program goes on, or this one.  Behind all others, which it may have to wait for. */
static void see_to_takeover(struct master *m, int64_t now_ms, int64_t *due_ms)
{
	enum takeover_news news = takeover_step(&m->takeover, now_ms, due_ms);

	if (news == TAKEOVER_QUIET)
		return;
	if (news == TAKEOVER_READY)
		takeover_execute(&m->takeover);
	succession_go_on(&m->succession, &m->takeover.cause);
	*due_ms = now_ms;
}

static void step(struct master *m)
{
	int64_t due_ms, now_ms;

	do
		due_ms = succession_step(&m->succession);
	while (balancers_step(&m->balancers, &due_ms));
	now_ms = clock_monotonic_ms();
	if (!m->succession.generations)
		dismiss(m);
	clock_keep_earlier(&due_ms, services_step(&m->services, now_ms));
	clock_keep_earlier(&due_ms, daemons_step(&m->daemons, now_ms));
	clock_keep_earlier(&due_ms,
			   alarms_step(&m->alarms, succession_listeners(&m->succession), now_ms));
	clock_keep_earlier(&due_ms, chores_step(&m->chores, now_ms));
	clock_keep_earlier(&due_ms, vassals_step(&m->vassals, now_ms));
	see_to_takeover(m, now_ms, &due_ms);
	ev_timer_stop(m->loop, &m->timer);
	if (!m->succession.generations && services_are_gone(&m->services) &&
	    daemons_are_gone(&m->daemons) && vassals_are_gone(&m->vassals) &&
	    jobs_are_gone(&m->chores.jobs) && balancers_are_told(&m->balancers))
		ev_break(m->loop, EVBREAK_ALL);
	if (due_ms == 0)
		return;
	ev_now_update(m->loop);
	ev_timer_set(&m->timer, due_ms > now_ms ? (double)(due_ms - now_ms) / 1000 : 0., 0.);
	ev_timer_start(m->loop, &m->timer);
}

/* ---- signals ---- */

/* A child that has ended, if there is one: looked at before it is reaped, because until then its pid
 * is nobody else's. */
static bool peek(siginfo_t *info)
{
	info->si_pid = 0;
	return TEMP_FAILURE_RETRY(waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT)) == 0 &&
	       info->si_pid;
}

/* Of a process of the server; NULL: it is none. */
static const char *name_of(const struct master *m, pid_t pid)
{
	const char *name = succession_name(&m->succession, pid);

	return name ? name : services_name(&m->services, pid);
}

static void reap(struct master *m)
{
	siginfo_t info;

	while (peek(&info)) {
		/* What it said in the log comes before what is said of it. */
		logmaster_drain(&m->log);
		const char *name = name_of(m, info.si_pid);

		if (name)
			alarms_crashed(&m->alarms, name, &info);
		if (!takeover_ended(&m->takeover, &info) &&
		    !services_ended(&m->services, &info, clock_monotonic_ms()) &&
		    !daemons_ended(&m->daemons, &info, clock_monotonic_ms()) &&
		    !chores_ended(&m->chores, &info, clock_monotonic_ms()) &&
		    !balancers_ended(&m->balancers, &info) && !alarms_ended(&m->alarms, &info) &&
		    !vassals_ended(&m->vassals, &info, clock_monotonic_ms()))
			succession_ended(&m->succession, &info);
		/* No generation's: the application left it behind, and the subreaper got it. */
		(void)TEMP_FAILURE_RETRY(waitpid(info.si_pid, NULL, 0));
	}
}

/* After a standstill, who was to be killed in it may have ended before. */
static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	reap(w->data);
	step(w->data);
}

static void stop(void *data, const struct cause *cause, bool now)
{
	struct master *m = data;
	bool again = m->succession.stopping;

	takeover_cancel(&m->takeover);
	succession_stop(&m->succession, cause, now);
	vassals_dismiss(&m->vassals, m->succession.mercy_ms);
	if (!again)
		return;
	daemons_hurry(&m->daemons, clock_monotonic_ms());
	jobs_dismiss(&m->chores.jobs, clock_monotonic_ms());
	vassals_hurry(&m->vassals, clock_monotonic_ms());
}

static void on_daemon_gone(void *data, const char *why)
{
	const struct cause cause = cause_of(why);
	struct master *m = data;

	if (!m->succession.stopping)
		stop(m, &cause, false);
}

/* Debian's init script sends TERM for force-reload, and this variable is its mark.  uWSGI reloads
 * then, unless it is told otherwise. */
static bool term_reloads(const struct master *m)
{
	const struct config *cfg = succession_config(&m->succession);

	if (!cfg || !getenv("UWSGI_DEB_CONFNAMESPACE"))
		return false;
	const struct directive *key = config_directive(cfg, "die-on-term");
	bool dies = key && !(key->value && option_boolean(key->value) == 0);

	return !dies && hook_signals_meaning(&m->meanings, SIGTERM) == SIGNAL_USUAL;
}

/* A command wants to see what the server does. */
static void tell_view(struct master *m, uint64_t ticket)
{
	const struct view_source source = { .totals = m->totals,
					    .slow = m->slow,
					    .warnings = m->warnings,
					    .vassals = m->below,
					    .listeners = succession_listeners(&m->succession),
					    .board = board,
					    .data = m };

	view_tell(ticket, &source);
}

static void print_status(void *data)
{
	const struct master *m = data;

	succession_print_status(&m->succession);
	vassals_print(&m->vassals);
}

/* False: the signal means what it usually does. */
static bool do_as_hooked(struct master *m, int signal, const struct cause *cause)
{
	enum signal_meaning meaning = hook_signals_meaning(&m->meanings, signal);

	switch (meaning) {
	case SIGNAL_USUAL:
		return false;
	case SIGNAL_STOPS:
	case SIGNAL_STOPS_NOW:
		stop(m, cause, meaning == SIGNAL_STOPS_NOW);
		break;
	case SIGNAL_RELOADS:
		succession_reload(&m->succession, cause);
		break;
	case SIGNAL_PRINTS:
		print_status(m);
		break;
	case SIGNAL_PAUSES:
		succession_pause(&m->succession, cause);
		break;
	}
	return true;
}

static void on_signal(struct master *m, const struct signalfd_siginfo *info)
{
	struct cause cause;

	if (info->ssi_signo == SIGCHLD) {
		reap(m);
		return;
	}
	cause = cause_of_signal(info);
	/* Commands of --reload and --status carry a ticket, and mean what they say. */
	if (!cause.ticket && do_as_hooked(m, (int)info->ssi_signo, &cause))
		return;
	if (info->ssi_signo == SIGUSR1) {
		if (cause.ticket)
			tell_view(m, cause.ticket);
		else
			print_status(m);
		return;
	}
	if (info->ssi_signo == SIGTSTP) {
		succession_pause(&m->succession, &cause);
		return;
	}
	if (info->ssi_signo == SIGTTIN || info->ssi_signo == SIGTTOU) {
		succession_resize(&m->succession, info->ssi_signo == SIGTTIN ? 1 : -1, &cause);
		return;
	}
	if (info->ssi_signo == SIGHUP || (info->ssi_signo == SIGTERM && term_reloads(m)))
		succession_reload(&m->succession, &cause);
	else
		stop(m, &cause, info->ssi_signo != SIGTERM);
}

/* Signals that come meanwhile have to wait for the next round: without end, they would keep the master from
 * everything else. */
static void on_signals(struct watch *w)
{
	struct master *m = w->data;
	struct signalfd_siginfo info[16];
	ssize_t n = read(w->io.fd, info, sizeof info);

	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof *info; i++)
		on_signal(m, &info[i]);
	step(m);
}

/* The emperor of this server says so, or is gone. */
static void on_emperor(void *data, int word)
{
	const struct cause cause =
		cause_of(word < 0 ? "the emperor is gone" : "the emperor says so");
	struct master *m = data;

	if (word == ALLEGIANCE_RELOAD)
		succession_reload(&m->succession, &cause);
	else if (!m->succession.stopping && (word < 0 || word == ALLEGIANCE_STOP))
		stop(m, &cause, word < 0);
	on_wake(m);
}

/* ---- start ---- */

/* libev would not say who has sent a signal.  Children unblock theirs: child_set_signals(). */
static int watch_signals(struct master *m, struct error *e)
{
	static const int signals[] = { SIGCHLD, SIGHUP,  SIGTERM, SIGINT, SIGQUIT,
				       SIGUSR1, SIGTTIN, SIGTTOU, SIGTSTP };
	sigset_t set;

	sigemptyset(&set);
	hook_signals_read(&m->meanings, m->setup->config);
	hook_signals_add(&m->meanings, &set);
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
	watch_init(&m->signals, fd, EV_READ, on_signals, m);
	watch_start(&m->signals, m->loop);
	return 0;
}

/* In any process of the server.  libev needs a new epoll after a fork, and when it hears of a
 * connection that was given away; without this it would abort().  When this returns it tries again. */
static void on_libev_failure(const char *what)
{
	uwsgi_log(UWSGI_ERROR, "%s: %s; trying again", what, strerror(errno));
	usleep(100000);
}

static int open_common(struct master *m, struct error *e)
{
	struct carry *taken = m->setup->taken;

	if (taken)
		state_carry_common(&m->takeover.mine, taken);
	if (open_memory(m, e))
		return -1;
	return !taken && (migrate_open(&m->host.workers_left, e) ||
			  migrate_open(&m->host.gateways_left, e))
		       ? -1
		       : 0;
}

static void connect_services(struct master *m)
{
	m->services.loop = m->loop;
	m->services.loader = m->setup->loader;
	m->services.fork = forks_service;
	m->services.board = board;
	m->services.relay = relay;
	m->services.wake = on_wake;
	m->services.beat_ms = &m->host.totals->beat_ms;
	m->services.data = m;
	m->chores = (struct chores){ .jobs.fork = forks_job,
				     .succession = &m->succession,
				     .stop = stop,
				     .print = print_status,
				     .wake = on_wake,
				     .data = m };
	chores_init(&m->chores, m->loop, crons_ring(m->crons->p));
	daemons_init(&m->daemons, daemons_ring(m->beside->p));
	m->daemons.loop = m->loop;
	m->daemons.fork = forks_daemon;
	m->daemons.wake = on_wake;
	m->daemons.end = on_daemon_gone;
	m->daemons.data = m;
	alarms_init(&m->alarms);
	m->alarms.loop = m->loop;
	m->alarms.fork = forks_alarm;
	m->alarms.wake = on_wake;
	m->alarms.data = m;
	vassals_init(&m->vassals, vassals_ring(m->below->p));
	m->vassals.loop = m->loop;
	m->vassals.fork = forks_vassal;
	m->vassals.wake = on_wake;
	m->vassals.data = m;
}

/* What the program before this one has left. */
static int take_over(struct master *m, struct error *e)
{
	state_carry_processes(&m->takeover.mine, m->setup->taken);
	outliving_settle(&m->outliving);
	if (carry_end(m->setup->taken, e))
		return -1;
	m->setup->config = m->succession.serving->config;
	logging_use(m->setup->config);
	return 0;
}

static void init_takeover(struct master *m)
{
	const struct master_setup *setup = m->setup;

	takeover_init(&m->takeover, &(struct state){ .invocation = setup->invocation,
						     .pidfiles = setup->pidfiles,
						     .outliving = &m->outliving,
						     .cells = &m->cells,
						     .host = &m->host,
						     .announcer = &m->announcer,
						     .succession = &m->succession,
						     .services = &m->services,
						     .daemons = &m->daemons,
						     .chores = &m->chores,
						     .alarms = &m->alarms,
						     .vassals = &m->vassals,
						     .balancers = &m->balancers,
						     .log = &m->log });
}

static int prepare(struct master *m, struct error *e)
{
	struct master_setup *setup = m->setup;

	m->signals.io.fd = -1;
	init_takeover(m);
	ev_set_syserr_cb(on_libev_failure);
	if (stray_init(e))
		return -1;
	/* poll(2) needs none of the kernel's memory for each descriptor, and there are few. */
	m->loop = ev_loop_new(EVBACKEND_POLL);
	if (!m->loop)
		return uwsgi_error_set(e, "cannot make an event loop: %s", strerror(errno));
	m->host = (struct generation_host){ .loop = m->loop,
					    .calls = &calls,
					    .loader = setup->loader,
					    .workers_left = MIGRATE_NO_QUEUE,
					    .gateways_left = MIGRATE_NO_QUEUE,
					    .wake = on_wake,
					    .data = m };
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ev_timer_init(&m->timer, on_timer, 0., 0.);
	m->timer.data = m;
	m->announcer = (struct announcer){ .starter = setup->served,
					   .notify = setup->notify,
					   .emperor = &setup->emperor,
					   .daemonized = getpid() != setup->started };
	if (open_common(m, e))
		return -1;
	m->succession_setup = (struct succession_setup){ .invocation = setup->invocation,
							 .loader = setup->loader,
							 .load = setup->load,
							 .log = &m->log,
							 .announcer = &m->announcer,
							 .in_force = on_in_force,
							 .serves = on_serves,
							 .drains = on_drains,
							 .begun = on_begun,
							 .replace = on_replace,
							 .data = m };
	succession_init(&m->succession, &m->succession_setup, &m->host);
	pulse_start(&m->pulse, m->loop, &m->announcer.notify, &m->succession, m->host.totals);
	connect_services(m);
	balancers_init(&m->balancers, &m->announcer, &m->succession, forks_command, m);
	setup->emperor.heard = on_emperor;
	setup->emperor.data = m;
	allegiance_begin(&setup->emperor, m->loop);
	return (setup->taken && take_over(m, e)) || watch_signals(m, e) ? -1 : 0;
}

/* The first generation, or those that another program has left.  Returns -1 with the reason. */
static int begin(struct master *m, struct error *e)
{
	struct master_setup *setup = m->setup;

	if (setup->taken) {
		succession_resume(&m->succession, &setup->cause);
		/* SIGCHLD may have been taken by the program before. */
		reap(m);
		return 0;
	}
	announce_importing(&m->announcer);
	return succession_begin(&m->succession, setup->config, &setup->listeners, e);
}

static void run(struct master *m)
{
	struct master_setup *setup = m->setup;
	struct error e;

	proctitle_set(setup->config, "master");
	logmaster_init(&m->log, m->loop, setup->log, setup->config);
	setup->hello(setup);
	if (begin(m, &e) == 0) {
		if (term_reloads(m))
			uwsgi_log(UWSGI_NOTE, "SIGTERM reloads, as Debian's init script wants it "
					      "(UWSGI_DEB_CONFNAMESPACE is set); with "
					      "die-on-term = true it stops the server");
		step(m);
		ev_run(m->loop, 0);
		uwsgi_log(UWSGI_NOTE, "goodbye");
	} else {
		uwsgi_log(UWSGI_ERROR, "cannot start: %s", e.text);
		m->succession.exit_code = EXIT_FAILURE;
	}
	on_in_force(m, NULL);
	pulse_stop(&m->pulse);
	balancers_fini(&m->balancers);
	daemons_fini(&m->daemons);
	chores_fini(&m->chores);
	logmaster_show(&m->log, NULL, NULL);
	alarms_fini(&m->alarms);
	vassals_fini(&m->vassals);
	allegiance_close(&setup->emperor);
	logmaster_fini(&m->log);
	hooks_run_kept(&m->at_exit, clock_monotonic_ms() + m->succession.mercy_ms);
	hooks_forget(&m->at_exit);
}

int master_rehearse(struct master_setup *setup, struct error *e)
{
	struct master m = { .setup = setup };

	/* All of it goes with the process. */
	return prepare(&m, e) || succession_rehearse(&m.succession, e) ? -1 : 0;
}

int master_run(struct master_setup *setup)
{
	struct master m = { .setup = setup };
	struct error e;

	if (prepare(&m, &e)) {
		uwsgi_log(UWSGI_ERROR, "cannot start: %s", e.text);
		return EXIT_FAILURE;
	}
	run(&m);
	migrate_close(&m.host.workers_left);
	migrate_close(&m.host.gateways_left);
	log_keep_warnings(&(struct ring){ 0 });
	cells_fini(&m.cells);
	outliving_fini(&m.outliving);
	takeover_fini(&m.takeover);
	close(m.signals.io.fd);
	ev_loop_destroy(m.loop);
	return m.succession.exit_code;
}
