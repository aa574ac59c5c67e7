/* SPDX-License-Identifier: MIT */
/* trace.c: reads traceparent, and makes one.  Identifiers have to differ, and are no secrets: a quick
 * generator with a seed of the kernel's is enough, and needs no system call for each. */
#include "exchange/trace.h"

#include "base/clock.h"

#include <string.h>
#include <sys/random.h>

#define TRACEPARENT SLICE("HTTP_TRACEPARENT")

struct trace_settings {
	bool makes_ids;
};

static const struct option rows[] = {
	{ .name = "trace-ids",
	  .type = OPT_FLAG,
	  .offset = offsetof(struct trace_settings, makes_ids),
	  .initial = "false",
	  .help = "a request without a valid traceparent gets one, for the application and the log "
		  "(W3C Trace Context)" },
};

const struct option_table trace_options = {
	.module = "tracing",
	.size = sizeof(struct trace_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

/* ---- reading ---- */

/* "00-" id "-" parent "-" flags. */
enum { ID_AT = 3, ID = 32, PARENT_AT = 36, PARENT = 16, FLAGS_AT = 53, SIZE = 55 };

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hex(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (digit(p[i]) < 0)
			return false;
	return true;
}

static bool is_identifier(const char *p, size_t n)
{
	return is_hex(p, n) && strspn(p, "0") < n;
}

/* Later versions may have more behind, after another dash. */
bool trace_parse(struct slice field, struct trace *t)
{
	const char *p = field.p;

	if (field.n < SIZE || !is_hex(p, 2) || !memcmp(p, "ff", 2))
		return false;
	bool is_first = !memcmp(p, "00", 2);
	if (field.n > SIZE && (is_first || p[SIZE] != '-'))
		return false;
	if (p[ID_AT - 1] != '-' || p[PARENT_AT - 1] != '-' || p[FLAGS_AT - 1] != '-' ||
	    !is_identifier(p + ID_AT, ID) || !is_identifier(p + PARENT_AT, PARENT) ||
	    !is_hex(p + FLAGS_AT, 2))
		return false;
	*t = (struct trace){ { p + ID_AT, ID },
			     { p + PARENT_AT, PARENT },
			     digit(p[FLAGS_AT + 1]) & 1 };
	return true;
}

struct slice uwsgi_request_trace_id(const struct request *rq)
{
	struct trace t;

	return trace_parse(uwsgi_request_find(rq, TRACEPARENT), &t) ? t.id
								    : (struct slice){ NULL, 0 };
}

/* ---- making ---- */

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

/* xoshiro256** of Blackman and Vigna. */
static uint64_t next(uint64_t s[4])
{
	uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

void trace_source_init(struct trace_source *s, const struct config *cfg, int percent)
{
	const struct trace_settings *settings = uwsgi_options(cfg, &trace_options);

	*s = (struct trace_source){ .is_wanted = settings->makes_ids || percent > 0,
				    .makes_ids = settings->makes_ids,
				    .percent = percent };
	if (!s->is_wanted)
		return;
	if (getrandom(s->state, sizeof s->state, 0) != sizeof s->state)
		s->state[0] = (uint64_t)clock_wall_us() ^ (uintptr_t)s;
	s->state[1] |= 1; /* all zero would stay so */
}

static void make_id(struct trace_source *s, unsigned char *id, size_t size)
{
	for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
		uint64_t bits = next(s->state) | 1; /* not all zero */

		memcpy(id + i, &bits, sizeof bits);
	}
}

static void read_id(unsigned char *id, struct slice hex)
{
	for (size_t i = 0; i < hex.n / 2; i++)
		id[i] = (unsigned char)((unsigned)digit(hex.p[2 * i]) << 4 |
					(unsigned)digit(hex.p[2 * i + 1]));
}

static char *write_id(char *to, const unsigned char *id, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		*to++ = "0123456789abcdef"[id[i] >> 4];
		*to++ = "0123456789abcdef"[id[i] & 15];
	}
	*to++ = '-';
	return to;
}

/* What the application sees.  A later variable of the same name counts. */
static void tell(struct request *rq, const struct span *span, bool is_sampled)
{
	char *text = uwsgi_request_alloc(rq, SIZE);

	if (!text)
		return;
	memcpy(text, "00-", ID_AT);
	char *at = write_id(text + ID_AT, span->trace, sizeof span->trace);
	at = write_id(at, span->id, sizeof span->id);
	memcpy(at, is_sampled ? "01" : "00", 2);
	uwsgi_request_var(rq, TRACEPARENT, (struct slice){ text, SIZE });
}

/* Without spans of this server nobody has decided whether a trace is recorded.  It is said to be: else
 * applications that follow whoever called them would record nothing any more. */
struct span trace_begin(struct trace_source *s, struct request *rq)
{
	struct span span = { .is_recorded = false };
	struct trace t;
	bool came = trace_parse(uwsgi_request_find(rq, TRACEPARENT), &t);
	bool wins = s->percent > 0 && (int)(next(s->state) % 100) < s->percent;

	span.is_recorded = s->percent > 0 && (came ? t.is_sampled : wins);
	if (came && span.is_recorded) {
		read_id(span.trace, t.id);
		read_id(span.parent, t.parent);
	} else if (!came && (span.is_recorded || s->makes_ids)) {
		make_id(s, span.trace, sizeof span.trace);
	} else {
		return span;
	}
	make_id(s, span.id, sizeof span.id);
	tell(rq, &span, span.is_recorded || s->percent == 0);
	return span;
}
