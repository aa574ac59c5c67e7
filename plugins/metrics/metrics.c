/* SPDX-License-Identifier: MIT */
/* metrics.c: the options of metrics, and the process that finds their values out once a second. */
#include "metrics.h"

#include <ev.h>
#include <stdlib.h>

/* ---- options ---- */

static int valid_metric(const char *text, struct error *e)
{
	struct custom m;

	return custom_parse(&m, text, NULL, NULL, e);
}

static int valid_threshold(const char *text, struct error *e)
{
	struct threshold t;

	return threshold_parse(&t, text, NULL, NULL, e);
}

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
	{ .name = "enable-metrics",
	  .type = OPT_FLAG,
	  .offset = AT(enabled),
	  .initial = "false",
	  .help = "measure the server once a second: numbers with names, for stats, log-format, "
		  "applications and whom they are sent to; any other option about metrics does "
		  "the same" },
	{ .name = "metric",
	  .type = OPT_LIST,
	  .offset = AT(metrics),
	  .unit = "METRIC",
	  .valid = valid_metric,
	  .help = "one more metric: NAME, which the application counts, or name=NAME,type=gauge,… "
		  "as docs/observing.md has it",
	  .example = "name=load,type=gauge,collector=file,arg1=/proc/loadavg,freq=10",
	  .differs = "passes over unknown keys and types in silence, and can call C functions" },
	{ .name = "metric-threshold",
	  .type = OPT_LIST,
	  .offset = AT(thresholds),
	  .unit = "THRESHOLD",
	  .valid = valid_threshold,
	  .help = "when a metric reaches a value, log that, or set it back: "
		  "key=NAME,value=N,rate=SECONDS,reset=N,alarm=NAME,msg=TEXT",
	  .example = "key=worker.0.requests,value=1000000",
	  .differs = "has alarms that do something else than to log, and without rate tells once a "
		     "second" },
	{ .name = "metric-alarm", .same_as = "metric-threshold" },
	{ .name = "alarm-metric", .same_as = "metric-threshold" },
	{ .name = "metrics-dir",
	  .type = OPT_STRING,
	  .offset = AT(folder),
	  .unit = "FOLDER",
	  .help = "keep a file with its value for each metric in this folder, which is there and "
		  "the user may write to",
	  .example = "/run/app/metrics",
	  .differs = "fills each file with zeros up to 4096 bytes" },
	{ .name = "metric-dir", .same_as = "metrics-dir" },
	{ .name = "metrics-dir-restore",
	  .type = OPT_FLAG,
	  .offset = AT(restore),
	  .initial = "false",
	  .help = "at the start metrics that the application counts go on from what metrics-dir "
		  "has of them" },
	{ .name = "metric-dir-restore", .same_as = "metrics-dir-restore" },
	{ .name = "metrics-no-cores",
	  .type = OPT_FLAG,
	  .offset = AT(no_cores),
	  .initial = "false",
	  .help = "have no metrics of the threads of each worker" },
};
#undef AT

static void check(const struct config *, struct report *);

static const struct option_table options = {
	.module = "metrics",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

static const struct settings *settings_of(const struct config *cfg)
{
	return uwsgi_options(cfg, &options);
}

struct doubts {
	const struct config *config;
	struct report *report;
	const char *option;
};

static void doubt(void *data, const char *what)
{
	const struct doubts *d = data;

	uwsgi_config_doubt(d->config, d->report, UWSGI_WARNING, d->option, "%s", what);
}

static void check(const struct config *cfg, struct report *report)
{
	const struct settings *s = settings_of(cfg);
	struct doubts of_metrics = { cfg, report, "metric" },
		      of_thresholds = { cfg, report, "metric-threshold" };
	struct error e;

	for (size_t i = 0; i < s->metrics.count; i++) {
		struct custom m;

		custom_parse(&m, s->metrics.items[i], doubt, &of_metrics, &e);
	}
	for (size_t i = 0; i < s->thresholds.count; i++) {
		struct threshold t;

		threshold_parse(&t, s->thresholds.items[i], doubt, &of_thresholds, &e);
	}
	if (s->restore && !s->folder)
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "metrics-dir-restore",
				   "there is nothing to restore without metrics-dir");
}

static bool wants(const struct config *cfg)
{
	const struct settings *s = settings_of(cfg);

	return s->enabled || s->metrics.count || s->thresholds.count || s->folder;
}

/* ---- definitions ---- */

static struct extent extent_of(const struct config *cfg, size_t sockets)
{
	const long long *processes = uwsgi_config_setting(cfg, "processes"),
			*threads = uwsgi_config_setting(cfg, "threads");

	return (struct extent){ .workers = (size_t)*processes,
				.lanes = settings_of(cfg)->no_cores ? 0 : (size_t)*threads,
				.sockets = sockets };
}

static void define(const struct config *cfg, size_t sockets, struct metrics *all)
{
	const struct extent extent = extent_of(cfg, sockets);

	server_define(all, &extent);
	custom_define(all, &settings_of(cfg)->metrics);
}

/* ---- the process ---- */

struct process {
	const struct metrics *metrics;
	const struct status *status;
	struct ev_loop *loop;
	ev_timer timer;
	struct server_values *server;
	struct customs *customs;
	struct thresholds *thresholds;
	struct folder *folder; /* NULL: none is wanted */
};

static void turn(struct process *p)
{
	long long now = uwsgi_now_ms() / 1000;

	server_values_collect(p->server, p->status);
	customs_collect(p->customs, now);
	thresholds_watch(p->thresholds, now);
	if (p->folder)
		folder_write(p->folder, p->metrics);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	turn(w->data);
}

static size_t count_sockets(const struct status *status)
{
	struct socket_status s;
	size_t i = 0, count = 0;

	while (uwsgi_status_next_socket(status, &i, &s))
		count++;
	return count;
}

static int open_all(struct process *p, const struct service_setup *setup)
{
	const struct settings *s = settings_of(setup->config);
	const struct extent extent = extent_of(setup->config, count_sockets(setup->status));

	p->server = server_values_new(p->metrics, &extent);
	p->customs = customs_new(p->metrics, &s->metrics);
	p->thresholds = thresholds_new(p->metrics, &s->thresholds);
	p->folder = s->folder ? folder_new(p->metrics, s->folder) : NULL;
	return p->server && p->customs && p->thresholds && (p->folder || !s->folder) ? 0 : -1;
}

static int start(const struct service_setup *setup, void **state, struct error *e)
{
	struct process *p = calloc(1, sizeof *p);

	if (!p)
		return uwsgi_error_set(e, "out of memory");
	p->loop = setup->loop;
	p->status = setup->status;
	p->metrics = uwsgi_status_metrics(setup->status);
	if (open_all(p, setup))
		return uwsgi_error_set(e, "out of memory");
	if (p->folder && settings_of(setup->config)->restore)
		folder_restore(p->folder, p->metrics, customs_go_on, p->customs);
	*state = p;
	ev_timer_init(&p->timer, on_timer, 0., 1.);
	p->timer.data = p;
	ev_timer_start(p->loop, &p->timer);
	return 0;
}

static void stop(void *state)
{
	struct process *p = state;

	ev_timer_stop(p->loop, &p->timer);
	if (p->folder)
		folder_write(p->folder, p->metrics);
	server_values_free(p->server);
	customs_free(p->customs);
	thresholds_free(p->thresholds);
	folder_free(p->folder);
	free(p);
}

static const struct service service = {
	.name = "metrics", .wants = wants, .start = start, .stop = stop, .define = define
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI, .name = "metrics", .options = &options, .service = &service
};
