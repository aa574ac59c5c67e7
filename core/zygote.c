/* SPDX-License-Identifier: MIT */
/* zygote.c: imports the application, then forks a worker whenever the master asks for one.  It
 * serves nothing itself and has one thread; the interpreter stands still while it waits.
 * A worker is forked twice, so that it becomes the child of the master, which is a subreaper. */
#include "zygote.h"

#include "channel.h"
#include "child.h"
#include "clock.h"
#include "environment.h"
#include "privileges.h"
#include "requestlog.h"
#include "resources.h"
#include "title.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- importing ---- */

static _Noreturn void give_up(const struct zygote_setup *z, const struct error *e)
{
	channel_send_failure(z->channel, e);
	_exit(EXIT_FAILED_APP);
}

/* Where the master does not give up root for all. */
static int give_up_root(const struct config *cfg, enum privileges_when now, struct error *e)
{
	return privileges_when(cfg) == now ? privileges_give_up(cfg, e) : 0;
}

int zygote_prepare(const struct config *cfg, const struct app *app, const struct worker_info *info,
		   const char *start_folder, struct error *e)
{
	return resources_set_limits(cfg, e) || environment_enter_folder(cfg, start_folder, e) ||
			       environment_set_variables(cfg, e) || app->init(cfg, info, e)
		       ? -1
		       : 0;
}

static void import(const struct zygote_setup *z)
{
	const struct config *cfg = z->worker.config;
	const struct app *app = z->worker.app;
	const struct worker_settings *s = uwsgi_options(cfg, &worker_options);
	struct message m = { .kind = MESSAGE_IMPORTED };
	int64_t began_ms = clock_monotonic_ms();
	struct error e;

	if (give_up_root(cfg, PRIVILEGES_CHILDREN, &e) ||
	    zygote_prepare(cfg, app, &z->worker.info, z->start_folder, &e))
		give_up(z, &e);
	if (!s->lazy_apps && app->load(cfg, &e)) {
		if (s->need_app || z->worker.info.reloaded)
			give_up(z, &e);
		snprintf(m.text, sizeof m.text, "%.*s", (int)sizeof m.text - 1, e.text);
	}
	if (environment_enter_later_folder(cfg, &e) ||
	    give_up_root(cfg, PRIVILEGES_AFTER_IMPORT, &e))
		give_up(z, &e);
	m.value = clock_monotonic_ms() - began_ms;
	if (!channel_send(z->channel, &m, -1))
		_exit(EXIT_FAILURE);
}

/* ---- forking ---- */

static _Noreturn void become_worker(const struct zygote_setup *z, const struct message *order,
				    int channel, int gate)
{
	struct worker_setup w = z->worker;
	char role[32], byte;

	/* The zygote opens the gate when the process between is gone: only then is the master the
	 * parent whose death counts. */
	while (read(gate, &byte, 1) < 0 && errno == EINTR)
		;
	close(gate);
	child_die_with(w.info.master);
	close(z->channel);
	w.channel = channel;
	w.slot = (size_t)order->slot;
	w.info.id = order->worker;
	snprintf(role, sizeof role, "worker %d", w.info.id);
	title_set(w.config, role);
	resources_set_processors(w.config, w.info.id);
	w.app->fork_child(&w.info);
	_exit(worker_run(&w));
}

static void report_fork(const struct zygote_setup *z, const struct message *order, int64_t value)
{
	struct message m = { .kind = MESSAGE_FORKED, .slot = order->slot, .value = value };

	channel_send(z->channel, &m, -1);
}

/* The process between zygote and worker: its end makes the worker the master's child.  What it
 * sends arrives before that, so the master never reaps a worker that it does not know. */
static _Noreturn void become_between(const struct zygote_setup *z, const struct message *order,
				     int channel, const int gate[2])
{
	pid_t pid = fork();

	if (pid == 0) {
		close(gate[1]);
		become_worker(z, order, channel, gate[0]);
	}
	report_fork(z, order, pid > 0 ? pid : -errno);
	_exit(EXIT_SUCCESS);
}

static void fork_worker(const struct zygote_setup *z, const struct message *order, int channel)
{
	int gate[2];

	if (pipe2(gate, O_CLOEXEC)) {
		report_fork(z, order, -errno);
		return;
	}
	z->worker.app->fork_before();
	pid_t pid = fork();

	if (pid == 0)
		become_between(z, order, channel, gate);
	if (pid < 0)
		report_fork(z, order, -errno);
	else
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	close(gate[0]);
	close(gate[1]);
	z->worker.app->fork_parent();
}

_Noreturn void zygote_run(const struct zygote_setup *z)
{
	struct message order;
	int channel, got;

	child_set_signals();
	child_die_with(z->worker.info.master);
	requestlog_warn(z->worker.config);
	title_set(z->worker.config, "zygote");
	import(z);
	while ((got = channel_wait(z->channel, &order, &channel)) > 0) {
		if (order.kind == MESSAGE_FORK && channel >= 0)
			fork_worker(z, &order, channel);
		if (channel >= 0)
			close(channel);
	}
	_exit(EXIT_SUCCESS);
}
