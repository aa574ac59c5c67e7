/* SPDX-License-Identifier: MIT */
/* test_answer.c: what a uwsgi socket says: an HTTP head, the body as it is, and the end of the
 * connection. */
#include "say.h"

#define PACKET(version) SLICE("\0\x1b\0\0\x0f\0SERVER_PROTOCOL\x08\0" version)

static const struct header headers[] = {
	{ SLICE("Content-Type"), SLICE("text/plain") },
	{ SLICE("Content-Length"), SLICE("5") },
};
static const struct head head = {
	.status = 200,
	.line = SLICE("200 OK"),
	.headers = headers,
	.header_count = 2,
	.length = 5,
	.date = SAY_DATE,
};

static void answer(struct slice packet, enum parsed parsed, struct slice expected)
{
	const struct protocol *p = uwsgi_plugin.protocol;
	const struct piece piece = say_memory(SLICE("hello"));
	struct feed f;

	say_request(&f, p, packet, parsed);
	p->head(f.state, &head, &f.out);
	p->body(f.state, &piece, &f.out);
	assert_false(p->end(f.state, true, &f.out));
	say_expect(&f, expected);
	feed_close(&f);
}

static void test_the_version_is_the_request_s(void **unused)
{
	(void)unused;
	answer(PACKET("HTTP/1.0"), PARSE_DONE,
	       SLICE("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "
		     "5\r\n\r\nhello"));
	answer(PACKET("HTTP/1.1"), PARSE_DONE,
	       SLICE("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "
		     "5\r\n\r\nhello"));
}

static void test_a_version_that_is_none_is_not_repeated(void **unused)
{
	static const struct slice packets[] = {
		PACKET("HTTP/\r\n "), PACKET("HTTP/a.b"),  PACKET("HTTP/1\0x"),
		SLICE("\0\0\0\0"),    SLICE("\x05\0\0\0"), SLICE("GET "),
	};

	(void)unused;
	for (size_t i = 0; i < sizeof packets / sizeof *packets; i++)
		answer(packets[i], i < 4 ? PARSE_DONE : PARSE_BAD,
		       SLICE("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
			     "Content-Length: 5\r\n\r\nhello"));
}

static void test_a_head_larger_than_its_buffer(void **unused)
{
	static char value[5000], expected[20000];
	struct header many[] = {
		{ SLICE("A"), { value, 3000 } },
		{ SLICE("B"), { value, 3000 } },
		{ SLICE("C"), { value, 5000 } },
		{ SLICE("D"), { value, 0 } },
	};
	const struct head large = { .line = SLICE("200 OK"), .headers = many, .header_count = 4 };
	const struct protocol *p = uwsgi_plugin.protocol;
	struct feed f;

	(void)unused;
	memset(value, 'v', sizeof value);
	int n = snprintf(expected, sizeof expected,
			 "HTTP/1.1 200 OK\r\nA: %.3000s\r\nB: %.3000s\r\nC: %.5000s\r\nD: \r\n\r\n",
			 value, value, value);
	say_request(&f, p, SLICE("\0\0\0\0"), PARSE_DONE);
	p->head(f.state, &large, &f.out);
	say_expect(&f, (struct slice){ expected, (size_t)n });
	feed_close(&f);
}

/* What is said of a body in two pieces, and how the connection ends. */
static void expect(const struct head *h, bool own, bool complete, enum ended ended,
		   struct slice expected)
{
	const struct protocol *p = uwsgi_plugin.protocol;
	const struct piece one = say_memory(SLICE("hello, world")), none = say_memory(SLICE(""));
	const struct peer peer = { .own = own, .tcp = !own };
	struct feed f;

	say_request(&f, p, PACKET("HTTP/1.0"), PARSE_DONE);
	p->begin(f.state, NULL, &peer);
	p->head(f.state, h, &f.out);
	if (!h->bodiless) {
		p->body(f.state, &one, &f.out);
		p->body(f.state, &none, &f.out);
	}
	assert_int_equal(p->end(f.state, complete, &f.out), ended);
	say_expect(&f, expected);
	feed_close(&f);
}

#define TEXT "HTTP/1.0 200 OK\r\nA: b\r\n"
#define CHUNK TEXT "Transfer-Encoding: chunked\r\n\r\nc\r\nhello, world\r\n"

static void test_the_router_sees_the_end(void **unused)
{
	static const struct header own[] = { { SLICE("A"), SLICE("b") },
					     { SLICE("transfer-encoding"), SLICE("gzip") } };
	struct head open = { .line = SLICE("200 OK"), .headers = own, .header_count = 2 };

	(void)unused;
	open.length = -1;
	expect(&open, true, true, ENDED_CLOSE, SLICE(CHUNK "0\r\n\r\n"));
	expect(&open, true, false, ENDED_CLOSE, SLICE(CHUNK));
	open.length = 12;
	expect(&open, true, true, ENDED_CLOSE, SLICE(TEXT "\r\nhello, world"));
	open.length = -1;
	open.bodiless = true;
	expect(&open, true, true, ENDED_CLOSE, SLICE(TEXT "\r\n"));
}

static void test_the_answer_to_head_is_not_for_caches(void **unused)
{
	static const struct header headers_of_head[] = { { SLICE("X-accel-expires"), SLICE("60") },
							 { SLICE("A"), SLICE("b") } };
	const struct head head_only = { .line = SLICE("200 OK"),
					.headers = headers_of_head,
					.header_count = 2,
					.length = 12,
					.bodiless = true,
					.head_only = true };

	(void)unused;
	expect(&head_only, false, true, ENDED_CLOSE, SLICE(TEXT "X-Accel-Expires: 0\r\n\r\n"));
	/* The router is no cache. */
	expect(&head_only, true, true, ENDED_CLOSE,
	       SLICE("HTTP/1.0 200 OK\r\nX-accel-expires: 60\r\nA: b\r\n\r\n"));
}

static void test_others_see_a_reset(void **unused)
{
	static const struct header header = { SLICE("A"), SLICE("b") };
	struct head open = { .line = SLICE("200 OK"), .headers = &header, .header_count = 1 };

	(void)unused;
	open.length = -1;
	expect(&open, false, true, ENDED_CLOSE, SLICE(TEXT "\r\nhello, world"));
	expect(&open, false, false, ENDED_CUT, SLICE(TEXT "\r\nhello, world"));
	open.length = 100;
	expect(&open, false, false, ENDED_CUT, SLICE(TEXT "\r\nhello, world"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_version_is_the_request_s),
		cmocka_unit_test(test_a_version_that_is_none_is_not_repeated),
		cmocka_unit_test(test_a_head_larger_than_its_buffer),
		cmocka_unit_test(test_the_router_sees_the_end),
		cmocka_unit_test(test_the_answer_to_head_is_not_for_caches),
		cmocka_unit_test(test_others_see_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
