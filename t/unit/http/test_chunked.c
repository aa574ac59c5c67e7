/* SPDX-License-Identifier: MIT */
/* test_chunked.c: what extensions and trailers may cost over a long body. */
#include "feed.h"
#include "unit.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The status for a chunked body of `count` times `chunk`; 200: it is taken. */
static int status_of(size_t count, const char *chunk)
{
	size_t n;
	char *text = NULL;
	FILE *to = open_memstream(&text, &n);
	struct feed f;

	assert_non_null(to);
	fputs("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n", to);
	for (size_t i = 0; i < count; i++)
		fputs(chunk, to);
	fputs("0\r\n\r\n", to);
	fclose(to);
	feed_open(&f, uwsgi_plugin.protocol, (struct slice){ text, n });
	f.limits.limit_post = 0;
	f.limits.post_buffering = 1 << 30;
	int status = feed_parse(&f, n) == PARSE_DONE ? 200 : f.rq.reject_status;

	feed_close(&f);
	free(text);
	return status;
}

/* Signatures go with every chunk of an upload of any size; a line without data does not. */
static void test_extensions_are_paid_for_by_data(void **unused)
{
	(void)unused;
	assert_int_equal(status_of(100000, "10;0123456789abc\r\n0123456789abcdef\r\n"), 200);
	assert_int_equal(status_of(400, "1;0123456789abcdef0123456789abcdef\r\nx\r\n"), 200);
	assert_int_equal(status_of(1000, "1;0123456789abcdef0123456789abcdef\r\nx\r\n"), 400);
	assert_int_equal(status_of(2000, "1                \r\nx\r\n"), 400);
}

static void test_each_body_has_bounds_of_its_own(void **unused)
{
	static const struct slice in = SLICE("POST / HTTP/1.1\r\nHost: t\r\n"
					     "Transfer-Encoding: chunked\r\n\r\n"
					     "0;0123456789\r\nA: 0123456789\r\n\r\n");
	struct feed f;

	(void)unused;
	feed_open(&f, uwsgi_plugin.protocol, in);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(feed_parse(&f, in.n), PARSE_DONE);
		assert_int_equal(f.taken, in.n);
		f.taken = 0;
		feed_next(&f);
	}
	feed_close(&f);
}

static void test_sizes_at_their_bounds(void **unused)
{
	static const struct {
		const char *size;
		int status;
	} sizes[] = {
		{ "fffffffffffffff", 200 },   { "000000000000001", 200 },
		{ "0000000000000001", 400 },  { "8000000000000000", 400 },
		{ "10000000000000005", 400 },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char text[128];
		int n = snprintf(
			text, sizeof text,
			"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
			sizes[i].size);
		struct feed f;

		feed_open(&f, uwsgi_plugin.protocol, (struct slice){ text, (size_t)n });
		enum parsed parsed = feed_steps(&f, (size_t)n, 1);
		assert_int_equal(parsed, sizes[i].status == 200 ? PARSE_MORE : PARSE_BAD);
		assert_int_equal(f.rq.reject_status, sizes[i].status == 200 ? 0 : 400);
		feed_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_extensions_are_paid_for_by_data),
		cmocka_unit_test(test_each_body_has_bounds_of_its_own),
		cmocka_unit_test(test_sizes_at_their_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
