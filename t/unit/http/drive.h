/* SPDX-License-Identifier: MIT */
/* drive.h: feeds bytes to the HTTP plugin as the core would, and checks tables of requests: each
 * whole, at every split, byte by byte, cut off at every byte, and one behind the other.  A
 * program that has such a table writes it as a fuzzing corpus into the folder of its first
 * argument. */
#ifndef T_UNIT_HTTP_DRIVE_H
#define T_UNIT_HTTP_DRIVE_H

#include "http.h"
#include "out.h"
#include "request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* As SLICE, where the language wants a constant. */
#define BYTES(literal)                                                                             \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}
#define COUNT(array) (sizeof(array) / sizeof *(array))

struct http_case {
	const char *name;
	struct slice bytes; /* one request, nothing behind it */
	int status;         /* of its refusal; 0: it is taken */
	/* Taken: lines that the description must hold; after '!' a beginning that no line may
	 * have.  Refused: part of the reason. */
	const char *says;
};

struct drive {
	struct request_limits limits;
	struct endpoint peer, local;
	struct request rq;
	struct out out;
	struct http state;
	char *held[2]; /* what variables may point into, and what came last */
};

static inline void drive_begin(struct drive *d)
{
	*d = (struct drive){
		.limits = { .post_buffering = 1 << 20 },
		.peer = { BYTES("192.0.2.7"), BYTES("4711") },
		.local = { BYTES("127.0.0.1"), BYTES("8080") },
	};
	request_init(&d->rq, &d->limits);
	d->rq.peer = &d->peer;
	d->rq.local = &d->local;
	out_init(&d->out);
}

static inline void drive_next(struct drive *d)
{
	request_reset(&d->rq);
	out_drop(&d->out);
	free(d->held[0]);
	free(d->held[1]);
	d->held[0] = d->held[1] = NULL;
}

static inline void drive_end(struct drive *d)
{
	drive_next(d);
	request_fini(&d->rq);
	out_fini(&d->out);
}

/* One call; the bytes lie in memory of just their size, so that a sanitizer sees a step beyond
 * them.  A head that is taken stays where it is. */
static inline enum parsed drive_parse(struct drive *d, struct slice in, size_t *used)
{
	const struct protocol *protocol = uwsgi_plugin.protocol;
	bool body = d->held[0] != NULL;
	char *copy = malloc(in.n + (in.n == 0));

	assert(copy);
	memcpy(copy, in.p, in.n);
	free(d->held[1]);
	d->held[1] = NULL;
	enum parsed parsed =
		protocol->parse(&d->state, &d->rq, (struct slice){ copy, in.n }, used, &d->out);
	assert(*used <= in.n);
	d->held[!body && *used > 0 ? 0 : 1] = copy;
	return parsed;
}

/* All of in, step bytes at a time, the first time `first`; *used is the total. */
static inline enum parsed drive_feed(struct drive *d, struct slice in, size_t first, size_t step,
				     size_t *used)
{
	enum parsed parsed;
	size_t fed = first < in.n ? first : in.n, once;

	*used = 0;
	for (;;) {
		parsed = drive_parse(d, (struct slice){ in.p + *used, fed - *used }, &once);
		*used += once;
		if (parsed != PARSE_MORE || fed == in.n)
			return parsed;
		fed = in.n - fed < step ? in.n : fed + step;
	}
}

/* What waits to be sent; the caller frees it. */
static inline char *drive_sent(const struct drive *d)
{
	struct iovec v[64];
	size_t n = out_vector(&d->out, v, COUNT(v)), size;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	assert(f);
	for (size_t i = 0; i < n; i++)
		fwrite(v[i].iov_base, 1, v[i].iov_len, f);
	fclose(f);
	return text;
}

/* Answers a request with an empty response; true: the connection lives on. */
static inline bool drive_answer(struct drive *d)
{
	static const struct header length = { BYTES("Content-Length"), BYTES("0") };
	const struct head head = { .status = 200,
				   .line = BYTES("200 OK"),
				   .headers = &length,
				   .header_count = 1,
				   .date = BYTES("now") };
	const struct protocol *protocol = uwsgi_plugin.protocol;

	protocol->head(&d->state, &head, &d->out);
	return protocol->end(&d->state, true, &d->out);
}

/* A taken request: a line for each variable, then the body and the fate of the connection.  The
 * caller frees it. */
static inline char *drive_describe(struct drive *d)
{
	struct body_view body = uwsgi_request_body_view(&d->rq);
	size_t count, size;
	const struct var *vars = uwsgi_request_vars(&d->rq, &count);
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	assert(f && body.fd < 0);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "%.*s=%.*s\n", (int)vars[i].name.n, vars[i].name.p, (int)vars[i].value.n,
			vars[i].value.p);
	fprintf(f, "body %.*s\n", (int)body.bytes.n, body.length ? body.bytes.p : "");
	fprintf(f, "the connection %s\n", drive_answer(d) ? "lives" : "ends");
	fclose(f);
	return text;
}

/* ---- tables ---- */

static inline void drive_fail(const struct http_case *c, const char *how, const char *what)
{
	fprintf(stderr, "%s, %s: %s\n", c->name, how, what);
	abort();
}

/* Every line of `says` is a line of text, or the beginning of none. */
static inline void drive_compare(const struct http_case *c, const char *text)
{
	const char *line = c->says ? c->says : "";

	while (*line) {
		size_t n = strcspn(line, "\n");
		bool absent = *line == '!', found = false;

		for (const char *t = text; *t && !found; t += strcspn(t, "\n") + 1)
			found = absent ? !strncmp(t, line + 1, n - 1)
				       : strcspn(t, "\n") == n && !strncmp(t, line, n);
		if (found == absent)
			drive_fail(c, line, text);
		line += n + (line[n] == '\n');
	}
}

/* The description; NULL: refused, as it had to be. */
static inline char *drive_check(const struct http_case *c, const char *how, size_t first,
				size_t step)
{
	struct drive d;
	size_t used;
	char *text = NULL;

	drive_begin(&d);
	enum parsed parsed = drive_feed(&d, c->bytes, first, step, &used);

	if (parsed != (c->status ? PARSE_BAD : PARSE_DONE))
		drive_fail(c, how, d.rq.reject_why ? d.rq.reject_why : "another verdict");
	if (c->status != d.rq.reject_status)
		drive_fail(c, how, d.rq.reject_why);
	if (c->status && c->says && !strstr(d.rq.reject_why, c->says))
		drive_fail(c, how, d.rq.reject_why);
	if (c->status && drive_answer(&d))
		drive_fail(c, how, "the connection lives on after a refusal");
	if (!c->status && used != c->bytes.n)
		drive_fail(c, how, "not all was taken");
	if (!c->status)
		text = drive_describe(&d);
	drive_end(&d);
	return text;
}

/* What is not whole yet is neither taken nor, when it is good, refused. */
static inline void drive_check_truncated(const struct http_case *c, size_t n)
{
	struct drive d;
	size_t used;

	drive_begin(&d);
	enum parsed parsed = drive_feed(&d, (struct slice){ c->bytes.p, n }, n, n, &used);

	if (parsed != PARSE_MORE && !(parsed == PARSE_BAD && d.rq.reject_status == c->status))
		drive_fail(c, "cut off", c->bytes.p + n);
	drive_end(&d);
}

static inline void drive_check_case(const struct http_case *c)
{
	char *whole = drive_check(c, "whole", c->bytes.n, 1);

	if (whole)
		drive_compare(c, whole);
	for (size_t step = 1; step < 4; step++) {
		char *text = drive_check(c, "in steps", step, step);

		if (whole && strcmp(text, whole))
			drive_fail(c, "in steps", text);
		free(text);
	}
	for (size_t n = 0; n < c->bytes.n; n++) {
		char *text = drive_check(c, "split", n, c->bytes.n);

		if (whole && strcmp(text, whole))
			drive_fail(c, "split", text);
		free(text);
		drive_check_truncated(c, n);
	}
	free(whole);
}

/* All that are taken and leave the connection open, in one stream, step bytes at a time. */
static inline void drive_check_pipelined(const struct http_case *cases, size_t count, size_t step)
{
	char **alone = calloc(count, sizeof *alone), *bytes = NULL;
	size_t size, used, at = 0;
	FILE *f = open_memstream(&bytes, &size);
	struct drive d;

	assert(alone && f);
	for (size_t i = 0; i < count; i++) {
		alone[i] = drive_check(&cases[i], "alone", cases[i].bytes.n, 1);
		if (alone[i] && strstr(alone[i], "the connection lives"))
			fwrite(cases[i].bytes.p, 1, cases[i].bytes.n, f);
	}
	fclose(f);
	drive_begin(&d);
	for (size_t i = 0; i < count; i++) {
		if (!alone[i] || !strstr(alone[i], "the connection lives"))
			continue;
		struct slice rest = { bytes + at, size - at };

		if (drive_feed(&d, rest, step, step, &used) != PARSE_DONE)
			drive_fail(&cases[i], "pipelined", "is not whole");
		char *text = drive_describe(&d);
		if (strcmp(text, alone[i]))
			drive_fail(&cases[i], "pipelined", text);
		free(text);
		drive_next(&d);
		at += used;
	}
	assert(at == size);
	drive_end(&d);
	for (size_t i = 0; i < count; i++)
		free(alone[i]);
	free(alone);
	free(bytes);
}

static inline void drive_check_cases(const struct http_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		drive_check_case(&cases[i]);
	drive_check_pipelined(cases, count, 1);
	drive_check_pipelined(cases, count, 7);
	drive_check_pipelined(cases, count, 1 << 20);
}

/* argv[1], when given, is a folder that gets a file for each case.  True: that was done. */
static inline bool drive_write_corpus(int argc, char **argv, const char *prefix,
				      const struct http_case *cases, size_t count)
{
	char path[4096];

	for (size_t i = 0; argc > 1 && i < count; i++) {
		snprintf(path, sizeof path, "%s/%s-%zu", argv[1], prefix, i);
		FILE *f = fopen(path, "w");

		assert(f && fwrite(cases[i].bytes.p, 1, cases[i].bytes.n, f) == cases[i].bytes.n);
		fclose(f);
	}
	return argc > 1;
}

#endif
