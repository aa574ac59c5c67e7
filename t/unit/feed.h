/* SPDX-License-Identifier: MIT */
/* feed.h: one connection of a protocol, fed from bytes in memory in any portions, as the contract
 * of plugin.h has it: what was not taken comes again with more behind it, and what was taken stays
 * where it is.  For unit tests and fuzzers.  Bytes that have not come yet are not in the buffer,
 * and to AddressSanitizer they are no memory at all.  A broken contract ends the process. */
#ifndef T_FEED_H
#define T_FEED_H

#include "base/sendbuf.h"
#include "exchange/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__
#define FEED_ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define FEED_ASAN 1
#endif
#endif
#ifdef FEED_ASAN
#include <sanitizer/asan_interface.h>
#define FEED_HIDE(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define FEED_SHOW(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define FEED_HIDE(p, n) ((void)0)
#define FEED_SHOW(p, n) ((void)0)
#endif

struct feed {
	const struct protocol *protocol;
	struct slice input; /* the caller's */
	char *buffer;       /* [0, come) is there, [0, taken) was taken */
	size_t come, taken;
	void *state;
	struct request_limits limits;
	struct endpoint peer, local;
	struct request rq;
	struct sendbuf out;
};

static inline void feed_check(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "the protocol breaks its contract: %s\n", what);
	abort();
}

static inline void feed_open(struct feed *f, const struct protocol *protocol, struct slice input)
{
	*f = (struct feed){
		.protocol = protocol,
		.input = input,
		.buffer = malloc(input.n + 1),
		.state = calloc(1, protocol->state_size),
		.limits = { .post_buffering = 1 << 20, .limit_post = 1 << 20 },
		.peer = { SLICE("192.0.2.7"), SLICE("50000") },
		.local = { SLICE("192.0.2.1"), SLICE("8080") },
	};
	feed_check(f->buffer && f->state, "there is memory");
	memset(f->buffer, 0xa5, input.n + 1);
	FEED_HIDE(f->buffer, input.n + 1);
	request_init(&f->rq, &f->limits);
	f->rq.peer = &f->peer;
	f->rq.local = &f->local;
	sendbuf_init(&f->out);
}

static inline void feed_close(struct feed *f)
{
	request_fini(&f->rq);
	sendbuf_fini(&f->out);
	FEED_SHOW(f->buffer, f->input.n + 1);
	free(f->buffer);
	free(f->state);
}

/* One call of the parser, with the first `come` bytes of the input there. */
static inline enum parsed feed_parse(struct feed *f, size_t come)
{
	struct slice in = { f->buffer + f->taken, come - f->taken };
	size_t used = 0;

	FEED_SHOW(f->buffer, come);
	if (come > f->come)
		memcpy(f->buffer + f->come, f->input.p + f->come, come - f->come);
	f->come = come;
	enum parsed parsed = f->protocol->parse(f->state, &f->rq, in, &used, &f->out);
	feed_check(used <= in.n, "no more is taken than is there");
	feed_check((parsed == PARSE_BAD) == (f->rq.reject_status != 0),
		   "BAD comes with a refusal, a refusal with BAD");
	f->taken += used;
	return parsed;
}

/* Lets [come, to) come in portions of `step` bytes until the parser has a verdict; MORE when all
 * has come and there is none. */
static inline enum parsed feed_steps(struct feed *f, size_t to, size_t step)
{
	for (size_t come = f->come; come < to;) {
		come = to - come > step ? come + step : to;
		enum parsed parsed = feed_parse(f, come);

		if (parsed != PARSE_MORE)
			return parsed;
	}
	return PARSE_MORE;
}

/* The request is over; the next one may begin with what was not taken. */
static inline void feed_next(struct feed *f)
{
	request_reset(&f->rq);
}

/* All bytes that were said so far, in memory that the caller frees; file ranges are read. */
static inline char *feed_said(struct sendbuf *out, size_t *n)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, n);
	struct iovec v[8];

	feed_check(to != NULL, "there is memory");
	while (out->pending > 0) {
		const struct sendbuf_segment *file = sendbuf_front_file(out);
		size_t count = sendbuf_vector(out, v, 8);
		int64_t sent = 0;

		for (size_t i = 0; i < count; i++) {
			fwrite(v[i].iov_base, 1, v[i].iov_len, to);
			sent += (int64_t)v[i].iov_len;
		}
		if (file) {
			char bytes[4096];
			size_t most = file->length < 4096 ? (size_t)file->length : 4096;

			sent = pread(file->fd, bytes, most, file->at);
			fwrite(bytes, 1, sent > 0 ? (size_t)sent : 0, to);
		}
		feed_check(sent > 0, "what is said can be read");
		sendbuf_advance(out, sent);
	}
	fclose(to);
	return text;
}

static inline const char *feed_verdict(enum parsed parsed)
{
	static const char *const names[] = { [PARSE_MORE] = "MORE",
					     [PARSE_DONE] = "DONE",
					     [PARSE_BAD] = "BAD",
					     [PARSE_AGAIN] = "AGAIN",
					     [PARSE_CLOSE] = "CLOSE" };

	return names[parsed];
}

/* Writes down what the application would see of the request. */
static inline void feed_describe(const struct feed *f, FILE *to)
{
	struct body_view body = uwsgi_request_body_view(&f->rq);
	size_t count;
	const struct var *vars = uwsgi_request_vars(&f->rq, &count);

	for (size_t i = 0; i < count; i++) {
		fwrite(vars[i].name.p, 1, vars[i].name.n, to);
		fputc('=', to);
		fwrite(vars[i].value.p, 1, vars[i].value.n, to);
		fputc('\n', to);
	}
	fprintf(to, "body %lld ", (long long)body.length);
	if (body.bytes.n)
		fwrite(body.bytes.p, 1, body.bytes.n, to);
	fputc('\n', to);
}

#endif
