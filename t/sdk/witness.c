/* SPDX-License-Identifier: MIT */
/* witness.c: a service outside the tree that tells whoever connects all that a service can see: a line
 * for each thing, its kind first, with tabs between its members. */
#include <uwsgi/plugin.h>

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct option rows[] = {
	{ .name = "witness",
	  .type = OPT_LIST,
	  .listen = LISTEN_SERVICE,
	  .help = "tell whoever connects here what the server does",
	  .example = "127.0.0.1:9191" },
};

static const struct option_table options = { .module = "witness",
					     .size = sizeof(struct option_list),
					     .rows = rows,
					     .count = 1 };

struct witness {
	const struct status *status;
	ev_io listening;
};

static const char *const stages[] = { "gone", "starting", "serving", "leaving" };

static void tell_histogram(FILE *f, const char *name, const struct histogram *h)
{
	fprintf(f, "%s\tcount=%llu\tsum=%llu\thalf=%llu\tp99=%llu\n", name,
		uwsgi_histogram_count(h), h->sum_us, uwsgi_histogram_quantile_us(h, 0.5),
		uwsgi_histogram_quantile_us(h, 0.99));
}

static void tell_server(FILE *f, const struct status *status)
{
	struct server_status s;

	uwsgi_status_server(status, &s);
	fprintf(f,
		"server\tmaster=%ld\tgeneration=%d\tstarted=%lld\treloads=%u\tfailed_reloads=%u\t"
		"overflows=%llu\trequests=%llu\tok=%llu\tnot_found=%llu\terrors=%llu\tfailed=%llu\t"
		"sent=%llu\tunsent=%llu\tunread=%llu\tfiles=%llu\trouted=%llu\n",
		(long)s.master, s.generation, s.started_us, s.reloads, s.failed_reloads,
		s.queue_overflows, uwsgi_counts_requests(&s.counts), s.counts.answers[2],
		s.counts.answers[4], s.counts.answers[5], s.counts.failed, s.counts.sent,
		s.counts.unsent, s.counts.unread, s.counts.files, s.counts.routed);
	tell_histogram(f, "wait", &s.counts.wait);
	tell_histogram(f, "run", &s.counts.run);
	tell_histogram(f, "send", &s.counts.send);
}

static void tell_processes(FILE *f, const struct status *status)
{
	struct generation_status g;
	struct process_status p;
	struct worker_status w;

	for (size_t i = 0; uwsgi_status_next_generation(status, &i, &g);)
		fprintf(f, "generation\tnumber=%d\tstage=%s\tsince=%lld\tworkers=%d\tlanes=%d\n",
			g.number, stages[g.stage], g.since_us, g.workers, g.lanes);
	for (size_t i = 0; uwsgi_status_next_process(status, &i, &p);)
		fprintf(f,
			"process\tworker=%d\tgeneration=%d\tpid=%ld\tstage=%s\tsince=%lld\t"
			"requests=%llu\tbusy=%d\tresident=%llu\tshare=%llu\n",
			p.worker, p.generation, (long)p.pid, stages[p.stage], p.since_us,
			p.requests, p.busy, p.resident, p.share);
	for (size_t i = 0; uwsgi_status_next_worker(status, &i, &w);)
		fprintf(f, "worker\tnumber=%d\tpid=%ld\tstage=%s\tspawns=%u\trequests=%llu\n",
			w.worker, (long)w.pid, stages[w.stage], w.spawns, w.requests);
}

static void tell_events(FILE *f, const struct status *status)
{
	struct slow_status s;
	struct warning_status w;

	for (size_t i = 0; uwsgi_status_next_slow(status, &i, &s);)
		fprintf(f,
			"slow\tat=%lld\tworker=%d\tlane=%d\tstatus=%d\twait=%llu\trun=%llu\t"
			"send=%llu\tmethod=%s\turi=%s\ttrace=%s\n",
			s.at_us, s.worker, s.lane, s.status, s.wait_us, s.run_us, s.send_us,
			s.method, s.uri, s.trace_id);
	for (size_t i = 0; uwsgi_status_next_warning(status, &i, &w);)
		fprintf(f, "warning\tat=%lld\tpid=%ld\terror=%d\ttext=%.*s\n", w.at_us, (long)w.pid,
			w.severity == UWSGI_ERROR, (int)strcspn(w.text, "\n"), w.text);
}

static void on_client(struct ev_loop *loop, ev_io *w, int events)
{
	const struct witness *witness = w->data;
	int client = accept(w->fd, NULL, NULL);
	FILE *f = client < 0 ? NULL : fdopen(client, "w");

	(void)loop;
	(void)events;
	if (!f)
		return;
	tell_server(f, witness->status);
	tell_processes(f, witness->status);
	tell_events(f, witness->status);
	fclose(f);
}

static bool wants(const struct config *cfg)
{
	return ((const struct option_list *)uwsgi_options(cfg, &options))->count > 0;
}

static int start(const struct service_setup *setup, void **state, struct error *e)
{
	struct witness *w = calloc(1, sizeof *w);

	if (!w)
		return uwsgi_error_set(e, "out of memory");
	w->status = setup->status;
	ev_io_init(&w->listening, on_client, setup->sockets[0], EV_READ);
	w->listening.data = w;
	ev_io_start(setup->loop, &w->listening);
	uwsgi_log(UWSGI_WARNING, "a witness looks at you");
	*state = w;
	return 0;
}

static void stop(void *state)
{
	free(state);
}

static const struct service service = {
	.name = "witness", .wants = wants, .start = start, .stop = stop
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI, .name = "witness", .options = &options, .service = &service
};
