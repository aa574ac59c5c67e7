/* SPDX-License-Identifier: MIT */
/* test_chunked.c: chunked request bodies, their extensions and trailers. */
#include "unit.h"

#include "drive.h"

#define HEAD "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LAST "0\r\n\r\n"

static const struct http_case cases[] = {
	{ "no chunk", BYTES(HEAD LAST), 0, "body \nthe connection lives" },
	{ "one", BYTES(HEAD "5\r\nhello\r\n" LAST), 0, "body hello" },
	{ "two", BYTES(HEAD "5\r\nhello\r\n1\r\n!\r\n" LAST), 0, "body hello!" },
	{ "a size in hexadecimal",
	  BYTES(HEAD "00aB\r\n"
		     "0123456789012345678901234567890123456789012345678901234567890123456789"
		     "0123456789012345678901234567890123456789012345678901234567890123456789"
		     "0123456789012345678901234567890\r\n" LAST),
	  0, NULL },
	{ "zeros before the last", BYTES(HEAD "1\r\nx\r\n000\r\n\r\n"), 0, "body x" },
	{ "data that looks like chunks", BYTES(HEAD "5\r\n0\r\n\r\n\r\n" LAST), 0, NULL },
	{ "extensions", BYTES(HEAD "5;a=b;c\r\nhello\r\n0;d=\"e;f\"\r\n\r\n"), 0, "body hello" },
	{ "blanks behind a size", BYTES(HEAD "5  \t\r\nhello\r\n0 ;a\r\n\r\n"), 0, "body hello" },
	{ "trailers", BYTES(HEAD "5\r\nhello\r\n0\r\nX-A: b\r\nContent-Length:9\r\nC:\r\n\r\n"), 0,
	  "body hello\n!HTTP_X_A\n!CONTENT_LENGTH\n!HTTP_C" },

	{ "no size", BYTES(HEAD "\r\nhello\r\n" LAST), 400, "missing" },
	{ "an extension without a size", BYTES(HEAD ";a\r\nhello\r\n" LAST), 400, "missing" },
	{ "a blank before a size", BYTES(HEAD " 5\r\nhello\r\n" LAST), 400, "missing" },
	{ "a plus sign", BYTES(HEAD "+5\r\nhello\r\n" LAST), 400, "missing" },
	{ "a minus sign", BYTES(HEAD "-5\r\nhello\r\n" LAST), 400, "missing" },
	{ "a prefix", BYTES(HEAD "0x5\r\nhello\r\n" LAST), 400, "malformed" },
	{ "a size that is none", BYTES(HEAD "5g\r\nhello\r\n" LAST), 400, "malformed" },
	{ "a blank inside a size", BYTES(HEAD "1 0\r\nhello\r\n" LAST), 400, "malformed" },
	{ "2^64 + 5", BYTES(HEAD "10000000000000005\r\nhello\r\n" LAST), 400, "large" },
	{ "2^63", BYTES(HEAD "8000000000000000\r\nhello\r\n" LAST), 400, "large" },
	{ "many zeros", BYTES(HEAD "0000000000000000\r\n\r\n"), 400, "large" },
	{ "a bare LF behind a size", BYTES(HEAD "5\nhello\r\n" LAST), 400, "malformed" },
	{ "a bare CR behind a size", BYTES(HEAD "5\rhello\r\n" LAST), 400, "bare CR" },
	{ "a bare LF in an extension", BYTES(HEAD "5;a\nhello\r\n" LAST), 400, "control" },
	{ "a bare CR in an extension", BYTES(HEAD "5;a\rb\r\nhello\r\n" LAST), 400, "bare CR" },
	{ "a NUL in an extension", BYTES(HEAD "5;\0\r\nhello\r\n" LAST), 400, "control" },
	{ "a longer chunk", BYTES(HEAD "4\r\nhello\r\n" LAST), 400, "longer" },
	{ "a shorter chunk", BYTES(HEAD "6\r\nhello\r\n" LAST), 400, NULL },
	{ "a bare LF behind a chunk", BYTES(HEAD "5\r\nhello\n" LAST), 400, "longer" },
	{ "a bare CR behind a chunk", BYTES(HEAD "5\r\nhello\r" LAST), 400, "bare CR" },
	{ "a bare LF at the end", BYTES(HEAD "0\r\n\n"), 400, "trailer" },
	{ "a bare CR at the end", BYTES(HEAD "0\r\n\rx"), 400, "bare CR" },
	{ "a request as a trailer", BYTES(HEAD "0\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n"), 400,
	  "trailer" },
	{ "a folded trailer", BYTES(HEAD "0\r\nA: b\r\n c\r\n\r\n"), 400, "trailer" },
	{ "a trailer without a colon", BYTES(HEAD "0\r\nA\r\n\r\n"), 400, "trailer" },
	{ "a trailer without a name", BYTES(HEAD "0\r\n: b\r\n\r\n"), 400, "trailer" },
	{ "a blank before the colon", BYTES(HEAD "0\r\nA : b\r\n\r\n"), 400, "trailer" },
	{ "a NUL in a trailer", BYTES(HEAD "0\r\nA: \0\r\n\r\n"), 400, "control" },
	{ "a bare LF in a trailer", BYTES(HEAD "0\r\nA: b\nC: d\r\n\r\n"), 400, "control" },
	{ "a bare CR in a trailer", BYTES(HEAD "0\r\nA: b\rC: d\r\n\r\n"), 400, "bare CR" },
};

static void test_bodies_are_put_together_or_refused(void **unused)
{
	(void)unused;
	drive_check_cases(cases, COUNT(cases));
}

/* The verdict over a chunked body of count lines, with what comes before and behind them. */
static enum parsed feed_lines(struct drive *d, size_t count, const char *line, const char *end)
{
	size_t size, used;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	fputs(HEAD, f);
	for (size_t i = 0; i < count; i++)
		fputs(line, f);
	fputs(end, f);
	fclose(f);
	enum parsed parsed = drive_feed(d, (struct slice){ text, size }, size, 1, &used);

	free(text);
	return parsed;
}

static void test_what_carries_nothing_is_bounded(void **unused)
{
	static const struct {
		const char *line, *end;
		size_t few, many;
		int status;
	} rows[] = {
		{ "1;0123456789abcdef0123456789abcdef\r\nx\r\n", LAST, 400, 1000, 400 },
		{ "1                \r\nx\r\n", LAST, 900, 2000, 400 },
		/* Extensions that go with as much data may go on for ever. */
		{ "10;0123456789abc\r\n0123456789abcdef\r\n", LAST, 100000, 0, 0 },
	};
	struct drive d;

	(void)unused;
	drive_begin(&d);
	for (size_t i = 0; i < COUNT(rows); i++) {
		d.limits.post_buffering = 1 << 30;
		d.state = (struct http){ 0 };
		assert_int_equal(feed_lines(&d, rows[i].few, rows[i].line, rows[i].end),
				 PARSE_DONE);
		drive_next(&d);
		if (!rows[i].many)
			continue;
		assert_int_equal(feed_lines(&d, rows[i].many, rows[i].line, rows[i].end),
				 PARSE_BAD);
		assert_int_equal(d.rq.reject_status, rows[i].status);
		drive_next(&d);
	}
	drive_end(&d);
}

static void test_trailers_are_bounded(void **unused)
{
	static const struct slice head = BYTES(HEAD "0\r\n"), line = BYTES("A: bcdefghijklmn\r\n");
	static const struct slice name = BYTES("ABCDEFGHIJKLMNOP");
	const struct slice *repeated[] = { &line, &name };
	struct drive d;
	size_t used;

	(void)unused;
	for (size_t i = 0; i < COUNT(repeated); i++) {
		enum parsed parsed = PARSE_MORE;
		int n = 0;

		drive_begin(&d);
		assert_int_equal(drive_feed(&d, head, head.n, 1, &used), PARSE_MORE);
		for (; parsed == PARSE_MORE && n < 100000; n++)
			parsed = drive_parse(&d, *repeated[i], &used);
		assert_int_equal(parsed, PARSE_BAD);
		assert_in_range(n, 1000, 1200);
		assert_int_equal(d.rq.reject_status, 431);
		drive_end(&d);
	}
}

static void test_limit_post_holds_for_chunks(void **unused)
{
	struct drive d;

	(void)unused;
	drive_begin(&d);
	d.limits.limit_post = 10;
	assert_int_equal(feed_lines(&d, 2, "5\r\nhello\r\n", LAST), PARSE_DONE);
	drive_next(&d);
	assert_int_equal(feed_lines(&d, 3, "5\r\nhello\r\n", LAST), PARSE_BAD);
	assert_int_equal(d.rq.reject_status, 413);
	assert_false(drive_answer(&d));
	drive_end(&d);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies_are_put_together_or_refused),
		cmocka_unit_test(test_what_carries_nothing_is_bounded),
		cmocka_unit_test(test_trailers_are_bounded),
		cmocka_unit_test(test_limit_post_holds_for_chunks),
	};

	if (drive_write_corpus(argc, argv, "chunked", cases, COUNT(cases)))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
