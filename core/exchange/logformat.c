/* SPDX-License-Identifier: MIT */
/* logformat.c: a format is a list of steps, each of which adds to the line; its texts are slices
 * of the option's value.  requestlog.c decides which requests are logged. */
#include "exchange/logformat.h"

#include <stdlib.h>
#include <string.h>

struct step;
typedef void step_write(struct logline *, const struct logged *, const struct step *);

struct step {
	step_write *write;
	struct slice text; /* a literal, the name behind var., a format of time */
	bool quoted;       /* it stands between quotation marks */
};

struct logformat {
	const char *date;
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

/* uWSGI writes a dash for what is empty. */
static void write_client_text(struct logline *l, const struct step *s, struct slice text)
{
	if (text.n == 0)
		logline_text(l, SLICE("-"));
	else if (s->quoted)
		logline_quoted(l, text);
	else
		logline_untrusted(l, text);
}

static void write_var(struct logline *l, const struct logged *x, const struct step *s)
{
	write_client_text(l, s, uwsgi_request_find(x->rq, s->text));
}

struct slice logged_address(const struct logged *x)
{
	struct slice forwarded = x->forwarded_for
					 ? uwsgi_request_find(x->rq, SLICE("HTTP_X_FORWARDED_FOR"))
					 : (struct slice){ 0 };

	return forwarded.n ? forwarded : uwsgi_request_find(x->rq, SLICE("REMOTE_ADDR"));
}

static void write_address(struct logline *l, const struct logged *x, const struct step *s)
{
	write_client_text(l, s, logged_address(x));
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

enum number {
	STATUS,
	RSIZE,
	HSIZE,
	SIZE,
	CL,
	MICROS,
	MSECS,
	TIME,
	TMSECS,
	TMICROS,
	EPOCH,
	PID,
	WID,
	CORE,
	SWITCHES,
	VARS,
	HEADERS,
	PKTSIZE,
	VSZ,
	VSZ_MB,
	RSS,
	RSS_MB,
	WRITE_ERRORS,
	ZERO,
};

static long long number_of(enum number number, const struct logged *x)
{
	const struct request *rq = x->rq;
	const struct response *rs = x->rs;

	switch (number) {
	case STATUS:
		return rs->status;
	case RSIZE:
		return rs->body;
	case HSIZE:
		return (long long)rs->head_size;
	case SIZE:
		return rs->body + (long long)rs->head_size;
	case CL:
		return rq->body.length;
	case MICROS:
		return x->ended_us - x->began_us;
	case MSECS:
		return (x->ended_us - x->began_us) / 1000;
	case TIME:
		return x->began_us / 1000000;
	case TMSECS:
		return x->began_us / 1000;
	case TMICROS:
		return x->began_us;
	case EPOCH:
		return x->ended_us / 1000000;
	case PID:
		return x->pid;
	case WID:
		return x->worker;
	case CORE:
		return x->lane;
	case SWITCHES:
		return rs->switches;
	case VARS: /* names and values */
		return 2 * (long long)rq->count;
	case HEADERS:
		return (long long)rs->count;
	case PKTSIZE:
		return (long long)rq->vars_size;
	case VSZ:
		return (long long)x->memory.address_space;
	case VSZ_MB:
		return (long long)(x->memory.address_space >> 20);
	case RSS:
		return (long long)x->memory.resident;
	case RSS_MB:
		return (long long)(x->memory.resident >> 20);
	case WRITE_ERRORS:
		return rs->broken;
	case ZERO:
		break;
	}
	return 0;
}

static const struct variable {
	const char *name;
	enum number number;
	const char *var, *time; /* a variable of the request, a format of its beginning */
	step_write *write;      /* none of these */
} variables[] = {
	{ "uri", .var = "REQUEST_URI" },
	{ "method", .var = "REQUEST_METHOD" },
	{ "user", .var = "REMOTE_USER" },
	{ "addr", .write = write_address },
	{ "host", .var = "HTTP_HOST" },
	{ "proto", .var = "SERVER_PROTOCOL" },
	{ "uagent", .var = "HTTP_USER_AGENT" },
	{ "referer", .var = "HTTP_REFERER" },
	{ "ctime", .time = "%a %b %e %H:%M:%S %Y" },
	{ "ltime", .time = "%d/%b/%Y:%H:%M:%S %z" },
	{ "secs", .write = write_seconds },
	{ "status", .number = STATUS },
	{ "rsize", .number = RSIZE },
	{ "hsize", .number = HSIZE },
	{ "size", .number = SIZE },
	{ "cl", .number = CL },
	{ "micros", .number = MICROS },
	{ "msecs", .number = MSECS },
	{ "time", .number = TIME },
	{ "tmsecs", .number = TMSECS },
	{ "tmicros", .number = TMICROS },
	{ "epoch", .number = EPOCH },
	{ "pid", .number = PID },
	{ "wid", .number = WID },
	{ "core", .number = CORE },
	{ "switches", .number = SWITCHES },
	{ "vars", .number = VARS },
	{ "headers", .number = HEADERS },
	{ "pktsize", .number = PKTSIZE },
	{ "vsz", .number = VSZ },
	{ "vszM", .number = VSZ_MB },
	{ "rss", .number = RSS },
	{ "rssM", .number = RSS_MB },
	{ "werr", .number = WRITE_ERRORS },
	{ "ioerr", .number = WRITE_ERRORS },
	{ "rerr", .number = ZERO }, /* a request that was not read whole is never run */
	{ "modifier1", .number = ZERO },
	{ "modifier2", .number = ZERO },
};

static void write_number(struct logline *l, const struct logged *x, const struct step *s)
{
	const struct variable *v = (const void *)s->text.p;

	logline_printf(l, "%lld", number_of(v->number, x));
}

/* ---- parsing ---- */

static bool equals(struct slice s, const char *word)
{
	return strlen(word) == s.n && memcmp(s.p, word, s.n) == 0;
}

static const struct variable *find_variable(struct slice name)
{
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		if (equals(name, variables[i].name))
			return &variables[i];
	return NULL;
}

static bool is_var(struct slice name)
{
	return name.n > 4 && memcmp(name.p, "var.", 4) == 0;
}

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static struct step step_of(struct logformat *f, struct slice name, bool quoted)
{
	const struct variable *v = find_variable(name);

	if (is_var(name))
		return (struct step){ write_var, { name.p + 4, name.n - 4 }, quoted };
	if (equals(name, "ftime"))
		return (struct step){ write_time, slice_of(f->date), quoted };
	if (!v)
		return (struct step){ write_logvar, name, quoted };
	if (v->var)
		return (struct step){ write_var, slice_of(v->var), quoted };
	if (v->time)
		return (struct step){ write_time, slice_of(v->time), quoted };
	if (v->write)
		return (struct step){ v->write, { 0 }, quoted };
	f->wants_memory = f->wants_memory || (v->number >= VSZ && v->number <= RSS_MB);
	return (struct step){ write_number, { (const void *)v, 0 }, quoted };
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

struct logformat *logformat_new(const char *text, const char *date)
{
	struct logformat *f = calloc(1, sizeof *f + most_steps(text) * sizeof f->steps[0]);
	bool quoted = false;

	if (!f)
		return NULL;
	f->date = date ? date : find_variable(SLICE("ltime"))->time;
	while (*text) {
		struct slice name;
		const char *end, *at = find_name(text, &name, &end);
		struct slice literal = { text, (size_t)(at - text) };

		if (literal.n)
			f->steps[f->count++] = (struct step){ write_literal, literal, false };
		quoted = ends_in_quotes(literal, quoted);
		if (end > at)
			f->steps[f->count++] = step_of(f, name, quoted);
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

bool logformat_next_foreign(const char **at, struct slice *name)
{
	while (**at) {
		const char *end, *begin = find_name(*at, name, &end);

		*at = end;
		if (end > begin && !find_variable(*name) && !is_var(*name) &&
		    !equals(*name, "ftime"))
			return true;
	}
	return false;
}
