/* SPDX-License-Identifier: MIT */
/* test_head.c: heads of HTTP requests, in every portion they may come in, and the variables that
 * they become.  How bodies are framed is test_framing.c's. */
#include "cases.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define GET(target) SLICE("GET " target " HTTP/1.1\r\nHost: h\r\n\r\n")
#define FIELDS(lines) SLICE("GET / HTTP/1.1\r\nHost: h\r\n" lines "\r\n")
#define REFUSED(number) PARSE_BAD, .status = number, .early = true

static void run(const struct parse_case *cases, size_t count)
{
	cases_run(cases, count, uwsgi_plugin.protocol);
}

static void test_request_lines(void **unused)
{
	static const struct parse_case cases[] = {
		{ "the simplest", GET("/"), PARSE_DONE,
		  .vars = "REQUEST_METHOD=GET\nREQUEST_URI=/\nPATH_INFO=/\nQUERY_STRING=\n"
			  "SERVER_PROTOCOL=HTTP/"
			  "1.1\nSCRIPT_NAME=\nSERVER_NAME=h\nSERVER_PORT=8080\n"
			  "REMOTE_ADDR=192.0.2.7\nREMOTE_PORT=50000\nHTTP_HOST=h\n!CONTENT_"
			  "LENGTH" },
		{ "HTTP/1.0 without Host", SLICE("GET / HTTP/1.0\r\n\r\n"), PARSE_DONE,
		  .vars = "SERVER_PROTOCOL=HTTP/1.0\nSERVER_NAME=192.0.2.1\n!HTTP_HOST" },
		{ "any method", SLICE("x!#$%&'*+-.^_`|~9 / HTTP/1.1\r\nHost:\r\n\r\n"), PARSE_DONE,
		  .vars = "REQUEST_METHOD=x!#$%&'*+-.^_`|~9\nHTTP_HOST=" },
		{ "empty lines before it", SLICE("\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n"), PARSE_DONE,
		  .vars = "PATH_INFO=/" },
		{ "another one behind it", SLICE("GET /a HTTP/1.0\r\n\r\nGET /b HTTP/1.0\r\n\r\n"),
		  PARSE_DONE, .vars = "PATH_INFO=/a", .left = 19 },
		{ "no version", SLICE("GET /\r\n\r\n"), REFUSED(400) },
		{ "no target", SLICE("GET HTTP/1.1\r\n\r\n"), REFUSED(400) },
		{ "an empty target", SLICE("GET  HTTP/1.1\r\n\r\n"), REFUSED(400) },
		{ "no method", SLICE(" / HTTP/1.1\r\n\r\n"), REFUSED(400) },
		{ "a method that is none", SLICE("G(T / HTTP/1.1\r\n\r\n"), REFUSED(400) },
		{ "two blanks", SLICE("GET /  HTTP/1.1\r\n\r\n"), REFUSED(400) },
		{ "a tab", SLICE("GET\t/ HTTP/1.1\r\n\r\n"), REFUSED(400) },
		{ "a blank at the end", SLICE("GET / HTTP/1.1 \r\n\r\n"), REFUSED(400) },
		{ "words behind it", SLICE("GET / HTTP/1.1 x\r\n\r\n"), REFUSED(400) },
		{ "small letters", SLICE("GET / http/1.1\r\n\r\n"), REFUSED(400) },
		{ "a long version", SLICE("GET / HTTP/1.10\r\n\r\n"), REFUSED(400) },
		{ "a short version", SLICE("GET / HTTP/1\r\n\r\n"), REFUSED(400) },
		{ "HTTP/0.9", SLICE("GET / HTTP/0.9\r\n\r\n"), REFUSED(505) },
		{ "HTTP/2.0", SLICE("PRI * HTTP/2.0\r\n\r\n"), REFUSED(505) },
		{ "a NUL", SLICE("GET /\0 HTTP/1.1\r\n\r\n"), REFUSED(400) },
		{ "a DEL", SLICE("GET /\x7f HTTP/1.1\r\n\r\n"), REFUSED(400) },
		{ "a bare CR", SLICE("GET /\r HTTP/1.1\r\n\r\n"), REFUSED(400) },
		{ "a bare CR for the blank", SLICE("GET /\rHTTP/1.1\r\n\r\n"), REFUSED(400) },
		{ "a bare LF", SLICE("GET / HTTP/1.1\nHost: h\r\n\r\n"), REFUSED(400) },
		{ "bare LFs", SLICE("GET / HTTP/1.1\nHost: h\n\n"), REFUSED(400) },
		{ "CR CR LF", SLICE("GET / HTTP/1.1\r\r\nHost: h\r\n\r\n"), REFUSED(400) },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

static void test_targets(void **unused)
{
	static const struct parse_case cases[] = {
		{ "a query", GET("/a/b?c=d&e=%20?/../%zz"), PARSE_DONE,
		  .vars = "PATH_INFO=/a/b\nQUERY_STRING=c=d&e=%20?/../%zz\n"
			  "REQUEST_URI=/a/b?c=d&e=%20?/../%zz" },
		{ "an empty query", GET("/a?"), PARSE_DONE, .vars = "PATH_INFO=/a\nQUERY_STRING=" },
		{ "decoded", GET("/%41%7e%2F%3f%25%C3%a9"), PARSE_DONE,
		  .vars = "PATH_INFO=/A~/?%\xc3\xa9\nREQUEST_URI=/%41%7e%2F%3f%25%C3%a9" },
		{ "decoded once", GET("/%2541"), PARSE_DONE, .vars = "PATH_INFO=/%41" },
		{ "bytes above 127", GET("/\xc3\xa9"), PARSE_DONE, .vars = "PATH_INFO=/\xc3\xa9" },
		{ "a plus is a plus", GET("/a+b"), PARSE_DONE, .vars = "PATH_INFO=/a+b" },
		{ "two slashes", GET("//a//b/"), PARSE_DONE, .vars = "PATH_INFO=//a//b/" },
		{ "an encoded NUL", GET("/a%00b"), REFUSED(400) },
		{ "an encoding that is none", GET("/%g0"), REFUSED(400) },
		{ "half an encoding", GET("/%4g"), REFUSED(400) },
		{ "an encoding cut off", GET("/%4"), REFUSED(400) },
		{ "an encoding cut off by the query", GET("/%4?1"), REFUSED(400) },
		{ "a percent alone", GET("/%"), REFUSED(400) },
		{ "a fragment", GET("/a#b"), REFUSED(400) },
		{ "a fragment behind a query", GET("/a?b#c"), REFUSED(400) },
		{ "absolute form", GET("http://example.org:81/a?b"), PARSE_DONE,
		  .vars = "PATH_INFO=/a\nQUERY_STRING=b\nHTTP_HOST=example.org:81\n"
			  "SERVER_NAME=example.org\nREQUEST_URI=http://example.org:81/a?b" },
		{ "absolute form without a path", GET("HTTPS://example.org"), PARSE_DONE,
		  .vars = "PATH_INFO=/\nQUERY_STRING=\nHTTP_HOST=example.org" },
		{ "absolute form, a query only", GET("http://example.org?a"), PARSE_DONE,
		  .vars = "PATH_INFO=/\nQUERY_STRING=a\nHTTP_HOST=example.org" },
		{ "absolute form in HTTP/1.0", SLICE("GET http://e/ HTTP/1.0\r\n\r\n"), PARSE_DONE,
		  .vars = "PATH_INFO=/\nHTTP_HOST=e" },
		{ "absolute form without a host", GET("http:///a"), REFUSED(400) },
		{ "absolute form, nothing else", GET("http://"), REFUSED(400) },
		{ "absolute form with a user", GET("http://me@example.org/"), REFUSED(400) },
		{ "absolute form, a strange host", GET("http://a\"b/"), REFUSED(400) },
		{ "absolute form, a fragment", GET("http://a#b"), REFUSED(400) },
		{ "absolute form, a fragment behind a query", GET("http://a?b#c"), REFUSED(400) },
		{ "another scheme", GET("ftp://example.org/"), REFUSED(400) },
		{ "no slash", GET("a"), REFUSED(400) },
		{ "asterisk form", SLICE("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), PARSE_DONE,
		  .vars = "REQUEST_URI=*\nQUERY_STRING=" },
		{ "an asterisk for GET", GET("*"), REFUSED(400) },
		{ "an asterisk and more", SLICE("OPTIONS *a HTTP/1.1\r\nHost: h\r\n\r\n"),
		  REFUSED(400) },
		{ "authority form", SLICE("CONNECT example.org:443 HTTP/1.1\r\nHost: h\r\n\r\n"),
		  PARSE_DONE, .vars = "PATH_INFO=\nREQUEST_URI=example.org:443" },
		{ "authority form without a port", SLICE("CONNECT e HTTP/1.1\r\nHost: h\r\n\r\n"),
		  REFUSED(400) },
		{ "authority form for GET", GET("example.org:80"), REFUSED(400) },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

static void test_dot_segments(void **unused)
{
	static const struct {
		const char *target, *path;
	} pairs[] = {
		{ "/.", "/" },
		{ "/..", "/" },
		{ "/./", "/" },
		{ "/../", "/" },
		{ "/../../a", "/a" },
		{ "/a/.", "/a/" },
		{ "/a/..", "/" },
		{ "/a/../b", "/b" },
		{ "/a/./b", "/a/b" },
		{ "/a/b/../..", "/" },
		{ "/a/b/../../", "/" },
		{ "/a/b/..", "/a/" },
		{ "/a/b/../c/", "/a/c/" },
		{ "/a//../b", "/a/b" },
		{ "//../a", "/a" },
		{ "/.a/..b/...", "/.a/..b/..." },
		{ "/a./b..", "/a./b.." },
		{ "/%2e%2E/a", "/a" },
		{ "/a/%2e%2e%2fb", "/b" },
		{ "/a%2f..%2fb", "/b" },
		{ "/a/%2e", "/a/" },
		{ "/%2e%2e", "/" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		char text[128], vars[128];
		int n = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\n\r\n", pairs[i].target);

		snprintf(vars, sizeof vars, "PATH_INFO=%s\nREQUEST_URI=%s", pairs[i].path,
			 pairs[i].target);
		const struct parse_case c = { .name = pairs[i].target,
					      .in = { text, (size_t)n },
					      .verdict = PARSE_DONE,
					      .vars = vars };
		run(&c, 1);
	}
}

static void test_fields(void **unused)
{
	static const struct parse_case cases[] = {
		{ "names in capitals", FIELDS("X-a-B: c\r\naccept:d\r\n"), PARSE_DONE,
		  .vars = "HTTP_X_A_B=c\nHTTP_ACCEPT=d" },
		{ "white space around a value", FIELDS("A: \t b c\t \r\nB:\r\nC: \r\n"), PARSE_DONE,
		  .vars = "HTTP_A=b c\nHTTP_B=\nHTTP_C=" },
		{ "bytes above 127 and tabs", FIELDS("A: \xe9\tx\r\n"), PARSE_DONE,
		  .vars = "HTTP_A=\xe9\tx" },
		{ "a colon in a value", FIELDS("A: b:c\r\n"), PARSE_DONE, .vars = "HTTP_A=b:c" },
		{ "Content-Type", FIELDS("content-type: text/plain\r\n"), PARSE_DONE,
		  .vars = "CONTENT_TYPE=text/plain\n!HTTP_CONTENT_TYPE" },
		{ "repeated", FIELDS("A: 1\r\nB: x\r\na: 2\r\nA:\r\n"), PARSE_DONE,
		  .vars = "HTTP_A=1, 2, \nHTTP_B=x" },
		{ "cookies", FIELDS("Cookie: a=1\r\nB: x\r\ncookie: b=2\r\nCOOKIE: c=3\r\n"),
		  PARSE_DONE, .vars = "HTTP_COOKIE=a=1; b=2; c=3\nHTTP_B=x" },
		{ "underscores", FIELDS("X_A: 1\r\nContent_Length: 5\r\nX-B: 2\r\n"), PARSE_DONE,
		  .vars = "!HTTP_X_A\nHTTP_X_B=2\n!HTTP_CONTENT_LENGTH\n!CONTENT_LENGTH" },
		{ "underscores beside hyphens", FIELDS("X-A: 1\r\nX_A: 2\r\n"), PARSE_DONE,
		  .vars = "HTTP_X_A=1" },
		{ "Proxy", FIELDS("Proxy: http://evil\r\npROXY: x\r\nProxy-X: 1\r\n"), PARSE_DONE,
		  .vars = "!HTTP_PROXY\nHTTP_PROXY_X=1" },
		{ "white space before a colon", FIELDS("A : b\r\n"), REFUSED(400) },
		{ "a tab before a colon", FIELDS("A\t: b\r\n"), REFUSED(400) },
		{ "white space in a name", FIELDS("A b: c\r\n"), REFUSED(400) },
		{ "no name", FIELDS(": c\r\n"), REFUSED(400) },
		{ "no colon", FIELDS("A\r\n"), REFUSED(400) },
		{ "a folded line", FIELDS("A: b\r\n c\r\n"), REFUSED(400) },
		{ "a line folded with a tab", FIELDS("A: b\r\n\tc\r\n"), REFUSED(400) },
		{ "a first line that is folded", SLICE("GET / HTTP/1.0\r\n A: b\r\n\r\n"),
		  REFUSED(400) },
		{ "a line of blanks", FIELDS(" \r\n"), REFUSED(400) },
		{ "a NUL in a value", FIELDS("A: b\0c\r\n"), REFUSED(400) },
		{ "a NUL in a name", FIELDS("A\0: b\r\n"), REFUSED(400) },
		{ "a bare CR in a value", FIELDS("A: b\rc\r\n"), REFUSED(400) },
		{ "a bare CR before a field", FIELDS("A: b\r\n\rB: c\r\n"), REFUSED(400) },
		{ "a bare LF", FIELDS("A: b\nB: c\r\n"), REFUSED(400) },
		{ "two bare LFs", FIELDS("A: b\n\nB: c\r\n"), REFUSED(400) },
		{ "a control character", FIELDS("A: \x01\r\n"), REFUSED(400) },
		{ "an escape", FIELDS("A: \x1b[0m\r\n"), REFUSED(400) },
		{ "a DEL", FIELDS("A: \x7f\r\n"), REFUSED(400) },
		{ "a name above 127", FIELDS("\xc3\xa9: b\r\n"), REFUSED(400) },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

static void test_hosts(void **unused)
{
	static const struct parse_case cases[] = {
		{ "missing", SLICE("GET / HTTP/1.1\r\n\r\n"), REFUSED(400) },
		{ "missing from the absolute form", SLICE("GET http://h/ HTTP/1.1\r\n\r\n"),
		  REFUSED(400) },
		{ "twice", FIELDS("Host: h\r\n"), REFUSED(400) },
		{ "twice, in HTTP/1.0", SLICE("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"),
		  REFUSED(400) },
		{ "with a port", SLICE("GET / HTTP/1.1\r\nHost: a.example:81\r\n\r\n"), PARSE_DONE,
		  .vars = "HTTP_HOST=a.example:81\nSERVER_NAME=a.example" },
		{ "IPv6", SLICE("GET / HTTP/1.1\r\nHost: [::1]:81\r\n\r\n"), PARSE_DONE,
		  .vars = "HTTP_HOST=[::1]:81\nSERVER_NAME=[::1]" },
		{ "empty", SLICE("GET / HTTP/1.1\r\nHost:\r\n\r\n"), PARSE_DONE,
		  .vars = "HTTP_HOST=\nSERVER_NAME=192.0.2.1" },
		{ "with a path", SLICE("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), REFUSED(400) },
		{ "with a user", SLICE("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), REFUSED(400) },
		{ "two in one", SLICE("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), REFUSED(400) },
		{ "above 127", SLICE("GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n"), REFUSED(400) },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

static void test_too_many_fields(void **unused)
{
	(void)unused;
	for (int count = 255; count <= 257; count++) {
		char text[4096];
		int n = snprintf(text, sizeof text, "GET / HTTP/1.0\r\n");
		struct feed f;

		for (int i = 0; i < count; i++)
			n += snprintf(text + n, sizeof text - (size_t)n, "A: %d\r\n", i % 10);
		n += snprintf(text + n, sizeof text - (size_t)n, "\r\n");
		feed_open(&f, uwsgi_plugin.protocol, (struct slice){ text, (size_t)n });
		assert_int_equal(feed_parse(&f, (size_t)n), count <= 256 ? PARSE_DONE : PARSE_BAD);
		assert_int_equal(f.rq.reject_status, count <= 256 ? 0 : 431);
		if (count <= 256)
			assert_int_equal(uwsgi_request_find(&f.rq, SLICE("HTTP_A")).n,
					 count * 3 - 2);
		feed_close(&f);
	}
}

/* Whoever speaks something else need not wait for a time-out to learn so. */
static void test_a_request_line_is_judged_when_it_is_there(void **unused)
{
	static const struct slice first = SLICE("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	static const struct slice both = SLICE("GET / HTTP/1.1\r\nHost: h\r\n\r\nHELO me\r\n");
	static const struct parse_case cases[] = {
		{ "a mail client", SLICE("HELO me\r\n"), PARSE_BAD, .status = 400 },
		{ "a shell", SLICE("ls\n"), PARSE_BAD, .status = 400 },
		{ "HTTP/2", SLICE("PRI * HTTP/2.0\r\n"), PARSE_BAD, .status = 505 },
	};
	struct feed f;

	(void)unused;
	run(cases, COUNT(cases));
	feed_open(&f, uwsgi_plugin.protocol, both);
	assert_int_equal(feed_steps(&f, first.n, 1), PARSE_DONE);
	feed_next(&f);
	assert_int_equal(feed_steps(&f, both.n - 1, 1), PARSE_MORE);
	assert_int_equal(feed_steps(&f, both.n, 1), PARSE_BAD);
	feed_close(&f);
}

static void test_other_protocols(void **unused)
{
	static const struct parse_case cases[] = {
		{ "TLS", SLICE("\x16\x03\x01\x02"), REFUSED(400) },
		{ "a uwsgi packet", SLICE("\0\x05\0\0"), REFUSED(400) },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_lines),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_dot_segments),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_too_many_fields),
		cmocka_unit_test(test_a_request_line_is_judged_when_it_is_there),
		cmocka_unit_test(test_other_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
