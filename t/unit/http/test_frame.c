/* SPDX-License-Identifier: MIT */
/* test_frame.c: headers that are the server's and not the application's, and how the bytes of a
 * response are put together. */
#include "say.h"

#include "http.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static const struct http kept = { .version_1_1 = true, .keep_alive = true };

struct row {
	int status;
	struct slice line;
	struct header headers[2];
	struct slice expected;
	bool keep;
};

static void test_headers_that_are_not_the_applications(void **unused)
{
	static const struct row rows[] = {
		/* RFC 9110 section 8.6 */
		{ 204,
		  SLICE("204 No Content"),
		  { { SLICE("content-length"), SLICE("0") } },
		  SLICE("HTTP/1.1 204 No Content\r\n" DATE "\r\n"),
		  true },
		/* The client would wait for another response. */
		{ 101,
		  SLICE("101 Switching Protocols"),
		  { { SLICE("Content-Length"), SLICE("0") } },
		  SLICE("HTTP/1.1 101 Switching Protocols\r\n" DATE "Connection: close\r\n\r\n"),
		  false },
		{ 304,
		  SLICE("304 Not Modified"),
		  { { SLICE("Content-Length"), SLICE("9") } },
		  SLICE("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n" DATE "\r\n"),
		  true },
		{ 200,
		  SLICE("200 OK"),
		  { { SLICE("CONNECTION"), SLICE("x , Close,y") } },
		  SLICE("HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n\r\n"),
		  false },
		{ 200,
		  SLICE("200 OK"),
		  { { SLICE("Connection"), SLICE("closed, Upgrade") } },
		  SLICE("HTTP/1.1 200 OK\r\n" DATE "\r\n"),
		  true },
		{ 200,
		  SLICE("200 OK"),
		  { { SLICE("Transfer-Encoding"), SLICE("gzip") } },
		  SLICE("HTTP/1.1 200 OK\r\n" DATE "\r\n"),
		  true },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct head head = { .status = rows[i].status,
					   .line = rows[i].line,
					   .headers = rows[i].headers,
					   .header_count = 1,
					   .length = 0,
					   .bodiless = true,
					   .date = SAY_DATE };
		struct http state = kept;
		struct feed f;

		feed_open(&f, uwsgi_plugin.protocol, SLICE(""));
		http_say_head(&state, &head, &f.out);
		assert_int_equal(http_say_end(&state, true, &f.out), rows[i].keep);
		say_expect(&f, rows[i].expected);
		feed_close(&f);
	}
}

static void test_chunk_sizes_are_hexadecimal(void **unused)
{
	static const struct {
		size_t size;
		const char *text;
	} rows[] = { { 1, "1\r\n" },
		     { 15, "f\r\n" },
		     { 16, "10\r\n" },
		     { 4096, "1000\r\n" },
		     { 0xabcd, "abcd\r\n" } };
	static char bytes[0x10000];

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct piece piece = say_memory((struct slice){ bytes, rows[i].size });
		struct http state = { .chunking = true };
		struct feed f;
		size_t n, size_line = strlen(rows[i].text);

		feed_open(&f, uwsgi_plugin.protocol, SLICE(""));
		http_say_body(&state, &piece, &f.out);
		char *said = feed_said(&f.out, &n);

		assert_int_equal(n, size_line + rows[i].size + 2);
		assert_memory_equal(said, rows[i].text, size_line);
		assert_memory_equal(said + n - 2, "\r\n", 2);
		free(said);
		feed_close(&f);
	}
}

/* Around the size of the buffer that heads are put together in, and far beyond it. */
static void test_heads_of_any_size_come_out_whole(void **unused)
{
	static char value[20000], expected[21000];

	(void)unused;
	memset(value, 'v', sizeof value);
	for (size_t n = 3900; n <= sizeof value; n += n < 4200 ? 1 : 7000) {
		const struct header headers[] = { { SLICE("A"), { value, n } },
						  { SLICE("B"), SLICE("c") } };
		const struct head head = { .status = 200,
					   .line = SLICE("200 OK"),
					   .headers = headers,
					   .header_count = 2,
					   .length = 0,
					   .date = SAY_DATE };
		int size = snprintf(expected, sizeof expected,
				    "HTTP/1.1 200 OK\r\nA: %.*s\r\nB: c\r\n" DATE "\r\n", (int)n,
				    value);
		struct http state = kept;
		struct feed f;

		feed_open(&f, uwsgi_plugin.protocol, SLICE(""));
		http_say_head(&state, &head, &f.out);
		assert_int_equal(f.out.count - f.out.first, 1); /* one piece to write */
		say_expect(&f, (struct slice){ expected, (size_t)size });
		feed_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_that_are_not_the_applications),
		cmocka_unit_test(test_chunk_sizes_are_hexadecimal),
		cmocka_unit_test(test_heads_of_any_size_come_out_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
