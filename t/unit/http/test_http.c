/* SPDX-License-Identifier: MIT */
/* test_http.c: what a connection costs, how often its bytes are looked at, and what those are
 * told at once who do not speak HTTP. */
#include "cases.h"

#include "http.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define AT_ONCE PARSE_BAD, .status = 400

/* An idle connection holds it. */
_Static_assert(sizeof(struct http) <= 64, "the state of a connection is small");

static void test_what_is_no_http_is_refused_without_waiting_for_an_end(void **unused)
{
	static const struct parse_case cases[] = {
		{ "TLS", SLICE("\x16\x03\x01\x02"), AT_ONCE },
		{ "a uwsgi packet", SLICE("\x00\x1a\x00\x00"), AT_ONCE },
		{ "a FastCGI record", SLICE("\x01\x01\x00\x01"), AT_ONCE },
		{ "other bytes", SLICE("\xff\xfe\xfd\xfc"), AT_ONCE },
		{ "other bytes behind an empty line", SLICE("\r\n\xff\xfe\xfd\xfc"), AT_ONCE },
		{ "a CR and no LF", SLICE("\rGET"), AT_ONCE },
		{ "words", SLICE("hello\r\n"), AT_ONCE },
		{ "HTTP/0.9", SLICE("GET /\r\n"), AT_ONCE },
		{ "an answer", SLICE("HTTP/1.1 200 OK\r\n"), AT_ONCE },
		{ "the line of a proxy", SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), AT_ONCE },
		{ "a bare LF", SLICE("GET / HTTP/1.1\n"), AT_ONCE },
		{ "a bare LF behind a field", SLICE("GET / HTTP/1.1\r\nA: b\n"), AT_ONCE },
		{ "nothing but empty lines", SLICE("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"), AT_ONCE },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_the_reason_names_what_was_spoken(void **unused)
{
	static const struct {
		struct slice in;
		const char *word;
	} rows[] = {
		{ SLICE("\x16\x03\x01\x02\x00"), "TLS" },
		{ SLICE("\x00\x1a\x00\x00\x0e\x00REQUEST_METHOD"), "uwsgi" },
		{ SLICE("\x01\x01\x00\x01\x00\x08\x00\x00"), "FastCGI" },
		{ SLICE("\r\n\r\n\x00\r\nQUIT\n"), "no HTTP" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct feed f;

		feed_open(&f, uwsgi_plugin.protocol, rows[i].in);
		assert_int_equal(feed_parse(&f, rows[i].in.n), PARSE_BAD);
		if (!strstr(f.rq.reject_why, rows[i].word))
			fail_msg("%s: %s", rows[i].word, f.rq.reject_why);
		feed_close(&f);
	}
}

/* Else a head that comes byte by byte would cost the square of its length. */
static void test_an_incomplete_head_is_searched_once(void **unused)
{
	static const struct slice head = SLICE("\r\nGET / HTTP/1.1\r\nHost: t\r\nA: b\r\n\r\n");
	struct feed f;

	(void)unused;
	feed_open(&f, uwsgi_plugin.protocol, head);
	const struct http *state = f.state;

	for (size_t n = 1; n < head.n; n++) {
		assert_int_equal(feed_parse(&f, n), PARSE_MORE);
		assert_int_equal(f.taken, 0);
		assert_int_equal(state->search.searched, n);
		assert_int_equal(state->search.line_checked, n >= 18);
	}
	assert_int_equal(feed_parse(&f, head.n), PARSE_DONE);
	assert_int_equal(state->search.searched, 0);
	assert_false(state->search.line_checked);
	feed_close(&f);
}

static void test_every_byte_in_a_name_and_in_a_value(void **unused)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	(void)unused;
	for (int c = 0; c < 256; c++) {
		bool letter =
			(c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		bool token = letter || (c && strchr(marks, c));
		bool text = c == '\t' || (c >= ' ' && c != 0x7f);
		struct {
			const char *head; /* with a '?' in the byte's place */
			bool good;
		} places[] = {
			{ "GET / HTTP/1.0\r\nA?B: c\r\n\r\n", token || c == ':' },
			{ "GET / HTTP/1.0\r\nA: b?c\r\n\r\n", text },
			{ "G?T / HTTP/1.0\r\n\r\n", token },
		};

		assert_int_equal(http_is_token_char((unsigned char)c), token);
		for (size_t i = 0; i < COUNT(places); i++) {
			size_t n = strlen(places[i].head);
			char head[64];
			struct feed f;

			memcpy(head, places[i].head, n);
			*(char *)memchr(head, '?', n) = (char)c;
			feed_open(&f, uwsgi_plugin.protocol, (struct slice){ head, n });
			assert_int_equal(feed_parse(&f, n),
					 places[i].good ? PARSE_DONE : PARSE_BAD);
			feed_close(&f);
		}
	}
}

static void test_a_tunnel_is_never_opened(void **unused)
{
	static const struct slice in = SLICE("CONNECT u:443 HTTP/1.1\r\nHost: u:443\r\n\r\n");
	struct feed f;

	(void)unused;
	feed_open(&f, uwsgi_plugin.protocol, in);
	assert_int_equal(feed_parse(&f, in.n), PARSE_DONE);
	assert_false(((const struct http *)f.state)->keep_alive);
	feed_close(&f);
}

/* The core answers it when its time is over. */
static void test_a_head_that_never_ends_takes_nothing_over_from_the_request_before(void **unused)
{
	static const struct slice in = SLICE("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HT");
	struct feed f;

	(void)unused;
	feed_open(&f, uwsgi_plugin.protocol, in);
	assert_int_equal(feed_parse(&f, in.n), PARSE_DONE);
	assert_true(((const struct http *)f.state)->keep_alive);
	feed_next(&f);
	assert_int_equal(feed_parse(&f, in.n), PARSE_MORE);
	assert_false(((const struct http *)f.state)->keep_alive);
	feed_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_http_is_refused_without_waiting_for_an_end),
		cmocka_unit_test(test_the_reason_names_what_was_spoken),
		cmocka_unit_test(test_an_incomplete_head_is_searched_once),
		cmocka_unit_test(test_every_byte_in_a_name_and_in_a_value),
		cmocka_unit_test(test_a_tunnel_is_never_opened),
		cmocka_unit_test(
			test_a_head_that_never_ends_takes_nothing_over_from_the_request_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
