/* SPDX-License-Identifier: MIT */
/* test_fields.c: framing, connection, Host and Expect as fields say them. */
#include "unit.h"

#include "drive.h"

#define POST "POST / HTTP/1.1\r\nHost: t\r\n"
#define GET10 "GET / HTTP/1.0\r\n"
#define END "\r\n"
#define NOTHING "0\r\n\r\n"

static const struct http_case cases[] = {
	{ "a body", BYTES(POST "Content-Length: 5" END END "hello"), 0,
	  "CONTENT_LENGTH=5\nbody hello\nthe connection lives" },
	{ "a body of nothing", BYTES(POST "Content-Length: 0" END END), 0,
	  "CONTENT_LENGTH=0\nbody " },
	{ "leading zeros", BYTES(POST "Content-Length: 005" END END "hello"), 0, "body hello" },
	{ "a body that looks like a request",
	  BYTES(POST "Content-Length: 27" END END "GET / HTTP/1.1\r\nHost: u\r\n\r\n"), 0,
	  "HTTP_HOST=t" },
	{ "names in any case", BYTES("POST / HTTP/1.1\r\nhOST: t\r\ncONTENT-lENGTH: 1\r\n\r\nx"), 0,
	  "body x" },
	{ "a length in a get", BYTES("GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nab"), 0,
	  "body ab" },

	{ "two lengths", BYTES(POST "Content-Length: 5" END "Content-Length: 6" END END), 400,
	  "twice" },
	{ "a length twice", BYTES(POST "Content-Length: 5" END "Content-Length: 5" END END), 400,
	  "twice" },
	{ "a list of lengths", BYTES(POST "Content-Length: 5, 5" END END), 400, "number" },
	{ "an empty length", BYTES(POST "Content-Length:" END END), 400, "empty" },
	{ "a plus sign", BYTES(POST "Content-Length: +5" END END), 400, "number" },
	{ "a minus sign", BYTES(POST "Content-Length: -5" END END), 400, "number" },
	{ "a blank inside", BYTES(POST "Content-Length: 1 2" END END), 400, "number" },
	{ "a hexadecimal length", BYTES(POST "Content-Length: 0x5" END END), 400, "number" },
	{ "a fraction", BYTES(POST "Content-Length: 5.0" END END), 400, "number" },
	{ "2^63", BYTES(POST "Content-Length: 9223372036854775808" END END), 400, "large" },
	{ "2^64 + 5", BYTES(POST "Content-Length: 18446744073709551621" END END), 400, "large" },

	{ "chunked", BYTES(POST "Transfer-Encoding: chunked" END END NOTHING), 0,
	  "HTTP_TRANSFER_ENCODING=chunked\n!CONTENT_LENGTH\nbody " },
	{ "chunked in capitals", BYTES(POST "TRANSFER-ENCODING: CHUNKED" END END NOTHING), 0,
	  "body " },
	{ "a length beside chunked",
	  BYTES(POST "Content-Length: 5" END "Transfer-Encoding: chunked" END END NOTHING), 400,
	  "beside" },
	{ "chunked beside a length",
	  BYTES(POST "Transfer-Encoding: chunked" END "Content-Length: 5" END END NOTHING), 400,
	  "beside" },
	{ "a length of zero beside chunked",
	  BYTES(POST "Transfer-Encoding: chunked" END "Content-Length: 0" END END NOTHING), 400,
	  "beside" },
	{ "chunked twice", BYTES(POST "Transfer-Encoding: chunked, chunked" END END NOTHING), 400,
	  "after chunked" },
	{ "chunked in two fields",
	  BYTES(POST "Transfer-Encoding: chunked" END "Transfer-Encoding: chunked" END END NOTHING),
	  400, "after chunked" },
	{ "chunked not last", BYTES(POST "Transfer-Encoding: chunked, gzip" END END), 400,
	  "after chunked" },
	{ "gzip and chunked", BYTES(POST "Transfer-Encoding: gzip, chunked" END END NOTHING), 501,
	  "other than" },
	{ "gzip and chunked in two fields",
	  BYTES(POST "Transfer-Encoding: gzip" END "Transfer-Encoding: chunked" END END NOTHING),
	  501, "other than" },
	{ "gzip alone", BYTES(POST "Transfer-Encoding: gzip" END END), 400, "last" },
	{ "identity", BYTES(POST "Transfer-Encoding: identity" END END), 400, "last" },
	{ "nearly chunked", BYTES(POST "Transfer-Encoding: xchunked" END END NOTHING), 400,
	  "last" },
	{ "no coding", BYTES(POST "Transfer-Encoding:" END END NOTHING), 400, "malformed" },
	{ "a comma before", BYTES(POST "Transfer-Encoding: , chunked" END END NOTHING), 400,
	  "malformed" },
	{ "a comma behind", BYTES(POST "Transfer-Encoding: chunked," END END NOTHING), 400,
	  "malformed" },
	{ "a parameter", BYTES(POST "Transfer-Encoding: chunked;q=1" END END NOTHING), 400,
	  "malformed" },
	{ "chunked in quotes", BYTES(POST "Transfer-Encoding: \"chunked\"" END END NOTHING), 400,
	  "malformed" },
	{ "chunked and a byte above 0x7f",
	  BYTES(POST "Transfer-Encoding: chunked\xa0" END END NOTHING), 400, "malformed" },
	{ "chunked in 1.0", BYTES(GET10 "Transfer-Encoding: chunked" END END NOTHING), 400,
	  "HTTP/1.0" },
	{ "gzip in 1.0", BYTES(GET10 "Transfer-Encoding: gzip" END END), 400, "HTTP/1.0" },

	{ "close", BYTES(POST "Connection: close" END END), 0, "the connection ends" },
	{ "close among others", BYTES(POST "Connection: TE , Close,x" END END), 0,
	  "the connection ends" },
	{ "close in a second field", BYTES(POST "Connection: TE" END "Connection: close" END END),
	  0, "the connection ends" },
	{ "something like close", BYTES(POST "Connection: closed, not-close" END END), 0,
	  "the connection lives" },
	{ "keep-alive in 1.0", BYTES(GET10 "Connection: Keep-Alive" END END), 0,
	  "the connection lives" },
	{ "close and keep-alive in 1.0", BYTES(GET10 "Connection: keep-alive, close" END END), 0,
	  "the connection ends" },

	{ "an expectation", BYTES(POST "Expect: 100-Continue" END "Content-Length: 1" END END "x"),
	  0, "HTTP_EXPECT=100-Continue\nbody x" },
	{ "an unknown expectation", BYTES(POST "Expect: the-worst" END END), 417, "expectation" },
	{ "one more expectation", BYTES(POST "Expect: 100-continue, x" END END), 417,
	  "expectation" },
	{ "an unknown expectation in 1.0", BYTES(GET10 "Expect: the-worst" END END), 0,
	  "HTTP_EXPECT=the-worst" },

	{ "no host", BYTES("GET / HTTP/1.1\r\n\r\n"), 400, "missing" },
	{ "an empty host", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 0,
	  "HTTP_HOST=\nSERVER_NAME=127.0.0.1" },
	{ "two hosts", BYTES("GET / HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n"), 400, "twice" },
	{ "a host twice in 1.0", BYTES(GET10 "Host: t" END "Host: t" END END), 400, "twice" },
	{ "a list of hosts", BYTES("GET / HTTP/1.1\r\nHost: t, u\r\n\r\n"), 400, "Host" },
	{ "a host with a path", BYTES("GET / HTTP/1.1\r\nHost: t/u\r\n\r\n"), 400, "Host" },
	{ "a host with a user", BYTES("GET / HTTP/1.1\r\nHost: me@t\r\n\r\n"), 400, "Host" },
	{ "a host with a byte above 0x7f", BYTES("GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n"), 400,
	  "Host" },
	{ "a host of markup", BYTES("GET / HTTP/1.1\r\nHost: <b>\r\n\r\n"), 400, "Host" },
	{ "a broken host in 1.0", BYTES(GET10 "Host: a b" END END), 400, "Host" },
};

static void test_fields_frame_the_request_or_it_is_refused(void **unused)
{
	(void)unused;
	drive_check_cases(cases, COUNT(cases));
}

static void test_the_largest_length_is_taken_as_it_is(void **unused)
{
	static const struct slice head = BYTES(POST "Content-Length: 999999999999999999" END END);
	struct drive d;
	size_t used;

	(void)unused;
	drive_begin(&d);
	assert_int_equal(drive_feed(&d, head, head.n, 1, &used), PARSE_MORE);
	assert_int_equal(d.state.left, 999999999999999999);
	drive_end(&d);
}

static void test_members_of_lists(void **unused)
{
	struct slice list = SLICE(" ,a,\t, b c \t,,d ,"), member;

	(void)unused;
	assert_true(http_next_member(&list, &member) && http_is(member, SLICE("A")));
	assert_true(http_next_member(&list, &member) && http_is(member, SLICE("b c")));
	assert_true(http_next_member(&list, &member) && http_is(member, SLICE("d")));
	assert_false(http_next_member(&list, &member));
}

static void test_letters_alone_are_equal_in_both_cases(void **unused)
{
	(void)unused;
	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++) {
			char x = (char)a, y = (char)b;
			bool letter = strchr("abcdefghijklmnopqrstuvwxyz", a | 32) != NULL;
			bool equal = a == b || (letter && (a ^ b) == 32);

			assert_int_equal(http_is((struct slice){ &x, 1 }, (struct slice){ &y, 1 }),
					 equal);
		}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_frame_the_request_or_it_is_refused),
		cmocka_unit_test(test_the_largest_length_is_taken_as_it_is),
		cmocka_unit_test(test_members_of_lists),
		cmocka_unit_test(test_letters_alone_are_equal_in_both_cases),
	};

	if (drive_write_corpus(argc, argv, "fields", cases, COUNT(cases)))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
