/* SPDX-License-Identifier: MIT */
/* test_answer.c: responses in HTTP/1.1: heads, how bodies are delimited for which client, and
 * whether the connection lives on. */
#include "say.h"

#include <sys/mman.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define GET_1_1 SLICE("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
#define CLOSE_1_1 SLICE("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n")
#define GET_1_0 SLICE("GET / HTTP/1.0\r\n\r\n")
#define KEEP_1_0 SLICE("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
#define BOTH_1_1 SLICE("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n")
#define REFUSED SLICE("GET / HTTP/1.1\r\n\r\n")
#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define LENGTH(n)                                                                                  \
	{                                                                                          \
		SLICE("Content-Length"), SLICE(n)                                                  \
	}
#define UNKNOWN (-1)

struct answer {
	const char *name;
	struct slice request;
	int status;
	struct slice line;
	struct header headers[3];
	int64_t length;
	bool bodiless, close, cut;
	const char *body[3];
	bool keep, reset; /* expected, as is said */
	const char *said;
};

static void check(const struct answer *a)
{
	const struct protocol *p = uwsgi_plugin.protocol;
	struct head head = { .status = a->status,
			     .line = a->line,
			     .headers = a->headers,
			     .length = a->length,
			     .bodiless = a->bodiless,
			     .close = a->close,
			     .date = SAY_DATE };
	struct feed f;

	while (head.header_count < COUNT(a->headers) && a->headers[head.header_count].name.n)
		head.header_count++;
	feed_open(&f, p, a->request);
	feed_parse(&f, a->request.n);
	p->head(f.state, &head, &f.out);
	for (size_t i = 0; i < COUNT(a->body) && a->body[i]; i++) {
		const struct piece piece =
			say_memory((struct slice){ a->body[i], strlen(a->body[i]) });

		p->body(f.state, &piece, &f.out);
	}
	enum ended ended = p->end(f.state, !a->cut, &f.out), expected = ENDED_CLOSE;

	if (a->keep)
		expected = ENDED_KEEP;
	else if (a->reset)
		expected = ENDED_CUT;
	if (ended != expected)
		print_error("%s: the connection ends as %d\n", a->name, ended);
	assert_int_equal(ended, expected);
	say_expect(&f, (struct slice){ a->said, strlen(a->said) });
	feed_close(&f);
}

static void test_bodies_of_known_length(void **unused)
{
	static const struct answer all[] = {
		{ "HTTP/1.1",
		  GET_1_1,
		  200,
		  SLICE("200 OK"),
		  { LENGTH("5") },
		  5,
		  .body = { "hel", "lo" },
		  .keep = true,
		  .said = OK "Content-Length: 5\r\n" DATE "\r\nhello" },
		{ "HTTP/1.1, to be closed",
		  CLOSE_1_1,
		  200,
		  SLICE("200 OK"),
		  { LENGTH("0") },
		  0,
		  .said = OK "Content-Length: 0\r\n" DATE "Connection: close\r\n\r\n" },
		{ "close outweighs keep-alive",
		  BOTH_1_1,
		  200,
		  SLICE("200 OK"),
		  { LENGTH("0") },
		  0,
		  .said = OK "Content-Length: 0\r\n" DATE "Connection: close\r\n\r\n" },
		{ "HTTP/1.0",
		  GET_1_0,
		  200,
		  SLICE("200 OK"),
		  { LENGTH("1") },
		  1,
		  .body = { "x" },
		  .said = OK "Content-Length: 1\r\n" DATE "Connection: close\r\n\r\nx" },
		{ "HTTP/1.0, to be kept",
		  KEEP_1_0,
		  200,
		  SLICE("200 OK"),
		  { LENGTH("1") },
		  1,
		  .body = { "x" },
		  .keep = true,
		  .said = OK "Content-Length: 1\r\n" DATE "Connection: keep-alive\r\n\r\nx" },
		{ "the server wants to close",
		  GET_1_1,
		  200,
		  SLICE("200 OK"),
		  { LENGTH("1") },
		  1,
		  .close = true,
		  .body = { "x" },
		  .said = OK "Content-Length: 1\r\n" DATE "Connection: close\r\n\r\nx" },
		{ "a body that broke off",
		  GET_1_1,
		  200,
		  SLICE("200 OK"),
		  { LENGTH("5") },
		  5,
		  .cut = true,
		  .body = { "he" },
		  .said = OK "Content-Length: 5\r\n" DATE "\r\nhe" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(all); i++)
		check(&all[i]);
}

static void test_bodies_of_unknown_length(void **unused)
{
	static const struct answer all[] = {
		{ "in chunks",
		  GET_1_1,
		  200,
		  SLICE("200 OK"),
		  { { { 0 }, { 0 } } },
		  UNKNOWN,
		  .body = { "0123456789", "0123456789abcdefX" },
		  .keep = true,
		  .said = OK DATE "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n"
				  "11\r\n0123456789abcdefX\r\n0\r\n\r\n" },
		{ "an empty block does not end it",
		  GET_1_1,
		  200,
		  SLICE("200 OK"),
		  { { { 0 }, { 0 } } },
		  UNKNOWN,
		  .body = { "a", "", "b" },
		  .keep = true,
		  .said = OK DATE
		  "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n" },
		{ "none at all",
		  CLOSE_1_1,
		  200,
		  SLICE("200 OK"),
		  { { { 0 }, { 0 } } },
		  UNKNOWN,
		  .said = OK DATE "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
				  "0\r\n\r\n" },
		{ "broken off: no last chunk",
		  GET_1_1,
		  200,
		  SLICE("200 OK"),
		  { { { 0 }, { 0 } } },
		  UNKNOWN,
		  .cut = true,
		  .body = { "a" },
		  .said = OK DATE "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n" },
		{ "HTTP/1.0, broken off",
		  KEEP_1_0,
		  200,
		  SLICE("200 OK"),
		  { { { 0 }, { 0 } } },
		  UNKNOWN,
		  .cut = true,
		  .body = { "a" },
		  .reset = true,
		  .said = OK DATE "Connection: close\r\n\r\na" },
		{ "HTTP/1.0: to the end of the connection",
		  KEEP_1_0,
		  200,
		  SLICE("200 OK"),
		  { { { 0 }, { 0 } } },
		  UNKNOWN,
		  .body = { "a", "b" },
		  .said = OK DATE "Connection: close\r\n\r\nab" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(all); i++)
		check(&all[i]);
}

static void test_responses_without_a_body(void **unused)
{
	static const struct answer all[] = {
		{ "HEAD, a known length",
		  SLICE("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
		  200,
		  SLICE("200 OK"),
		  { LENGTH("5") },
		  5,
		  .bodiless = true,
		  .keep = true,
		  .said = OK "Content-Length: 5\r\n" DATE "\r\n" },
		{ "HEAD, an unknown length",
		  SLICE("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
		  200,
		  SLICE("200 OK"),
		  { { { 0 }, { 0 } } },
		  UNKNOWN,
		  .bodiless = true,
		  .keep = true,
		  .said = OK DATE "\r\n" },
		{ "204",
		  GET_1_1,
		  204,
		  SLICE("204 No Content"),
		  { { { 0 }, { 0 } } },
		  UNKNOWN,
		  .bodiless = true,
		  .keep = true,
		  .said = "HTTP/1.1 204 No Content\r\n" DATE "\r\n" },
		{ "304 to HTTP/1.0",
		  KEEP_1_0,
		  304,
		  SLICE("304 Not Modified"),
		  { { SLICE("ETag"), SLICE("\"x\"") } },
		  UNKNOWN,
		  .bodiless = true,
		  .keep = true,
		  .said = "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n" DATE
			  "Connection: keep-alive\r\n\r\n" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(all); i++)
		check(&all[i]);
}

static void test_what_an_application_says_of_the_connection(void **unused)
{
	static const struct answer all[] = {
		{ "close",
		  GET_1_1,
		  200,
		  SLICE("200 OK"),
		  { { SLICE("connection"), SLICE("Close") }, LENGTH("0") },
		  0,
		  .said = OK "Content-Length: 0\r\n" DATE "Connection: close\r\n\r\n" },
		{ "keep-alive against the client's wish",
		  CLOSE_1_1,
		  200,
		  SLICE("200 OK"),
		  { { SLICE("Connection"), SLICE("keep-alive") }, LENGTH("0") },
		  0,
		  .said = OK "Content-Length: 0\r\n" DATE "Connection: close\r\n\r\n" },
		{ "a transfer coding",
		  GET_1_1,
		  200,
		  SLICE("200 OK"),
		  { { SLICE("transfer-ENCODING"), SLICE("chunked") }, LENGTH("0") },
		  0,
		  .keep = true,
		  .said = OK "Content-Length: 0\r\n" DATE "\r\n" },
		{ "its own date",
		  GET_1_1,
		  200,
		  SLICE("200 OK"),
		  { { SLICE("date"), SLICE("then") }, LENGTH("0") },
		  0,
		  .keep = true,
		  .said = OK "date: then\r\nContent-Length: 0\r\n\r\n" },
		{ "a status without a reason",
		  GET_1_1,
		  299,
		  SLICE("299"),
		  { LENGTH("0") },
		  0,
		  .keep = true,
		  .said = "HTTP/1.1 299 \r\nContent-Length: 0\r\n" DATE "\r\n" },
		{ "headers that look alike",
		  GET_1_1,
		  200,
		  SLICE("200 OK"),
		  { { SLICE("Connections"), SLICE("close") },
		    { SLICE("Dat"), SLICE("e") },
		    LENGTH("0") },
		  0,
		  .keep = true,
		  .said = OK "Connections: close\r\nDat: e\r\nContent-Length: 0\r\n" DATE "\r\n" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(all); i++)
		check(&all[i]);
}

static void test_after_a_refusal_the_connection_ends(void **unused)
{
	static const struct answer all[] = {
		{ "of a head",
		  REFUSED,
		  400,
		  SLICE("400 Bad Request"),
		  { LENGTH("0") },
		  0,
		  .said = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n" DATE
			  "Connection: close\r\n\r\n" },
		{ "of a chunk",
		  SLICE("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx"),
		  400,
		  SLICE("400 Bad Request"),
		  { LENGTH("0") },
		  0,
		  .said = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n" DATE
			  "Connection: close\r\n\r\n" },
		{ "of a length",
		  SLICE("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n"),
		  413,
		  SLICE("413 Content Too Large"),
		  { LENGTH("0") },
		  0,
		  .said = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n" DATE
			  "Connection: close\r\n\r\n" },
		{ "of what is no HTTP",
		  SLICE("\x16\x03\x01\x02"),
		  400,
		  SLICE("400 Bad Request"),
		  { LENGTH("0") },
		  0,
		  .said = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n" DATE
			  "Connection: close\r\n\r\n" },
		{ "of a head that never ended",
		  SLICE("GET / HT"),
		  408,
		  SLICE("408 Request Timeout"),
		  { LENGTH("0") },
		  0,
		  .said = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n" DATE
			  "Connection: close\r\n\r\n" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(all); i++)
		check(&all[i]);
}

static void test_files_and_large_heads(void **unused)
{
	static char value[9000], expected[20000];
	const struct header many[] = {
		{ SLICE("A"), { value, 3000 } },
		{ SLICE("B"), { value, 3000 } },
		{ SLICE("C"), { value, 9000 } },
	};
	const struct head head = { .status = 200,
				   .line = SLICE("200 OK"),
				   .headers = many,
				   .header_count = 3,
				   .length = -1,
				   .date = SAY_DATE };
	const struct protocol *p = uwsgi_plugin.protocol;
	int file = memfd_create("body", MFD_CLOEXEC);
	const struct piece piece = { .fd = file, .at = 3, .length = 18 };
	struct feed f;

	(void)unused;
	assert_int_equal(write(file, "---the body of a file---", 24), 24);
	memset(value, 'v', sizeof value);
	int n = snprintf(expected, sizeof expected,
			 OK
			 "A: %.3000s\r\nB: %.3000s\r\nC: %.9000s\r\n" DATE
			 "Transfer-Encoding: chunked\r\n\r\n12\r\nthe body of a file\r\n0\r\n\r\n",
			 value, value, value);
	say_request(&f, p, GET_1_1, PARSE_DONE);
	p->head(f.state, &head, &f.out);
	p->body(f.state, &piece, &f.out);
	assert_true(p->end(f.state, true, &f.out));
	say_expect(&f, (struct slice){ expected, (size_t)n });
	feed_close(&f);
	close(file);
}

static void test_one_response_leaves_nothing_to_the_next(void **unused)
{
	static const struct slice both =
		SLICE("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.0\r\n\r\n");
	const struct protocol *p = uwsgi_plugin.protocol;
	const struct head head = {
		.status = 200, .line = SLICE("200 OK"), .length = -1, .date = SAY_DATE
	};
	const struct piece piece = say_memory(SLICE("x"));
	struct feed f;

	(void)unused;
	say_request(&f, p, both, PARSE_DONE);
	for (int i = 0; i < 2; i++) {
		p->head(f.state, &head, &f.out);
		p->body(f.state, &piece, &f.out);
		assert_int_equal(p->end(f.state, true, &f.out), i == 0);
		if (i == 0) {
			feed_next(&f);
			assert_int_equal(feed_parse(&f, both.n), PARSE_DONE);
		}
	}
	say_expect(&f, SLICE(OK DATE "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" OK DATE
				     "Connection: close\r\n\r\nx"));
	feed_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies_of_known_length),
		cmocka_unit_test(test_bodies_of_unknown_length),
		cmocka_unit_test(test_responses_without_a_body),
		cmocka_unit_test(test_what_an_application_says_of_the_connection),
		cmocka_unit_test(test_after_a_refusal_the_connection_ends),
		cmocka_unit_test(test_files_and_large_heads),
		cmocka_unit_test(test_one_response_leaves_nothing_to_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
