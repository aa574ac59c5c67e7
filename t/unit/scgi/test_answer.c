/* SPDX-License-Identifier: MIT */
/* test_answer.c: what an SCGI socket says: a head as CGI has it, the body as it is, and the end of
 * the connection. */
#include "say.h"

#define REQUEST                                                                                    \
	SLICE("24:CONTENT_LENGTH\0"                                                                \
	      "0\0SCGI\0"                                                                          \
	      "1\0,")
#define TEXT "Status: 200 OK\r\nA: b\r\n"

static const struct header headers[] = {
	{ SLICE("X-accel-expires"), SLICE("60") },
	{ SLICE("A"), SLICE("b") },
};

/* What is said of a body in two pieces, and how the connection ends. */
static void expect(const struct head *head, struct slice request, bool complete, enum ended ended,
		   struct slice expected)
{
	const struct protocol *p = uwsgi_plugin.protocol;
	const struct piece one = say_memory(SLICE("hello, world")), none = say_memory(SLICE(""));
	struct feed f;

	say_request(&f, p, request, request.n == 1 ? PARSE_BAD : PARSE_DONE);
	p->head(f.state, head, &f.out);
	if (!head->bodiless) {
		p->body(f.state, &one, &f.out);
		p->body(f.state, &none, &f.out);
	}
	assert_int_equal(p->end(f.state, complete, &f.out), ended);
	say_expect(&f, expected);
	feed_close(&f);
}

static void test_a_whole_answer(void **unused)
{
	const struct head open = {
		.line = SLICE("200 OK"), .headers = headers + 1, .header_count = 1, .length = -1
	};
	const struct head bare = { .line = SLICE("400 Bad Request"), .length = -1 };

	(void)unused;
	expect(&open, REQUEST, true, ENDED_CLOSE, SLICE(TEXT "\r\nhello, world"));
	expect(&bare, SLICE("G"), true, ENDED_CLOSE,
	       SLICE("Status: 400 Bad Request\r\n\r\nhello, world"));
}

static void test_an_answer_that_breaks_off_is_reset(void **unused)
{
	const struct head open = {
		.line = SLICE("200 OK"), .headers = headers + 1, .header_count = 1, .length = -1
	};

	(void)unused;
	expect(&open, REQUEST, false, ENDED_CUT, SLICE(TEXT "\r\nhello, world"));
}

static void test_the_answer_to_head_is_not_for_caches(void **unused)
{
	struct head head_only = { .line = SLICE("200 OK"),
				  .headers = headers,
				  .header_count = 2,
				  .length = 12,
				  .bodiless = true,
				  .head_only = true };

	(void)unused;
	expect(&head_only, REQUEST, true, ENDED_CLOSE, SLICE(TEXT "X-Accel-Expires: 0\r\n\r\n"));
	head_only.head_only = false;
	expect(&head_only, REQUEST, true, ENDED_CLOSE,
	       SLICE("Status: 200 OK\r\nX-accel-expires: 60\r\nA: b\r\n\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_answer),
		cmocka_unit_test(test_an_answer_that_breaks_off_is_reset),
		cmocka_unit_test(test_the_answer_to_head_is_not_for_caches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
