/* SPDX-License-Identifier: MIT */
/* say.h: has a protocol say a response to a request that was fed to it, and compares the bytes. */
#ifndef T_SAY_H
#define T_SAY_H

#include "unit.h"

#include "feed.h"

#define SAY_DATE SLICE("Sun, 06 Nov 1994 08:49:37 GMT")

static inline struct piece say_memory(struct slice bytes)
{
	return (struct piece){ .bytes = bytes, .fd = -1, .length = (int64_t)bytes.n };
}

/* Feeds the whole input and forgets what was said early. */
static inline void say_request(struct feed *f, const struct protocol *protocol, struct slice input,
			       enum parsed expected)
{
	feed_open(f, protocol, input);
	assert_string_equal(feed_verdict(feed_parse(f, input.n)), feed_verdict(expected));
	sendbuf_drop(&f->out);
}

static inline void say_expect(struct feed *f, struct slice expected)
{
	size_t n;
	char *said = feed_said(&f->out, &n);

	if (n != expected.n || memcmp(said, expected.p, n))
		print_error("said, %zu of %zu bytes: %.*s\n", n, expected.n, (int)n, said);
	assert_int_equal(n, expected.n);
	assert_memory_equal(said, expected.p, n);
	free(said);
}

#endif
