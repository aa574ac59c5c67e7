/* SPDX-License-Identifier: MIT */
/* test_framing.c: where a body ends, in every portion it may come in; what two readers could
 * frame differently is refused. */
#include "cases.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define POST(fields, body) SLICE("POST / HTTP/1.1\r\nHost: h\r\n" fields "\r\n" body)
#define POST_1_0(fields) SLICE("POST / HTTP/1.0\r\n" fields "\r\n")
#define CHUNKED(body) POST("Transfer-Encoding: chunked\r\n", body)
#define REFUSED(number) PARSE_BAD, .status = number
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static void run(const struct parse_case *cases, size_t count)
{
	cases_run(cases, count, uwsgi_plugin.protocol);
}

static void test_lengths(void **unused)
{
	static const struct parse_case cases[] = {
		{ "a body", POST("Content-Length: 5\r\n", "he\0lo"), PARSE_DONE,
		  .vars = "CONTENT_LENGTH=5\n!HTTP_CONTENT_LENGTH", .body = SLICE("he\0lo") },
		{ "none", POST("", "x"), PARSE_DONE, .vars = "!CONTENT_LENGTH", .left = 1 },
		{ "0", POST("Content-Length: 0\r\n", "x"), PARSE_DONE, .vars = "CONTENT_LENGTH=0",
		  .left = 1 },
		{ "zeros in front", POST("content-length: 0002\r\n", "ab"), PARSE_DONE,
		  .body = SLICE("ab") },
		{ "a body of line ends", POST("Content-Length: 4\r\n", "\r\n\n\n"), PARSE_DONE,
		  .body = SLICE("\r\n\n\n") },
		{ "in HTTP/1.0", POST_1_0("Content-Length: 2\r\n"), PARSE_MORE, .left = 0 },
		{ "pipelined", POST("Content-Length: 2\r\n", "abGET / HTTP/1.1\r\n\r\n"),
		  PARSE_DONE, .body = SLICE("ab"), .left = 18 },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

static void test_lengths_that_are_none(void **unused)
{
	static const char *const bad[] = {
		"",
		"+5",
		"-5",
		"5 5",
		"5,5",
		"5, 5",
		"5x",
		"0x5",
		"5.0",
		"1e1",
		" \t",
		"\"5\"",
		"5;",
		"\xb2",
		"1000000000000000000",
		"9223372036854775808",
		"18446744073709551617",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char text[128];
		int n = snprintf(text, sizeof text,
				 "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %s\r\n\r\n",
				 bad[i]);
		const struct parse_case c = { .name = bad[i],
					      .in = { text, (size_t)n },
					      .verdict = PARSE_BAD,
					      .status = 400 };

		run(&c, 1);
	}
	static const struct parse_case cases[] = {
		{ "twice", POST("Content-Length: 5\r\nContent-Length: 6\r\n", ""), REFUSED(400) },
		{ "twice the same", POST("Content-Length: 5\r\ncontent-length: 5\r\n", ""),
		  REFUSED(400) },
		{ "over limit-post", POST("Content-Length: 1048577\r\n", ""), REFUSED(413) },
		{ "over limit-post, with an expectation",
		  POST("Content-Length: 1048577\r\nExpect: 100-continue\r\n", ""), REFUSED(413) },
	};
	run(cases, COUNT(cases));
}

static void test_transfer_encodings(void **unused)
{
	static const struct parse_case cases[] = {
		{ "chunked", POST("transfer-encoding:CHUNKED\r\n", "0\r\n\r\n"), PARSE_DONE,
		  .vars = "!CONTENT_LENGTH" },
		{ "beside Content-Length",
		  POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", ""), REFUSED(400) },
		{ "before Content-Length",
		  POST("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", ""), REFUSED(400) },
		{ "in HTTP/1.0", POST_1_0("Transfer-Encoding: chunked\r\n"), REFUSED(400) },
		{ "chunked twice", POST("Transfer-Encoding: chunked, chunked\r\n", ""),
		  REFUSED(400) },
		{ "two fields",
		  POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", ""),
		  REFUSED(400) },
		{ "something behind it", POST("Transfer-Encoding: chunked, gzip\r\n", ""),
		  REFUSED(400) },
		{ "gzip before it", POST("Transfer-Encoding: gzip, chunked\r\n", ""),
		  REFUSED(501) },
		{ "gzip before it, in two fields",
		  POST("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", ""),
		  REFUSED(501) },
		{ "gzip alone", POST("Transfer-Encoding: gzip\r\n", ""), REFUSED(400) },
		{ "identity", POST("Transfer-Encoding: identity\r\n", ""), REFUSED(400) },
		{ "nearly chunked", POST("Transfer-Encoding: xchunked\r\n", ""), REFUSED(400) },
		{ "in quotes", POST("Transfer-Encoding: \"chunked\"\r\n", ""), REFUSED(400) },
		{ "with a parameter", POST("Transfer-Encoding: chunked;a=b\r\n", ""),
		  REFUSED(400) },
		{ "with a vertical tab",
		  POST("Transfer-Encoding: \x0b"
		       "chunked\r\n",
		       ""),
		  REFUSED(400) },
		{ "empty", POST("Transfer-Encoding:\r\n", ""), REFUSED(400) },
		{ "a comma only", POST("Transfer-Encoding: ,\r\n", ""), REFUSED(400) },
		{ "a name with a blank", POST("Transfer-Encoding : chunked\r\n", ""), REFUSED(400),
		  .early = true },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

static void test_chunks(void **unused)
{
	static const struct parse_case cases[] = {
		{ "none", CHUNKED("0\r\n\r\n"), PARSE_DONE, .body = SLICE("") },
		{ "one", CHUNKED("5\r\nhe\0lo\r\n0\r\n\r\n"), PARSE_DONE, .body = SLICE("he\0lo") },
		{ "several", CHUNKED("3\r\nhel\r\n02\r\nlo\r\n000\r\n\r\n"), PARSE_DONE,
		  .body = SLICE("hello") },
		{ "sixteen bytes and more",
		  CHUNKED("1a\r\nabcdefghijklmnopqrstuvwxyz\r\n"
			  "A\r\n0123456789\r\n0\r\n\r\n"),
		  PARSE_DONE, .body = SLICE("abcdefghijklmnopqrstuvwxyz0123456789") },
		{ "line ends as data", CHUNKED("4\r\n\r\n\r\n\r\n0\r\n\r\n"), PARSE_DONE,
		  .body = SLICE("\r\n\r\n") },
		{ "extensions", CHUNKED("1;a=b;c=\"d e\"\r\nx\r\n1 ; q\r\ny\r\n0;last\r\n\r\n"),
		  PARSE_DONE, .body = SLICE("xy") },
		{ "blanks behind a size", CHUNKED("1  \r\nx\r\n0\t\r\n\r\n"), PARSE_DONE,
		  .body = SLICE("x") },
		{ "trailers",
		  CHUNKED("1\r\nx\r\n0\r\nA: b\r\nContent-Length: 99\r\nHost: i\r\n\r\n"),
		  PARSE_DONE, .vars = "!HTTP_A\n!CONTENT_LENGTH\nHTTP_HOST=h", .body = SLICE("x") },
		{ "pipelined", CHUNKED("1\r\nx\r\n0\r\n\r\nGET"), PARSE_DONE, .body = SLICE("x"),
		  .left = 3 },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

static void test_chunks_that_are_malformed(void **unused)
{
	static const struct parse_case cases[] = {
		{ "no size", CHUNKED("\r"), REFUSED(400) },
		{ "a size that is none", CHUNKED("g"), REFUSED(400) },
		{ "a signed size", CHUNKED("+"), REFUSED(400) },
		{ "a negative size", CHUNKED("-"), REFUSED(400) },
		{ "a blank before the size", CHUNKED(" "), REFUSED(400) },
		{ "0x", CHUNKED("0x"), REFUSED(400) },
		{ "an underscore", CHUNKED("1_"), REFUSED(400) },
		{ "two sizes", CHUNKED("1 1"), REFUSED(400) },
		{ "a size of 16 digits", CHUNKED("0000000000000001"), REFUSED(400) },
		{ "a size with a bare LF", CHUNKED("1\n"), REFUSED(400) },
		{ "a size with a bare CR", CHUNKED("1\rx"), REFUSED(400) },
		{ "an extension with a bare LF", CHUNKED("1;a\n"), REFUSED(400) },
		{ "an extension with a bare CR", CHUNKED("1;a\rb"), REFUSED(400) },
		{ "an extension with a NUL", CHUNKED("1;a\0"), REFUSED(400) },
		{ "a chunk that is longer", CHUNKED("1\r\nxy"), REFUSED(400) },
		{ "a chunk that ends with LF", CHUNKED("1\r\nx\n"), REFUSED(400) },
		{ "a chunk that ends with CR", CHUNKED("1\r\nx\r1"), REFUSED(400) },
		{ "a last chunk with a bare LF", CHUNKED("0\r\n\n"), REFUSED(400) },
		{ "a last chunk with a bare CR", CHUNKED("0\r\n\rx"), REFUSED(400) },
		{ "a trailer without a name", CHUNKED("0\r\n:"), REFUSED(400) },
		{ "a folded trailer", CHUNKED("0\r\nA: b\r\n "), REFUSED(400) },
		{ "a trailer without a colon", CHUNKED("0\r\nGET "), REFUSED(400) },
		{ "a trailer with a bare LF", CHUNKED("0\r\nA: b\n"), REFUSED(400) },
		{ "a trailer with a bare CR", CHUNKED("0\r\nA: b\rc"), REFUSED(400) },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

/* The verdict on `prefix`, `count` times `unit`, `suffix`, which comes a byte at a time. */
static int status_of_many(const char *prefix, const char *unit, int count, const char *suffix)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);
	struct feed f;

	assert_non_null(to);
	fprintf(to, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n%s", prefix);
	for (int i = 0; i < count; i++)
		fputs(unit, to);
	fputs(suffix, to);
	fclose(to);
	feed_open(&f, uwsgi_plugin.protocol, (struct slice){ text, n });
	enum parsed parsed = feed_steps(&f, n, 1);
	int status = parsed == PARSE_DONE ? 200 : f.rq.reject_status;

	feed_close(&f);
	free(text);
	return status;
}

static void test_what_carries_nothing_has_bounds(void **unused)
{
	(void)unused;
	assert_int_equal(status_of_many("1;", "a", 10000, "\r\nx\r\n0\r\n\r\n"), 200);
	assert_int_equal(status_of_many("1;", "a", 20000, "\r\nx\r\n0\r\n\r\n"), 400);
	assert_int_equal(status_of_many("1", " ", 20000, "\r\nx\r\n0\r\n\r\n"), 400);
	assert_int_equal(status_of_many("0\r\n", "A: b\r\n", 1000, "\r\n"), 200);
	assert_int_equal(status_of_many("0\r\n", "A: b\r\n", 10000, "\r\n"), 431);
	assert_int_equal(status_of_many("0\r\n", "A", 20000, ": b\r\n\r\n"), 431);
	assert_int_equal(status_of_many("", "10\r\n0123456789abcdef\r\n", 65536, "0\r\n\r\n"), 200);
	assert_int_equal(status_of_many("", "10\r\n0123456789abcdef\r\n", 65537, "0\r\n\r\n"), 413);
	assert_int_equal(status_of_many("fffffffffffffff\r\n", "x", 1048577, ""), 413);
}

struct expectation {
	struct slice in;
	size_t first; /* bytes that come first; 0: the head alone */
	const char *said;
};

static void test_100_continue_is_said_when_the_body_waits_for_it(void **unused)
{
	static const struct expectation all[] = {
		{ POST("Expect: 100-continue\r\nContent-Length: 2\r\n", "ab"), 0, CONTINUE },
		{ POST("expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 0,
		  CONTINUE },
		{ POST("Expect: 100-continue\r\nContent-Length: 2\r\n", "ab"), 999, "" },
		{ POST("Expect: 100-continue\r\nContent-Length: 0\r\n", ""), 0, "" },
		{ POST("Expect: 100-continue\r\n", ""), 0, "" },
		{ POST_1_0("Expect: 100-continue\r\nContent-Length: 2\r\n"), 0, "" },
		{ POST("Content-Length: 2\r\n", "ab"), 0, "" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(all); i++) {
		const struct expectation *e = &all[i];
		const char *end = memmem(e->in.p, e->in.n, "\r\n\r\n", 4);
		size_t head = (size_t)(end + 4 - e->in.p);
		struct feed f;
		size_t n;

		feed_open(&f, uwsgi_plugin.protocol, e->in);
		enum parsed parsed = feed_steps(&f, e->first < e->in.n ? head : e->in.n, e->in.n);
		char *said = feed_said(&f.out, &n);
		assert_int_equal(n, strlen(e->said));
		assert_memory_equal(said, e->said, n);
		free(said);
		if (parsed == PARSE_MORE && f.come < e->in.n)
			assert_int_equal(feed_steps(&f, e->in.n, 1), PARSE_DONE);
		assert_int_equal(f.out.pending, 0);
		feed_close(&f);
	}
	static const struct parse_case refused[] = {
		{ "another expectation", POST("Expect: a-cookie\r\n", ""), REFUSED(417) },
		{ "two", POST("Expect: 100-continue, x\r\n", ""), REFUSED(417) },
	};
	run(refused, COUNT(refused));
}

static void test_requests_follow_each_other(void **unused)
{
	static const char text[] =
		"GET /a HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n"
		"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
		"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n0\r\n\r\n"
		"\r\nGET /d HTTP/1.1\r\nHost: h\r\n\r\n";
	static const char *const bodies[] = { "", "ab", "abc", "" };
	const struct slice in = { text, sizeof text - 1 };

	(void)unused;
	for (size_t step = 1; step <= in.n; step++) {
		struct feed f;

		feed_open(&f, uwsgi_plugin.protocol, in);
		for (size_t i = 0; i < COUNT(bodies); i++) {
			char path[] = { '/', (char)('a' + i) };
			/* What is here already is parsed before more comes. */
			enum parsed parsed = f.taken < f.come ? feed_parse(&f, f.come) : PARSE_MORE;
			if (parsed == PARSE_MORE)
				parsed = feed_steps(&f, in.n, step);
			struct body_view body = uwsgi_request_body_view(&f.rq);

			assert_int_equal(parsed, PARSE_DONE);
			assert_memory_equal(uwsgi_request_find(&f.rq, SLICE("PATH_INFO")).p, path,
					    2);
			assert_int_equal(uwsgi_request_find(&f.rq, SLICE("HTTP_X")).n, i == 0);
			assert_int_equal(body.length, strlen(bodies[i]));
			if (body.length)
				assert_memory_equal(body.bytes.p, bodies[i], body.bytes.n);
			feed_next(&f);
		}
		assert_int_equal(f.taken, in.n);
		feed_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_lengths_that_are_none),
		cmocka_unit_test(test_transfer_encodings),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_chunks_that_are_malformed),
		cmocka_unit_test(test_what_carries_nothing_has_bounds),
		cmocka_unit_test(test_100_continue_is_said_when_the_body_waits_for_it),
		cmocka_unit_test(test_requests_follow_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
