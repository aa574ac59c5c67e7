/* SPDX-License-Identifier: MIT */
/* metrics.c: the options of metrics, and the process that finds their values out once a second. */
#include "push.h"

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

/* They are part of each line. */
static int valid_tags(const char *text, struct error *e)
{
	if (strlen(text) > 300)
		return uwsgi_error_set(e, "these are more than 300 characters");
	if (text[strcspn(text, "| \t\r\n")])
		return uwsgi_error_set(e, "there can be no | and no blank in tags");
	return 0;
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
	  .differs =
		  "without rate tells once a second, and the log nothing where there is an alarm" },
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
	{ .name = "stats-push",
	  .type = OPT_LIST,
	  .offset = AT(push.pushes),
	  .unit = "KIND:WHERE",
	  .valid = push_valid,
	  .help = "send metrics or statistics away, again and again: statsd:HOST:PORT,PREFIX, "
		  "dogstatsd:, socket:, carbon:HOST:PORT or file:path=FILE",
	  .example = "statsd:127.0.0.1:8125,myapp",
	  .differs =
		  "sends counters to statsd as they are, which adds them up again and again, each "
		  "in a datagram of its own; also knows mongodb, rrdtool and zabbix" },
	{ .name = "stats-pusher-default-freq",
	  .type = OPT_SECONDS,
	  .offset = AT(push.every_s),
	  .initial = "3",
	  .min = 1,
	  .max = 86400,
	  .help = "how often stats-push sends" },
	{ .name = "stats-pushers-default-freq", .same_as = "stats-pusher-default-freq" },
	{ .name = "statsd-all-gauges",
	  .type = OPT_FLAG,
	  .offset = AT(push.statsd_gauges),
	  .initial = "false",
	  .help = "tell statsd the values of counters, too, as gauges" },
	{ .name = "statsd-no-workers",
	  .type = OPT_FLAG,
	  .offset = AT(push.statsd_no_workers),
	  .initial = "false",
	  .help = "send statsd no metrics of single workers" },
	{ .name = "dogstatsd-all-gauges",
	  .type = OPT_FLAG,
	  .offset = AT(push.dog_gauges),
	  .initial = "false",
	  .help = "tell dogstatsd the values of counters, too, as gauges" },
	{ .name = "dogstatsd-no-workers",
	  .type = OPT_FLAG,
	  .offset = AT(push.dog_no_workers),
	  .initial = "false",
	  .help = "send dogstatsd no metrics of single workers" },
	{ .name = "dogstatsd-extra-tags",
	  .type = OPT_STRING,
	  .offset = AT(push.dog_tags),
	  .valid = valid_tags,
	  .unit = "TAGS",
	  .help = "tags for all that goes to dogstatsd",
	  .example = "app:shop,env:production" },
	{ .name = "dogstatsd-whitelist-metric",
	  .type = OPT_LIST,
	  .offset = AT(push.dog_metrics),
	  .unit = "NAME",
	  .help = "send dogstatsd only this metric and others so named: without prefix and numbers",
	  .example = "worker.requests" },
	{ .name = "carbon",
	  .type = OPT_LIST,
	  .offset = AT(push.carbons),
	  .unit = "HOST:PORT",
	  .valid = push_valid_carbon,
	  .help = "send statistics to this carbon server (Graphite)",
	  .example = "127.0.0.1:2003",
	  .differs = "looks names up only with carbon-resolve-names, and waits for that" },
	{ .name = "carbon-freq",
	  .type = OPT_SECONDS,
	  .offset = AT(push.carbon_every_s),
	  .initial = "60",
	  .min = 1,
	  .max = 86400,
	  .help = "how often carbon is sent something" },
	{ .name = "carbon-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(push.carbon_timeout_s),
	  .initial = "3",
	  .min = 1,
	  .max = 3600,
	  .help = "how long carbon has to take it" },
	{ .name = "carbon-max-retry",
	  .type = OPT_INT,
	  .offset = AT(push.carbon_retries),
	  .initial = "0",
	  .max = 1000,
	  .help = "how often it is tried again when that fails" },
	{ .name = "carbon-retry-delay",
	  .type = OPT_SECONDS,
	  .offset = AT(push.carbon_retry_s),
	  .initial = "7",
	  .min = 1,
	  .max = 3600,
	  .help = "how long after" },
	{ .name = "carbon-root",
	  .type = OPT_STRING,
	  .offset = AT(push.carbon_root),
	  .initial = "uwsgi",
	  .bare = "",
	  .unit = "NAME",
	  .help = "what names begin with that carbon is sent; empty: with the host" },
	{ .name = "carbon-id",
	  .type = OPT_STRING,
	  .offset = AT(push.carbon_id),
	  .unit = "NAME",
	  .help = "what this server is called in them; without, as its first socket, with _ for "
		  "each dot",
	  .example = "shop" },
	{ .name = "carbon-hostname-alias",
	  .type = OPT_STRING,
	  .offset = AT(push.carbon_alias),
	  .unit = "NAME",
	  .help = "what this machine is called in them; without, as hostname says",
	  .example = "web1" },
	{ .name = "carbon-hostname-dots",
	  .type = OPT_STRING,
	  .offset = AT(push.carbon_dots),
	  .unit = "CHARACTER",
	  .help = "write this instead of each dot of the machine's name",
	  .example = "_" },
	{ .name = "carbon-idle-avg",
	  .type = OPT_CHOICE,
	  .offset = AT(push.carbon_idle),
	  .choices = (const char *const[]){ "last", "zero", "none", NULL },
	  .initial = "last",
	  .help = "the avg_rt of a worker that had no request since the last time" },
	{ .name = "carbon-no-workers",
	  .type = OPT_FLAG,
	  .offset = AT(push.carbon_no_workers),
	  .initial = "false",
	  .help = "send carbon nothing about single workers" },
	{ .name = "carbon-use-metrics",
	  .type = OPT_FLAG,
	  .offset = AT(push.carbon_metrics),
	  .initial = "false",
	  .help = "send carbon metrics, with their names" },
	{ .name = "carbon-resolve-names",
	  .type = OPT_FLAG,
	  .offset = AT(push.carbon_resolve),
	  .initial = "false",
	  .help = "take a name for the address of carbon, which is always so here" },
	{ .name = "carbon-name-resolve", .same_as = "carbon-resolve-names" },
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
	const char *option, *item;
};

static void doubt(void *data, const char *what)
{
	const struct doubts *d = data;

	uwsgi_config_doubt_item(d->config, d->report, UWSGI_WARNING, d->option, d->item, "%s",
				what);
}

static void check(const struct config *cfg, struct report *report)
{
	const struct settings *s = settings_of(cfg);
	struct doubts of_metrics = { cfg, report, "metric", NULL },
		      of_thresholds = { cfg, report, "metric-threshold", NULL };
	struct error e;
	struct stat st;

	for (size_t i = 0; i < s->metrics.count; i++) {
		struct custom m;

		of_metrics.item = s->metrics.items[i];
		custom_parse(&m, s->metrics.items[i], doubt, &of_metrics, &e);
	}
	for (size_t i = 0; i < s->thresholds.count; i++) {
		struct threshold t;

		of_thresholds.item = s->thresholds.items[i];
		threshold_parse(&t, s->thresholds.items[i], doubt, &of_thresholds, &e);
	}
	for (size_t i = 0; i < s->push.pushes.count; i++)
		if (push_is_foreign(s->push.pushes.items[i]))
			uwsgi_config_doubt_item(cfg, report, UWSGI_WARNING, "stats-push",
						s->push.pushes.items[i],
						"%s: not supported here, and nothing is sent there",
						s->push.pushes.items[i]);
	/* A relative one is seen from where the server will be. */
	if (uwsgi_config_thorough(report) && s->folder && *s->folder == '/' &&
	    (stat(s->folder, &st) || !S_ISDIR(st.st_mode)))
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "metrics-dir",
				   "there is no such folder; no files of metrics are written");
	if (s->restore && !s->folder)
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "metrics-dir-restore",
				   "there is nothing to restore without metrics-dir");
}

static bool wants(const struct config *cfg)
{
	const struct settings *s = settings_of(cfg);

	return s->enabled || s->metrics.count || s->thresholds.count || s->folder ||
	       push_wants(&s->push);
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
	struct push_source source;
	struct pushers *pushers;
};

static void turn(struct process *p)
{
	long long now = uwsgi_now_ms() / 1000;

	server_values_collect(p->server, p->status);
	customs_collect(p->customs, now);
	thresholds_watch(p->thresholds, now);
	if (p->folder)
		folder_write(p->folder, p->metrics);
	pushers_push(p->pushers, now);
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

/* As the options of stats say, where that is loaded. */
static struct report_form form_of(const struct config *cfg)
{
	return (struct report_form){ .minified = uwsgi_config_has(cfg, "stats-minified"),
				     .no_cores = uwsgi_config_has(cfg, "stats-no-cores"),
				     .no_metrics = uwsgi_config_has(cfg, "stats-no-metrics") };
}

static int open_all(struct process *p, const struct service_setup *setup)
{
	const struct settings *s = settings_of(setup->config);
	const struct extent extent = extent_of(setup->config, count_sockets(setup->status));

	p->server = server_values_new(p->metrics, &extent);
	p->customs = customs_new(p->metrics, &s->metrics);
	p->thresholds = thresholds_new(p->metrics, &s->thresholds);
	p->folder = s->folder ? folder_new(p->metrics, s->folder) : NULL;
	if (!p->server || !p->customs || !p->thresholds || (s->folder && !p->folder))
		return -1;
	p->source = (struct push_source){ .settings = &s->push,
					  .metrics = p->metrics,
					  .status = p->status,
					  .customs = p->customs,
					  .form = form_of(setup->config),
					  .loop = p->loop };
	p->pushers = pushers_new(&p->source);
	return p->pushers ? 0 : -1;
}

static int start(const struct service_setup *setup, void **state, struct error *e)
{
	struct process *p = calloc(1, sizeof *p);

	if (!p)
		return uwsgi_error_set(e, "out of memory");
	p->loop = setup->loop;
	p->status = setup->status;
	p->metrics = uwsgi_status_metrics(setup->status);
	*state = p;
	if (open_all(p, setup))
		return uwsgi_error_set(e, "out of memory");
	if (p->folder && settings_of(setup->config)->restore)
		folder_restore(p->folder, p->metrics, customs_go_on, p->customs);
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
	pushers_free(p->pushers);
	free(p);
}

static const struct service service = {
	.name = "metrics", .wants = wants, .start = start, .stop = stop, .define = define
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI, .name = "metrics", .options = &options, .service = &service
};
