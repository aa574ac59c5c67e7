/* SPDX-License-Identifier: MIT */
/* test_http.c: what else speaks to an HTTP socket, 100 Continue, incomplete heads, and what a
 * connection costs. */
#include "unit.h"

#include "drive.h"

/* An idle connection holds it. */
_Static_assert(sizeof(struct http) <= 64, "the state of a connection is small");

#define POST "POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static const struct http_case cases[] = {
	{ "TLS", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400, "TLS" },
	{ "a uwsgi packet", BYTES("\x00\x1a\x00\x00\x0e\x00REQUEST_METHOD\x03\x00GET"), 400,
	  "uwsgi" },
	{ "a FastCGI record", BYTES("\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00"), 400,
	  "FastCGI" },
	{ "a proxy's preface", BYTES("\r\n\r\n\0\r\nQUIT\n"), 400, NULL },
	{ "another proxy's preface", BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), 400,
	  "version" },
	{ "words", BYTES("hello\r\n"), 400, "method" },
	{ "an answer", BYTES("HTTP/1.1 200 OK\r\n\r\n"), 400, NULL },
	{ "bytes", BYTES("\xff\xfe\xfd\xfc"), 400, "no HTTP request" },
	{ "empty lines for ever", BYTES("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"), 400, "empty lines" },
};

static void test_what_is_no_http_is_told_so_at_once(void **unused)
{
	(void)unused;
	drive_check_cases(cases, COUNT(cases));
}

static void test_an_incomplete_head_is_searched_once(void **unused)
{
	static const struct slice head = BYTES("GET / HTTP/1.1\r\nHost: t\r\nA: b\r\n\r\n");
	struct drive d;
	size_t used;

	(void)unused;
	drive_begin(&d);
	for (size_t n = 1; n < head.n; n++) {
		assert_int_equal(drive_parse(&d, (struct slice){ head.p, n }, &used), PARSE_MORE);
		assert_int_equal(used, 0);
		assert_int_equal(d.state.searched, n);
	}
	assert_int_equal(drive_parse(&d, head, &used), PARSE_DONE);
	assert_int_equal(d.state.searched, 0);
	drive_end(&d);
}

static void check_sent(struct slice in, size_t first, enum parsed expected, const char *sent)
{
	struct drive d;
	size_t used;

	drive_begin(&d);
	assert_int_equal(drive_feed(&d, in, first, in.n, &used), expected);
	char *text = drive_sent(&d);

	assert_string_equal(text, sent);
	free(text);
	drive_end(&d);
}

static void test_continue_is_said_when_the_body_is_waited_for(void **unused)
{
	static const struct slice length = BYTES(POST "Content-Length: 2\r\n\r\nhi");
	static const struct slice chunks = BYTES(POST "Transfer-Encoding: chunked\r\n\r\n"
						      "2\r\nhi\r\n0\r\n\r\n");
	static const struct slice nothing = BYTES(POST "\r\n");
	static const struct slice empty = BYTES(POST "Content-Length: 0\r\n\r\n");
	static const struct slice old = BYTES("POST / HTTP/1.0\r\nExpect: 100-continue\r\n"
					      "Content-Length: 2\r\n\r\nhi");

	(void)unused;
	check_sent(length, length.n - 2, PARSE_DONE, CONTINUE);
	check_sent(length, length.n - 3, PARSE_DONE, "");
	check_sent(length, length.n - 1, PARSE_DONE, "");
	check_sent(length, length.n, PARSE_DONE, "");
	check_sent(chunks, chunks.n - 12, PARSE_DONE, CONTINUE);
	check_sent(chunks, chunks.n - 11, PARSE_DONE, "");
	check_sent(nothing, nothing.n, PARSE_DONE, "");
	check_sent(empty, empty.n, PARSE_DONE, "");
	check_sent(old, old.n - 2, PARSE_DONE, "");
}

static void test_a_body_that_is_too_large_is_not_asked_for(void **unused)
{
	static const struct slice in = BYTES(POST "Content-Length: 11\r\n\r\n");
	struct drive d;
	size_t used;

	(void)unused;
	drive_begin(&d);
	d.limits.limit_post = 10;
	assert_int_equal(drive_feed(&d, in, in.n, 1, &used), PARSE_BAD);
	assert_int_equal(d.rq.reject_status, 413);
	assert_int_equal(d.out.pending, 0);
	assert_false(drive_answer(&d));
	drive_end(&d);
}

static void test_a_body_is_taken_to_its_last_byte_and_no_further(void **unused)
{
	static const struct slice in =
		BYTES("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n"
		      "helloGET /next HTTP/1.1\r\n");
	struct drive d;
	size_t used;

	(void)unused;
	drive_begin(&d);
	assert_int_equal(drive_feed(&d, in, in.n, 1, &used), PARSE_DONE);
	assert_memory_equal(in.p + used, "GET /next", 9);
	drive_next(&d);
	assert_int_equal(drive_feed(&d, (struct slice){ in.p + used, in.n - used }, 3, 3, &used),
			 PARSE_MORE);
	assert_int_equal(used, 0);
	drive_end(&d);
}

static void test_refusals_close_whatever_was_before(void **unused)
{
	static const struct slice good = BYTES("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
	static const struct slice bad = BYTES("GET / HTTP/1.1\r\n\r\n");
	struct drive d;
	size_t used;

	(void)unused;
	drive_begin(&d);
	assert_int_equal(drive_feed(&d, good, good.n, 1, &used), PARSE_DONE);
	assert_true(drive_answer(&d));
	drive_next(&d);
	/* A head that stops half way is answered by the core. */
	assert_int_equal(drive_feed(&d, good, good.n - 1, good.n, &used), PARSE_DONE);
	assert_true(drive_answer(&d));
	drive_next(&d);
	assert_int_equal(drive_parse(&d, (struct slice){ good.p, 10 }, &used), PARSE_MORE);
	assert_false(drive_answer(&d));
	d.state = (struct http){ 0 };
	drive_next(&d);
	assert_int_equal(drive_feed(&d, bad, bad.n, 1, &used), PARSE_BAD);
	assert_false(drive_answer(&d));
	drive_end(&d);
}

static void test_the_plugin_says_what_it_is(void **unused)
{
	(void)unused;
	assert_int_equal(uwsgi_plugin.abi, UWSGI_ABI);
	assert_string_equal(uwsgi_plugin.name, "http");
	assert_string_equal(uwsgi_plugin.protocol->name, "http");
	assert_int_equal(uwsgi_plugin.protocol->state_size, sizeof(struct http));
	assert_null(uwsgi_plugin.app);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_http_is_told_so_at_once),
		cmocka_unit_test(test_an_incomplete_head_is_searched_once),
		cmocka_unit_test(test_continue_is_said_when_the_body_is_waited_for),
		cmocka_unit_test(test_a_body_that_is_too_large_is_not_asked_for),
		cmocka_unit_test(test_a_body_is_taken_to_its_last_byte_and_no_further),
		cmocka_unit_test(test_refusals_close_whatever_was_before),
		cmocka_unit_test(test_the_plugin_says_what_it_is),
	};

	if (drive_write_corpus(argc, argv, "http", cases, COUNT(cases)))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
