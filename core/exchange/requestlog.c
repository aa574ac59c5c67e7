/* SPDX-License-Identifier: MIT */
/* requestlog.c: the options of the request log, which requests they choose, and the format of
 * uWSGI's default line.  The lane says what there is to log, and writes it. */
#include "exchange/requestlog.h"

#include "base/clock.h"
#include "log/logging.h"

#include <string.h>

struct requestlog_settings {
	bool disable_logging, memory_report, micros, strftime, forwarded_for;
	bool client_errors, server_errors, zero, sendfile, ioerror;
	long long slow_ms, big;
	const char *format;
};

#define AT(member) offsetof(struct requestlog_settings, member)
static const struct option rows[] = {
	{ .name = "disable-logging",
	  .letter = 'L',
	  .type = OPT_FLAG,
	  .offset = AT(disable_logging),
	  .initial = "false",
	  .help = "log no requests, but for those that other options of the request log name" },
	{ .name = "log-4xx",
	  .type = OPT_FLAG,
	  .offset = AT(client_errors),
	  .initial = "false",
	  .help = "log requests answered with a status of 400 to 499 in any case" },
	{ .name = "log-5xx",
	  .type = OPT_FLAG,
	  .offset = AT(server_errors),
	  .initial = "false",
	  .help = "log requests answered with a status of 500 to 599 in any case" },
	{ .name = "log-slow",
	  .type = OPT_INT,
	  .offset = AT(slow_ms),
	  .initial = "0",
	  .max = 86400LL * 1000,
	  .unit = "MILLISECONDS",
	  .help = "log requests that take this long in any case; 0: do not",
	  .example = "1000" },
	{ .name = "log-big",
	  .type = OPT_SIZE,
	  .offset = AT(big),
	  .initial = "0",
	  .max = 1LL << 50,
	  .help = "log requests whose response has a body of at least this size in any case; 0: "
		  "do not",
	  .example = "1m" },
	{ .name = "log-zero",
	  .type = OPT_FLAG,
	  .offset = AT(zero),
	  .initial = "false",
	  .help = "log requests whose response has no body in any case" },
	{ .name = "log-sendfile",
	  .type = OPT_FLAG,
	  .offset = AT(sendfile),
	  .initial = "false",
	  .help = "log requests answered with a file in any case" },
	{ .name = "log-ioerror",
	  .type = OPT_FLAG,
	  .offset = AT(ioerror),
	  .initial = "false",
	  .help = "log requests whose client was gone before it had all in any case",
	  .differs = "asks for an error of reading and one of writing in the same request" },
	{ .name = "log-format",
	  .type = OPT_STRING,
	  .offset = AT(format),
	  .text = true,
	  .help = "what the line of a request says, with variables such as %(method), %(uri) and "
		  "%(status)",
	  .example = "%(addr) - %(user) [%(ltime)] \"%(method) %(uri) %(proto)\" %(status) %(size)",
	  .differs = "writes what clients send as it is; here a client cannot end a line or a "
		     "quotation" },
	{ .name = "logformat", .same_as = "log-format" },
	{ .name = "log-format-strftime",
	  .type = OPT_FLAG,
	  .offset = AT(strftime),
	  .initial = "false",
	  .help = "the %(ftime) of log-format is written as log-date says" },
	{ .name = "logformat-strftime", .same_as = "log-format-strftime" },
	{ .name = "log-micros",
	  .type = OPT_FLAG,
	  .offset = AT(micros),
	  .initial = "false",
	  .help = "the default line tells the time in microseconds" },
	{ .name = "log-x-forwarded-for",
	  .type = OPT_FLAG,
	  .offset = AT(forwarded_for),
	  .initial = "false",
	  .help = "the client's address in the log is what its X-Forwarded-For says" },
	{ .name = "memory-report",
	  .letter = 'm',
	  .type = OPT_FLAG,
	  .offset = AT(memory_report),
	  .initial = "false",
	  .help = "add the worker's memory to each line of the request log" },
};
#undef AT

#define FOREIGN                                                                                    \
	"there is no %%(%.*s); it is \"-\" where the application does not set it with "            \
	"uwsgi.set_logvar()"

/* A start says it itself, when it knows all metrics. */
static void check(const struct config *cfg, struct report *report)
{
	const struct requestlog_settings *s = uwsgi_options(cfg, &requestlog_options);
	const char *at = uwsgi_config_thorough(report) ? s->format : NULL;
	struct slice name;

	while (at && logformat_next_foreign(&at, NULL, &name))
		if (name.n < 7 || memcmp(name.p, "metric.", 7) != 0)
			uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "log-format", FOREIGN,
					   (int)name.n, name.p);
}

const struct option_table requestlog_options = {
	.module = "request log",
	.size = sizeof(struct requestlog_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

/* uWSGI's, which tools parse. */
#define DEFAULT_LINE(memory, took)                                                                 \
	memory "[pid: %(pid)|app: 0|req: %(worker requests)/%(server requests)] %(addr) "          \
	       "(%(user)) "                                                                        \
	       "{%(vars) vars in %(pktsize) bytes} [%(ctime)] %(method) %(uri) => generated "      \
	       "%(rsize) bytes in " took                                                           \
	       "%(via sendfile)(%(proto) %(status)) %(headers) headers in "                        \
	       "%(hsize) bytes (%(switches) switches on core %(core))"
#define MEMORY "{address space usage: %(vsz) bytes/%(vszM)MB} {rss usage: %(rss) bytes/%(rssM)MB} "
#define MSECS "%(msecs) msecs"
#define MICROS "%(micros) micros"

static const char *default_line(const struct requestlog_settings *s)
{
	if (s->memory_report)
		return s->micros ? DEFAULT_LINE(MEMORY, MICROS) : DEFAULT_LINE(MEMORY, MSECS);
	return s->micros ? DEFAULT_LINE("", MICROS) : DEFAULT_LINE("", MSECS);
}

int requestlog_init(struct requestlog *log, const struct config *cfg, const struct metrics *metrics,
		    struct error *e)
{
	const struct requestlog_settings *s = uwsgi_options(cfg, &requestlog_options);

	*log = (struct requestlog){ .settings = s };
	log->format =
		s->format ? logformat_new(s->format, s->strftime ? logging_date_format(cfg) : NULL,
					  metrics, true)
			  : logformat_new(default_line(s), NULL, NULL, false);
	return log->format ? 0 : uwsgi_error_set(e, "log-format: out of memory");
}

void requestlog_fini(struct requestlog *log)
{
	logformat_free(log->format);
	log->format = NULL;
}

void requestlog_warn(const struct config *cfg, const struct metrics *metrics)
{
	const struct requestlog_settings *s = uwsgi_options(cfg, &requestlog_options);
	const char *at = s->format;
	struct slice name;

	while (at && logformat_next_foreign(&at, metrics, &name))
		uwsgi_log(UWSGI_WARNING, "log-format: " FOREIGN, (int)name.n, name.p);
}

bool requestlog_wants(const struct requestlog *log, const struct logged *x)
{
	const struct requestlog_settings *s = log->settings;
	const struct response *rs = x->rs;

	if (x->rq->unlogged)
		return false;
	return !s->disable_logging || (s->client_errors && rs->status / 100 == 4) ||
	       (s->server_errors && rs->status / 100 == 5) || (s->zero && rs->body == 0) ||
	       (s->slow_ms && (x->ended_us - x->began_us) / 1000 >= s->slow_ms) ||
	       (s->big && rs->body >= s->big) || (s->sendfile && rs->file) ||
	       (s->ioerror && rs->broken);
}

uint64_t requestlog_slow_us(const struct config *cfg)
{
	const struct requestlog_settings *s = uwsgi_options(cfg, &requestlog_options);

	return (uint64_t)(s->slow_ms ? s->slow_ms : 1000) * 1000;
}

bool requestlog_wants_failures(const struct requestlog *log)
{
	return log->settings->ioerror;
}

size_t requestlog_write(const struct requestlog *log, char *text, size_t size, struct logged *x)
{
	struct logline l;

	logline_init(&l, text, size);
	x->forwarded_for = log->settings->forwarded_for;
	if (logformat_wants_memory(log->format))
		x->memory = memory_of(x->pid);
	logformat_write(log->format, &l, x);
	return logline_end(&l);
}
