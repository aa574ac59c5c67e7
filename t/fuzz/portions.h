/* SPDX-License-Identifier: MIT */
/* portions.h: what the fuzzers of the protocols share: a connection's whole input is parsed at
 * once, byte by byte, and in portions that the input itself chooses; verdicts, variables, bodies
 * and what is said must be the same.  Requests are answered, so that one connection carries as
 * many as it may. */
#ifndef T_PORTIONS_H
#define T_PORTIONS_H

#include "feed.h"

struct portions {
	const struct protocol *protocol;
	/* What a request must keep to that is whole; NULL: nothing more. */
	void (*check)(const struct request *);
	/* The status of a refusal and what is said before the answer (100 Continue) may depend on
	 * what came together. */
	bool may_differ;
};

static inline bool portions_answer(struct feed *f, int status)
{
	const struct protocol *p = f->protocol;
	const struct header header = { SLICE("A"), SLICE("b") };
	const struct head head = { .status = status,
				   .line = status == 200 ? SLICE("200 OK") : SLICE("400 No"),
				   .headers = &header,
				   .header_count = 1,
				   .length = -1,
				   .date = SLICE("today") };
	const struct piece piece = { .bytes = SLICE("x"), .fd = -1, .length = 1 };

	p->head(f->state, &head, &f->out);
	p->body(f->state, &piece, &f->out);
	return p->end(f->state, true, &f->out) == ENDED_KEEP;
}

static inline void portions_write_said(struct feed *f, FILE *to)
{
	size_t n;
	char *said = feed_said(&f->out, &n);

	fputs("said ", to);
	fwrite(said, 1, n, to);
	fputc('\n', to);
	free(said);
}

/* Writes down one verdict and answers it; true: the connection lives on. */
static inline bool portions_verdict(const struct portions *how, struct feed *f, enum parsed parsed,
				    FILE *to)
{
	bool alive = parsed == PARSE_AGAIN;

	if (how->may_differ)
		sendbuf_drop(&f->out);
	fprintf(to, "%s\n", feed_verdict(parsed));
	if (parsed == PARSE_BAD) {
		fprintf(to, "status %d\n", how->may_differ ? 0 : f->rq.reject_status);
		feed_check(!portions_answer(f, 400), "a connection ends with a refusal");
	} else {
		feed_describe(f, to);
		fprintf(to, "left %zu\n", f->input.n - f->taken);
	}
	if (parsed == PARSE_DONE) {
		if (how->check)
			how->check(&f->rq);
		alive = portions_answer(f, 200);
	}
	portions_write_said(f, to);
	if (alive)
		feed_next(f);
	return alive;
}

static inline char *portions_run(const struct portions *how, struct slice input, size_t first,
				 size_t step, size_t *n)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, n);
	struct feed f;
	enum parsed parsed = PARSE_MORE;

	feed_check(to != NULL, "there is memory");
	feed_open(&f, how->protocol, input);
	do {
		/* What is here already is parsed before more comes. */
		parsed = f.taken < f.come ? feed_parse(&f, f.come) : PARSE_MORE;
		if (parsed == PARSE_MORE && f.come < first)
			parsed = feed_steps(&f, first, first);
		if (parsed == PARSE_MORE)
			parsed = feed_steps(&f, input.n, step);
	} while (portions_verdict(how, &f, parsed, to));
	feed_close(&f);
	fclose(to);
	return text;
}

static inline void portions_compare(const struct portions *how, const uint8_t *bytes, size_t n)
{
	const struct slice input = { (const char *)bytes, n };
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ bytes[i]) * 1099511628211u;
	const struct {
		size_t first, step;
	} ways[] = {
		{ 1, 1 },
		{ 1 + hash % (n + 1), n + 1 },
		{ 1 + (hash >> 32) % (n + 1), 1 + (hash >> 16) % (n + 1) },
	};
	size_t whole_n, part_n;
	char *whole = portions_run(how, input, n, n, &whole_n);

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		size_t first = ways[i].first < n ? ways[i].first : n;
		char *part = portions_run(how, input, first, ways[i].step, &part_n);

		if (part_n != whole_n || memcmp(part, whole, whole_n))
			fprintf(stderr, "whole:\n%.*s\nfirst %zu, then by %zu:\n%.*s\n",
				(int)whole_n, whole, first, ways[i].step, (int)part_n, part);
		feed_check(part_n == whole_n && !memcmp(part, whole, whole_n),
			   "portions make no difference");
		free(part);
	}
	free(whole);
}

#endif
