/* SPDX-License-Identifier: MIT */
/* spawn.c: forks the zygote and the gateways of a generation.  Workers are forked by the zygote. */
#include "process/spawn.h"

#include "base/clock.h"
#include "process/gateway.h"
#include "process/zygote.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void become_zygote(const struct generation *g, pid_t master, int channel)
{
	const struct generation_host *host = g->host;
	const struct worker_settings *s = uwsgi_options(g->config, &worker_options);
	struct error e;
	const struct zygote_setup zygote = {
		.worker = {
			.config = g->config,
			.listeners = &g->listeners,
			.neighbours = g->neighbours,
			.successors = host->workers_left,
			.app = loader_find_app(host->loader, g->config, &e),
			.scoreboard = &g->scoreboard,
			.tally = host->tally,
			.info = {
				.processes = (int)s->processes,
				.threads = (int)s->threads,
				.master = master,
				.reloaded = g->is_reload,
			},
		},
		.start_folder = host->start_folder,
		.channel = channel,
	};

	struct migrate_queue others = host->gateways_left;

	host->forked(host->data, g);
	migrate_close(&others);
	zygote_run(&zygote);
}

static pid_t fork_zygote(const struct generation *g, int channel)
{
	pid_t master = getpid(), pid = fork();

	if (pid == 0)
		become_zygote(g, master, channel);
	return pid;
}

static pid_t fork_gateway(const struct generation *g, const struct slot *slot, int channel)
{
	const struct gateway_start start = {
		.config = g->config,
		.listeners = &g->listeners,
		.gateway = listeners_gateway(&g->listeners),
		.name = slot->name,
		.tally = g->host->tally,
		.successors = g->host->gateways_left,
		.channel = channel,
		.master = getpid(),
	};
	struct migrate_queue others = g->host->workers_left;
	pid_t pid = fork();

	if (pid == 0) {
		g->host->forked(g->host->data, g);
		migrate_close(&others);
		_exit(gateway_run(&start));
	}
	return pid;
}

static bool is_child(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

const struct generation_calls spawn_calls = {
	.fork_zygote = fork_zygote,
	.fork_gateway = fork_gateway,
	.kill = kill,
	.is_child = is_child,
	.now_ms = clock_monotonic_ms,
};
