/* SPDX-License-Identifier: MIT */
/* cases.h: a table of inputs of a parser with what is expected of each, run whole, byte by byte,
 * split at every point, and cut off at every point.  Each prints its name when it fails. */
#ifndef T_CASES_H
#define T_CASES_H

#include "unit.h"

#include "feed.h"

struct parse_case {
	const char *name;
	struct slice in;
	enum parsed verdict;
	int status;       /* of a refusal */
	const char *vars; /* lines NAME=value; "!NAME": there is none */
	struct slice body;
	struct slice said; /* by the parser, early */
	size_t left;       /* bytes of `in` behind the request that are not taken */
	bool early;        /* a refusal that does not wait for the last byte of `in` */
	bool may_say;      /* `said` depends on what came with what: seen to elsewhere */
};

#define CASE_FAIL(c, ...)                                                                          \
	do {                                                                                       \
		print_error("%s: ", (c)->name);                                                    \
		print_error(__VA_ARGS__);                                                          \
		print_error("\n");                                                                 \
		fail();                                                                            \
	} while (0)

static inline void case_check_vars(const struct parse_case *c, const struct feed *f)
{
	const char *line = c->vars ? c->vars : "";

	while (*line) {
		size_t n = strcspn(line, "\n"), name = strcspn(line, "=\n");
		bool absent = *line == '!';
		struct slice asked = { line + absent, name - absent };
		struct slice value = { line + name + 1, n - name - !absent };
		struct slice got = uwsgi_request_find(&f->rq, asked);

		if (absent && got.p)
			CASE_FAIL(c, "%.*s is there", (int)asked.n, asked.p);
		if (!absent && (!got.p || got.n != value.n || memcmp(got.p, value.p, value.n)))
			CASE_FAIL(c, "%.*s is '%.*s', expected '%.*s'", (int)asked.n, asked.p,
				  got.p ? (int)got.n : 6, got.p ? got.p : "(none)", (int)value.n,
				  value.p);
		line += n + (line[n] == '\n');
	}
}

static inline void case_check(const struct parse_case *c, struct feed *f, enum parsed parsed,
			      const char *how, size_t at)
{
	struct body_view body = uwsgi_request_body_view(&f->rq);
	size_t n;

	if (parsed != c->verdict)
		CASE_FAIL(c, "%s %zu: %s (%s), expected %s", how, at, feed_verdict(parsed),
			  f->rq.reject_why ? f->rq.reject_why : "-", feed_verdict(c->verdict));
	if (f->rq.reject_status != c->status)
		CASE_FAIL(c, "%s %zu: status %d (%s), expected %d", how, at, f->rq.reject_status,
			  f->rq.reject_why ? f->rq.reject_why : "-", c->status);
	char *said = feed_said(&f->out, &n);
	if (!c->may_say && (n != c->said.n || (n && memcmp(said, c->said.p, n))))
		CASE_FAIL(c, "%s %zu: said '%.*s'", how, at, (int)n, said);
	free(said);
	if (parsed == PARSE_BAD)
		return;
	if (f->input.n - f->taken != c->left)
		CASE_FAIL(c, "%s %zu: %zu left", how, at, f->input.n - f->taken);
	if (parsed != PARSE_DONE)
		return;
	case_check_vars(c, f);
	if (body.fd >= 0 || body.bytes.n != c->body.n ||
	    (c->body.n && memcmp(body.bytes.p, c->body.p, c->body.n)))
		CASE_FAIL(c, "%s %zu: the body is '%.*s'", how, at, (int)body.bytes.n,
			  body.bytes.p);
}

/* The first portion has `first` bytes, all others `step`. */
static inline void case_run(const struct parse_case *c, const struct protocol *protocol,
			    size_t first, size_t step, const char *how, size_t at)
{
	struct feed f;

	feed_open(&f, protocol, c->in);
	enum parsed parsed = feed_steps(&f, first, first);
	if (parsed == PARSE_MORE && first < c->in.n)
		parsed = feed_steps(&f, c->in.n, step);
	case_check(c, &f, parsed, how, at);
	feed_close(&f);
}

/* As long as its last byte is missing, there is no verdict on it. */
static inline void case_run_cut(const struct parse_case *c, const struct protocol *protocol,
				size_t n)
{
	struct parse_case cut = *c;

	cut.in.n = n;
	for (size_t step = 1; step <= n; step += n > 1 ? n - 1 : 1) {
		struct feed f;

		feed_open(&f, protocol, cut.in);
		enum parsed parsed = feed_steps(&f, n, step);
		if (parsed != PARSE_MORE)
			CASE_FAIL(c, "cut at %zu, in steps of %zu: %s (%s)", n, step,
				  feed_verdict(parsed), f.rq.reject_why ? f.rq.reject_why : "-");
		feed_close(&f);
	}
}

/* With $FUZZ_SEEDS, a folder, every input becomes a file in it: what fuzzing begins with. */
static inline void case_keep_seed(const struct parse_case *c)
{
	const char *folder = getenv("FUZZ_SEEDS");
	uint64_t hash = 14695981039346656037u;
	char path[4096];

	if (!folder)
		return;
	for (size_t i = 0; i < c->in.n; i++)
		hash = (hash ^ (unsigned char)c->in.p[i]) * 1099511628211u;
	snprintf(path, sizeof path, "%s/%016llx", folder, (unsigned long long)hash);
	FILE *to = fopen(path, "w");
	assert_non_null(to);
	assert_int_equal(fwrite(c->in.p, 1, c->in.n, to), c->in.n);
	assert_int_equal(fclose(to), 0);
}

static inline void cases_run(const struct parse_case *cases, size_t count,
			     const struct protocol *protocol)
{
	for (const struct parse_case *c = cases; c < cases + count; c++) {
		size_t n = c->in.n;

		case_keep_seed(c);
		case_run(c, protocol, n, n, "whole", n);
		case_run(c, protocol, 1, 1, "in steps of", 1);
		for (size_t at = 1; at < n; at++)
			case_run(c, protocol, at, n, "split at", at);
		for (size_t at = 1; !c->early && at < n - c->left; at++)
			case_run_cut(c, protocol, at);
	}
}

#endif
