/* SPDX-License-Identifier: MIT */
/* test_reply.c: the head of another server's answer. */
#include "unit.h"

#include "reply.h"

static bool reads(const char *text, struct reply *a)
{
	const char *why;

	return reply_read((struct slice){ text, strlen(text) }, SPEAKS_UWSGI, a, &why);
}

static void test_answers(void **unused)
{
	struct reply a;

	(void)unused;
	assert_true(reads("HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 12\r\n\r\n", &a));
	assert_memory_equal(a.line.p, "200 OK", a.line.n);
	assert_int_equal(a.length, 12);
	assert_int_equal(a.head.count, 2);
	assert_false(a.chunked);
	assert_true(reads("HTTP/1.0 404\r\n\r\n", &a));
	assert_int_equal(a.line.n, 3);
	assert_int_equal(a.length, -1);
	assert_false(a.chunked);
	assert_true(reads("HTTP/1.1 200\r\ntransfer-encoding: CHUNKED\r\n\r\n", &a));
	assert_int_equal(a.length, -1);
	assert_true(a.chunked);
	assert_true(reads("HTTP/1.1 200\r\nTransfer-Encoding: gzip\r\n\r\n", &a));
	assert_false(a.chunked);
}

static void test_what_is_no_answer(void **unused)
{
	static const char *const texts[] = {
		"",
		"\n",
		"\r\n\r\n",
		"HTTP/1.1\r\n\r\n",
		"HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 200OK\r\n\r\n",
		"HTTP/1.1 200 OK\n\n",
		"HTTP/1.1 200 OK\r\nA b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 O\x01K\r\n\r\n",
		"HTTP/1.1 099 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1234567890123456789\r\n\r\n",
	};
	struct reply a;

	(void)unused;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_false(reads(texts[i], &a));
}

static bool reads_http(const char *text, struct reply *a)
{
	const char *why;

	return reply_read((struct slice){ text, strlen(text) }, SPEAKS_HTTP, a, &why);
}

static void test_an_http_server_frames_its_answer_in_one_way(void **unused)
{
	static const char *const texts[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked,\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\n\r\n",
	};
	struct reply a;

	(void)unused;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_false(reads_http(texts[i], &a));
	assert_true(reads_http("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", &a));
	assert_true(a.chunked);
	assert_int_equal(a.status, 200);
	/* Behind the uwsgi protocol an application says it of what it takes for the client's
	 * connection. */
	assert_true(reads(texts[0], &a));
	assert_int_equal(a.length, 1);
	assert_false(a.chunked);
}

static void test_what_is_for_one_connection(void **unused)
{
	struct reply a;

	(void)unused;
	assert_true(reads_http("HTTP/1.1 200\r\nConnection: X-Own,close\r\nKeep-Alive: 5\r\n"
			       "X-Own: 1\r\nX-Other: 2\r\nTrailer: a\r\n\r\n",
			       &a));
	assert_true(reply_is_hop_by_hop(&a, SLICE("x-own")));
	assert_true(reply_is_hop_by_hop(&a, SLICE("connection")));
	assert_true(reply_is_hop_by_hop(&a, SLICE("Keep-Alive")));
	assert_true(reply_is_hop_by_hop(&a, SLICE("Trailer")));
	assert_false(reply_is_hop_by_hop(&a, SLICE("X-Other")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_what_is_no_answer),
		cmocka_unit_test(test_an_http_server_frames_its_answer_in_one_way),
		cmocka_unit_test(test_what_is_for_one_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
