/* SPDX-License-Identifier: MIT */
/* zygote.c: imports the application, then forks a worker whenever the master asks for one.  It
 * serves nothing itself and has one thread; the interpreter stands still while it waits.
 * A worker is forked twice, so that it becomes the child of the master, which is a subreaper. */
#include "process/zygote.h"

#include "work/channel.h"
#include "process/child.h"
#include "base/clock.h"
#include "process/environment.h"
#include "process/privileges.h"
#include "exchange/requestlog.h"
#include "process/resources.h"
#include "work/hooks.h"
#include "base/stray.h"
#include "process/proctitle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- importing ---- */

static _Noreturn void give_up(const struct zygote_setup *z, const struct error *e)
{
	channel_send_failure(z->channel, e);
	_exit(EXIT_FAILED_APP);
}

/* Before the first code of the application. */
static int expect_strays(const struct zygote_setup *z, struct error *e)
{
	const struct listeners *listeners = z->worker.listeners;
	int *fds = calloc(listeners->count + 1, sizeof *fds);
	const struct stray_sockets sockets = {
		.listeners = fds,
		.listener_count = listeners->count,
		.channel = z->channel,
		.queues = { z->worker.neighbours.give, z->worker.neighbours.take,
			    z->worker.successors.give, z->worker.successors.take },
	};

	if (!fds)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < listeners->count; i++)
		fds[i] = listeners->items[i].fd;
	int failed = stray_begin(&sockets, e);
	free(fds);
	return failed;
}

/* Where the master does not give up root for all. */
static int give_up_root(const struct config *cfg, enum privileges_when now, struct error *e)
{
	if (privileges_when(cfg) != now)
		return 0;
	return privileges_give_up(cfg, e) || hooks_run(cfg, HOOK_AS_USER, e) ? -1 : 0;
}

int zygote_prepare(const struct config *cfg, const char *start_folder, struct error *e)
{
	resources_set_limits(cfg);
	return environment_enter_folder(cfg, start_folder, e) || environment_set_variables(cfg, e)
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

	if (expect_strays(z, &e) || give_up_root(cfg, PRIVILEGES_CHILDREN, &e) ||
	    zygote_prepare(cfg, z->start_folder, &e) || hooks_wait_for_sockets(cfg, &e) ||
	    /* Before Python looks at the environment. */
	    (!s->lazy_apps && hooks_run(cfg, HOOK_PRE_APP, &e)) ||
	    app->init(cfg, &z->worker.info, &e))
		give_up(z, &e);
	if (!s->lazy_apps && app->load(cfg, &e)) {
		if (s->need_app || z->worker.info.reloaded)
			give_up(z, &e);
		snprintf(m.text, sizeof m.text, "%.*s", (int)sizeof m.text - 1, e.text);
	}
	if ((!s->lazy_apps && hooks_run(cfg, HOOK_POST_APP, &e)) ||
	    environment_enter_later_folder(cfg, &e) ||
	    give_up_root(cfg, PRIVILEGES_AFTER_IMPORT, &e))
		give_up(z, &e);
	m.value = clock_monotonic_ms() - began_ms;
	if (!channel_send(z->channel, &m, -1))
		_exit(EXIT_FAILURE);
}

/* ---- forking ---- */

/* What zygote, intermediate process and worker say to each other while a worker is made: the pid,
 * from the intermediate one; then "go", to the worker. */
enum { OWN, THEIRS };

static _Noreturn void become_worker(const struct zygote_setup *z, const struct message *order,
				    int channel, int gate)
{
	struct worker_setup w = z->worker;
	char role[32], go;
	struct error e;

	/* Until the intermediate process is gone and the master has been told: PR_SET_PDEATHSIG
	 * watches the parent of the moment, and the master must know whom it reaps. */
	ssize_t n = TEMP_FAILURE_RETRY(recv(gate, &go, 1, 0));
	close(gate);
	if (n != 1)
		_exit(EXIT_FAILURE);
	child_die_with(w.info.master);
	close(z->channel);
	stray_set_channel(channel);
	w.channel = channel;
	w.slot = (size_t)order->slot;
	w.info.id = order->worker;
	w.info.reloaded = w.info.reloaded || order->value;
	snprintf(role, sizeof role, "worker %d", w.info.id);
	proctitle_set(w.config, role);
	resources_set_processors(w.config, w.info.id);
	w.app->fork_child(&w.info);
	if (hooks_run(w.config, HOOK_POST_FORK, &e)) {
		channel_send_failure(channel, &e);
		_exit(EXIT_FAILED_APP);
	}
	_exit(worker_run(&w));
}

/* The intermediate process: its end makes the worker the master's child. */
static _Noreturn void become_between(const struct zygote_setup *z, const struct message *order,
				     int channel, const int gate[2])
{
	int64_t pid = stray_fork_own();

	if (pid == 0) {
		close(gate[OWN]);
		become_worker(z, order, channel, gate[THEIRS]);
	}
	if (pid < 0)
		pid = -errno;
	send(gate[THEIRS], &pid, sizeof pid, MSG_NOSIGNAL);
	_exit(EXIT_SUCCESS);
}

/* The worker's pid, which is the master's child now; or -errno.  It waits for "go". */
static int64_t fork_twice(const struct zygote_setup *z, const struct message *order, int channel,
			  const int gate[2])
{
	int64_t worker;
	pid_t pid = stray_fork_own();

	if (pid == 0)
		become_between(z, order, channel, gate);
	if (pid < 0)
		return -errno;
	(void)TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
	/* Killed before it could say the pid: nobody will say "go", and such a worker ends. */
	return recv(gate[OWN], &worker, sizeof worker, MSG_DONTWAIT) == sizeof worker ? worker
										      : -ECHILD;
}

static void fork_worker(const struct zygote_setup *z, const struct message *order, int channel)
{
	struct message m = { .kind = MESSAGE_FORKED, .slot = order->slot };
	int gate[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, gate)) {
		m.value = -errno;
		channel_send(z->channel, &m, -1);
		return;
	}
	z->worker.app->fork_before();
	m.value = fork_twice(z, order, channel, gate);
	/* Told before it goes on, so that the master never reaps a worker that it does not know. */
	if (channel_send(z->channel, &m, -1) && m.value > 0)
		send(gate[OWN], "", 1, MSG_NOSIGNAL);
	close(gate[OWN]);
	close(gate[THEIRS]);
	z->worker.app->fork_parent();
}

/* Whether it is the first worker of its number, which counts as one then. */
static bool is_first(bool *seen, int worker)
{
	bool first = worker > 0 && worker <= WORKERS_MAX && !seen[worker - 1];

	if (first)
		seen[worker - 1] = true;
	return first;
}

_Noreturn void zygote_run(const struct zygote_setup *setup)
{
	struct zygote_setup own = *setup, *z = &own;
	bool seen[WORKERS_MAX] = { false };
	struct message order;
	int channel;

	child_set_signals();
	child_die_with(z->worker.info.master);
	requestlog_warn(z->worker.config, z->worker.info.metrics);
	proctitle_set(z->worker.config, "zygote");
	import(z);
	while (channel_wait(z->channel, &order, &channel) > 0) {
		if (order.kind == MESSAGE_FORK && channel >= 0) {
			z->worker.is_first = is_first(seen, order.worker);
			fork_worker(z, &order, channel);
		}
		if (channel >= 0)
			close(channel);
	}
	_exit(EXIT_SUCCESS);
}
