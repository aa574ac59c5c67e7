/* SPDX-License-Identifier: MIT */
/* logformat.c: a format is a list of steps, each of which adds to the line; its texts are slices
 * of the option's value.  A new variable is a row of the table, and a row of docs/logging.md.
 * requestlog.c decides which requests are logged. */
#include "exchange/logformat.h"

#include "base/slice.h"

#include <stdlib.h>
#include <string.h>

struct step;
typedef void step_write(struct logline *, const struct logged *, const struct step *);
typedef long long step_number(const struct logged *);

struct step {
	step_write *write;
	struct slice text; /* a literal, the name behind var., a format of time */
	step_number *number;
	const struct metric *metric;
	bool quoted; /* it stands between quotation marks */
	bool dash;   /* written for what is empty */
};

struct logformat {
	const char *date;
	const struct metrics *metrics;
	bool wants_memory;
	size_t count;
	struct step steps[];
};

/* ---- texts ---- */

static void write_literal(struct logline *l, const struct logged *x, const struct step *s)
{
	(void)x;
	logline_text(l, s->text);
}

static void write_client_text(struct logline *l, const struct step *s, struct slice text)
{
	if (text.n == 0)
		logline_text(l, s->dash ? SLICE("-") : SLICE(""));
	else if (s->quoted)
		logline_quoted(l, text);
	else
		logline_untrusted(l, text);
}

static void write_var(struct logline *l, const struct logged *x, const struct step *s)
{
	write_client_text(l, s, uwsgi_request_find(x->rq, s->text));
}

static void write_address(struct logline *l, const struct logged *x, const struct step *s)
{
	struct slice forwarded = x->forwarded_for
					 ? uwsgi_request_find(x->rq, SLICE("HTTP_X_FORWARDED_FOR"))
					 : (struct slice){ 0 };

	write_client_text(
		l, s, forwarded.n ? forwarded : uwsgi_request_find(x->rq, SLICE("REMOTE_ADDR")));
}

static void write_trace_id(struct logline *l, const struct logged *x, const struct step *s)
{
	write_client_text(l, s, uwsgi_request_trace_id(x->rq));
}

static void write_sendfile(struct logline *l, const struct logged *x, const struct step *s)
{
	(void)s;
	logline_text(l, x->rs->file ? SLICE(" via sendfile() ") : SLICE(" "));
}

static void write_logvar(struct logline *l, const struct logged *x, const struct step *s)
{
	write_client_text(l, s, uwsgi_request_logvar(x->rq, s->text));
}

/* ---- times ---- */

static void write_time(struct logline *l, const struct logged *x, const struct step *s)
{
	logline_time(l, s->text.p, x->began_us);
}

static void write_seconds(struct logline *l, const struct logged *x, const struct step *s)
{
	long long us = (long long)(x->ended_us - x->began_us);

	(void)s;
	logline_printf(l, "%lld.%06lld", us / 1000000, us % 1000000);
}

/* ---- numbers ---- */

#define NUMBER(name, value)                                                                        \
	static long long number_##name(const struct logged *x)                                     \
	{                                                                                          \
		(void)x;                                                                           \
		return (long long)(value);                                                         \
	}
NUMBER(status, x->rs->status)
NUMBER(rsize, x->rs->body)
NUMBER(hsize, x->rs->head_size)
NUMBER(size, x->rs->body + (long long)x->rs->head_size)
NUMBER(cl, x->rq->body.length)
NUMBER(micros, x->ended_us - x->began_us)
NUMBER(msecs, (x->ended_us - x->began_us) / 1000)
NUMBER(time, x->began_us / 1000000)
NUMBER(tmsecs, x->began_us / 1000)
NUMBER(tmicros, x->began_us)
NUMBER(epoch, x->ended_us / 1000000)
NUMBER(pid, x->pid)
NUMBER(wid, x->worker)
NUMBER(core, x->lane)
NUMBER(switches, x->rs->switches)
NUMBER(vars, 2 * x->rq->count) /* names and values */
NUMBER(headers, x->rs->count)
NUMBER(pktsize, x->rq->vars_size)
NUMBER(vsz, x->memory.address_space)
NUMBER(vsz_mb, x->memory.address_space >> 20)
NUMBER(rss, x->memory.resident)
NUMBER(rss_mb, x->memory.resident >> 20)
NUMBER(write_errors, x->rs->broken)
NUMBER(worker_requests, x->worker_requests)
NUMBER(server_requests, x->server_requests)
NUMBER(zero, 0)
#undef NUMBER

static void write_metric(struct logline *l, const struct logged *x, const struct step *s)
{
	(void)x;
	logline_printf(l, "%lld", uwsgi_metric_get(s->metric));
}

static void write_number(struct logline *l, const struct logged *x, const struct step *s)
{
	logline_number(l, s->number(x));
}

static const struct variable {
	const char *name;
	const char *var, *time; /* a variable of the request, a format of its beginning */
	step_number *number;
	step_write *write; /* none of these */
	bool memory;       /* the worker's has to be asked for */
} variables[] = {
	{ "uri", .var = "REQUEST_URI" },
	{ "method", .var = "REQUEST_METHOD" },
	{ "user", .var = "REMOTE_USER" },
	{ "addr", .write = write_address },
	{ "host", .var = "HTTP_HOST" },
	{ "proto", .var = "SERVER_PROTOCOL" },
	{ "trace_id", .write = write_trace_id },
	{ "uagent", .var = "HTTP_USER_AGENT" },
	{ "referer", .var = "HTTP_REFERER" },
	{ "ctime", .time = "%a %b %e %H:%M:%S %Y" },
	{ "ltime", .time = "%d/%b/%Y:%H:%M:%S %z" },
	{ "secs", .write = write_seconds },
	{ "status", .number = number_status },
	{ "rsize", .number = number_rsize },
	{ "hsize", .number = number_hsize },
	{ "size", .number = number_size },
	{ "cl", .number = number_cl },
	{ "micros", .number = number_micros },
	{ "msecs", .number = number_msecs },
	{ "time", .number = number_time },
	{ "tmsecs", .number = number_tmsecs },
	{ "tmicros", .number = number_tmicros },
	{ "epoch", .number = number_epoch },
	{ "pid", .number = number_pid },
	{ "wid", .number = number_wid },
	{ "core", .number = number_core },
	{ "switches", .number = number_switches },
	{ "vars", .number = number_vars },
	{ "headers", .number = number_headers },
	{ "pktsize", .number = number_pktsize },
	{ "vsz", .number = number_vsz, .memory = true },
	{ "vszM", .number = number_vsz_mb, .memory = true },
	{ "rss", .number = number_rss, .memory = true },
	{ "rssM", .number = number_rss_mb, .memory = true },
	{ "werr", .number = number_write_errors },
	{ "ioerr", .number = number_write_errors },
	{ "rerr", .number = number_zero }, /* a request that was not read whole is never run */
	{ "modifier1", .number = number_zero },
	{ "modifier2", .number = number_zero },
	/* Of the default line: no application calls a variable of its own so. */
	{ "worker requests", .number = number_worker_requests },
	{ "server requests", .number = number_server_requests },
	{ "via sendfile", .write = write_sendfile },
};

/* ---- parsing ---- */

static const struct variable *find_variable(struct slice name)
{
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		if (slice_is(name, variables[i].name))
			return &variables[i];
	return NULL;
}

static bool is_var(struct slice name)
{
	return name.n > 4 && memcmp(name.p, "var.", 4) == 0;
}

/* NULL: it is not the name of a metric behind "metric.". */
static const struct metric *find_metric(const struct metrics *all, struct slice name)
{
	if (name.n <= 7 || memcmp(name.p, "metric.", 7) != 0)
		return NULL;
	return uwsgi_metrics_find(all, (struct slice){ name.p + 7, name.n - 7 });
}

static struct step step_of(struct logformat *f, struct slice name)
{
	const struct variable *v = find_variable(name);
	const struct metric *metric = find_metric(f->metrics, name);

	if (is_var(name))
		return (struct step){ .write = write_var, .text = { name.p + 4, name.n - 4 } };
	if (slice_is(name, "ftime"))
		return (struct step){ .write = write_time, .text = slice_of(f->date) };
	if (metric)
		return (struct step){ .write = write_metric, .metric = metric };
	if (!v)
		return (struct step){ .write = write_logvar, .text = name };
	if (v->var)
		return (struct step){ .write = write_var, .text = slice_of(v->var) };
	if (v->time)
		return (struct step){ .write = write_time, .text = slice_of(v->time) };
	f->wants_memory = f->wants_memory || v->memory;
	if (v->number)
		return (struct step){ .write = write_number, .number = v->number };
	return (struct step){ .write = v->write };
}

/* The next %(name) at or after p, or the end of the text; *end is where what follows begins. */
static const char *find_name(const char *p, struct slice *name, const char **end)
{
	const char *begin = strstr(p, "%("), *close = begin ? strchr(begin, ')') : NULL;

	if (!close) {
		*name = (struct slice){ 0 };
		return *end = p + strlen(p);
	}
	*name = (struct slice){ begin + 2, (size_t)(close - begin - 2) };
	*end = close + 1;
	return begin;
}

static bool ends_in_quotes(struct slice text, bool quoted)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '"' && (i == 0 || text.p[i - 1] != '\\'))
			quoted = !quoted;
	return quoted;
}

static size_t most_steps(const char *text)
{
	size_t n = 1;

	for (; (text = strstr(text, "%(")); text += 2)
		n += 2;
	return n;
}

struct logformat *logformat_new(const char *text, const char *date, const struct metrics *metrics,
				bool dashes)
{
	struct logformat *f = calloc(1, sizeof *f + most_steps(text) * sizeof f->steps[0]);
	bool quoted = false;

	if (!f)
		return NULL;
	f->metrics = metrics;
	f->date = date ? date : find_variable(SLICE("ltime"))->time;
	while (*text) {
		struct slice name;
		const char *end, *at = find_name(text, &name, &end);
		struct slice literal = { text, (size_t)(at - text) };

		if (literal.n)
			f->steps[f->count++] =
				(struct step){ .write = write_literal, .text = literal };
		quoted = ends_in_quotes(literal, quoted);
		if (end > at) {
			f->steps[f->count] = step_of(f, name);
			f->steps[f->count].quoted = quoted;
			f->steps[f->count++].dash = dashes;
		}
		text = end;
	}
	return f;
}

void logformat_free(struct logformat *f)
{
	free(f);
}

bool logformat_wants_memory(const struct logformat *f)
{
	return f->wants_memory;
}

void logformat_write(const struct logformat *f, struct logline *l, const struct logged *x)
{
	for (size_t i = 0; i < f->count; i++)
		f->steps[i].write(l, x, &f->steps[i]);
}

bool logformat_next_foreign(const char **at, const struct metrics *metrics, struct slice *name)
{
	while (**at) {
		const char *end, *begin = find_name(*at, name, &end);

		*at = end;
		if (end > begin && !find_variable(*name) && !is_var(*name) &&
		    !slice_is(*name, "ftime") && !find_metric(metrics, *name))
			return true;
	}
	return false;
}
