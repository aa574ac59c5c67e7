/* SPDX-License-Identifier: MIT */
/* forks.c: what each child of the master begins with.  Workers are forked by their zygote. */
#include "process/forks.h"

#include "process/gateway.h"
#include "process/master_parts.h"
#include "process/minder.h"
#include "process/service.h"
#include "process/status.h"
#include "process/vassal.h"
#include "process/zygote.h"
#include "work/applications.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Closes what is not its own. */
static void enter_child(struct master *m, const struct generation *own)
{
	succession_enter_child(&m->succession, own);
	close(m->signals.io.fd);
	logmaster_enter_child(&m->log);
	alarms_enter_child(&m->alarms);
	chores_enter_child(&m->chores);
	pidfiles_close(m->setup->pidfiles);
	announce_enter_child(&m->announcer);
	takeover_enter_child(&m->takeover);
	services_enter_child(&m->services);
	vassals_enter_child(&m->vassals);
	outliving_enter_child(&m->outliving);
}

/* In one that belongs to no generation. */
static void enter_outsider(struct master *m)
{
	enter_child(m, NULL);
	migrate_close(&m->host.workers_left);
	migrate_close(&m->host.gateways_left);
}

static _Noreturn void become_zygote(struct master *m, const struct generation *g, pid_t master,
				    int channel)
{
	const struct worker_settings *s = uwsgi_options(g->config, &worker_options);
	struct error e; /* that there is one was asked before */
	const struct handler *handlers[LOADER_MAX];
	size_t handler_count = loader_find_handlers(m->host.loader, g->config, handlers);
	/* What the application may see of the server; it reads, and asks for no memory of its own. */
	struct scoreboard board = g->scoreboard;
	const struct status status = { .totals = m->host.totals,
				       .boards = &board,
				       .count = 1,
				       .master = master };
	const struct zygote_setup zygote = {
		.worker = {
			.config = g->config,
			.listeners = &g->listeners,
			.neighbours = g->neighbours,
			.successors = m->host.workers_left,
			.app = applications_find(m->host.loader, g->config, &e),
			.handlers = handlers,
			.handler_count = handler_count,
			.is_watched = services_are_wanted(m->host.loader, g->config),
			.takes_orders = services_give_orders(m->host.loader, g->config),
			.scoreboard = &g->scoreboard,
			.totals = m->host.totals,
			.slow = &m->slow_ring,
			.spans = &m->spans_ring,
			.span_percent = services_want_spans(m->host.loader, g->config),
			.info = {
				.processes = (int)s->processes,
				.threads = (int)s->threads,
				.master = master,
				.reloaded = g->is_reload,
				.metrics = &g->metrics,
				.status = &status,
			},
		},
		.start_folder = m->setup->invocation->cwd,
		.channel = channel,
	};

	enter_child(m, g);
	migrate_close(&m->host.gateways_left);
	zygote_run(&zygote);
}

pid_t forks_zygote(const struct generation *g, int channel)
{
	struct master *m = g->host->data;

	alarms_expect(&m->alarms, g->config);
	pid_t master = getpid(), pid = fork();

	if (pid == 0)
		become_zygote(m, g, master, channel);
	return pid;
}

pid_t forks_gateway(const struct generation *g, const struct slot *slot, int channel)
{
	struct master *m = g->host->data;
	const struct gateway_start start = {
		.config = g->config,
		.listeners = &g->listeners,
		.gateway = listeners_gateway(&g->listeners),
		.name = slot->name,
		.totals = m->host.totals,
		.successors = m->host.gateways_left,
		.channel = channel,
		.master = getpid(),
	};
	pid_t pid = fork();

	if (pid == 0) {
		enter_child(m, g);
		migrate_close(&m->host.workers_left);
		_exit(gateway_run(&start));
	}
	return pid;
}

pid_t forks_service(void *data, const struct service *service, const char *name, int channel)
{
	struct master *m = data;
	struct service_start start = { .service = service,
				       .config = succession_config(&m->succession),
				       .name = name,
				       .totals = m->totals->p,
				       .slow = m->slow->p,
				       .warnings = log_warnings(m->warnings->p),
				       .daemons = daemons_ring(m->beside->p),
				       .vassals = vassals_ring(m->below->p),
				       .crons = crons_ring(m->crons->p),
				       .metrics = succession_metrics(&m->succession),
				       .channel = channel,
				       .master = getpid() };
	struct error e;
	pid_t pid = fork();

	if (pid == 0) {
		/* What the server counts can only be read here. */
		if (service_listeners(&start.listeners, succession_listeners(&m->succession), &e) ||
		    shared_give_up_writing(m->totals, &e) || shared_give_up_writing(m->slow, &e) ||
		    shared_give_up_writing(m->beside, &e) || shared_give_up_writing(m->below, &e) ||
		    shared_give_up_writing(m->crons, &e)) {
			channel_send_failure(channel, &e);
			_exit(EXIT_FAILURE);
		}
		enter_outsider(m);
		_exit(service_run(&start));
	}
	return pid;
}

/* A process beside the generations.  Nothing that the master tells it is lost before it listens. */
static pid_t fork_beside(struct master *m)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();

	if (pid == 0) {
		enter_outsider(m);
		return 0;
	}
	int why = errno;

	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = why;
	return pid;
}

static pid_t fork_program(struct master *m, const struct minder_start *start, bool minded)
{
	pid_t pid = fork_beside(m);

	if (pid != 0)
		return pid;
	if (!minded)
		minder_launch(start);
	minder_run(start);
}

static struct minder_start start_of(const struct master *m, const struct attached *what,
				    const char *name)
{
	return (struct minder_start){ .what = what,
				      .config = succession_config(&m->succession),
				      .name = name,
				      .start_folder = m->setup->invocation->cwd,
				      .master = getpid(),
				      .input = -1,
				      .output = -1 };
}

pid_t forks_daemon(void *data, const struct daemon *d)
{
	const struct minder_start start = start_of(data, &d->what, d->name);

	return fork_program(data, &start, !d->what.pidfile);
}

pid_t forks_job(void *data, const struct attached *what, const char *name)
{
	struct minder_start start = start_of(data, what, name);

	start.waits = true;
	return fork_program(data, &start, true);
}

/* What it says does not go through the log's pipe: it would raise the alarm again. */
pid_t forks_alarm(void *data, const char *command, const char *name, int input)
{
	const struct attached what = { .command = command };
	struct minder_start start = start_of(data, &what, name);
	pid_t pid = -1;

	start.input = input;
	start.output = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	errno = ESHUTDOWN; /* all generations are gone */
	if (start.config)
		pid = fork_program(data, &start, false);
	if (start.output >= 0)
		close(start.output);
	return pid;
}

pid_t forks_vassal(void *data, const struct vassal *v, int channel)
{
	struct master *m = data;
	const struct vassal_start start = { .what = v,
					    .config = succession_config(&m->succession),
					    .program = m->setup->invocation->argv[0],
					    .binary = m->setup->binary,
					    .channel = channel,
					    .master = getpid() };
	pid_t pid = fork_beside(m);

	if (pid == 0)
		vassal_run(&start);
	return pid;
}

pid_t forks_command(void *data, const char *command, const char *name)
{
	const struct attached what = { .command = command };
	const struct minder_start start = start_of(data, &what, name);

	return fork_program(data, &start, true);
}
