/* SPDX-License-Identifier: MIT */
/* test_target.c: the four forms of a request-target, paths and authorities. */
#include "unit.h"

#include "drive.h"

#define END " HTTP/1.1\r\nHost: t\r\n\r\n"

static const struct http_case cases[] = {
	{ "a path and a query", BYTES("GET /a/b?c=d&e" END), 0,
	  "REQUEST_URI=/a/b?c=d&e\nPATH_INFO=/a/b\nQUERY_STRING=c=d&e\nSCRIPT_NAME=" },
	{ "an empty query", BYTES("GET /?" END), 0, "REQUEST_URI=/?\nPATH_INFO=/\nQUERY_STRING=" },
	{ "a question mark in the query", BYTES("GET /?a?b" END), 0, "QUERY_STRING=a?b" },
	{ "an escaped question mark", BYTES("GET /a%3Fb?c" END), 0,
	  "PATH_INFO=/a?b\nQUERY_STRING=c" },
	{ "a query is not decoded", BYTES("GET /?a=%41%zz%00/../b" END), 0,
	  "QUERY_STRING=a=%41%zz%00/../b" },
	{ "escapes in both cases", BYTES("GET /%e2%82%AC%20+" END), 0,
	  "PATH_INFO=/\xe2\x82\xac +" },
	{ "escaped once only", BYTES("GET /%2541" END), 0, "PATH_INFO=/%41" },
	{ "two slashes first", BYTES("GET //a//b" END), 0, "PATH_INFO=//a//b" },

	{ "an escape cut off", BYTES("GET /%" END), 400, "percent" },
	{ "half an escape", BYTES("GET /%4" END), 400, "percent" },
	{ "half an escape before a query", BYTES("GET /%4?1" END), 400, "percent" },
	{ "an escape of no digits", BYTES("GET /%4g" END), 400, "percent" },
	{ "an escape with a sign", BYTES("GET /%+1" END), 400, "percent" },
	{ "a NUL", BYTES("GET /a%00b" END), 400, "NUL" },
	{ "a fragment", BYTES("GET /a#b" END), 400, "fragment" },
	{ "a fragment in the query", BYTES("GET /a?b#c" END), 400, "fragment" },

	{ "absolute", BYTES("GET http://u:81/a?b" END), 0,
	  "REQUEST_URI=http://u:81/a?b\nPATH_INFO=/a\nQUERY_STRING=b\nHTTP_HOST=u:81\n"
	  "SERVER_NAME=u\n!HTTP_HOST=t" },
	{ "absolute, other letters", BYTES("GET HTTPS://U/a" END), 0, "PATH_INFO=/a\nHTTP_HOST=U" },
	{ "absolute without a path", BYTES("GET http://u" END), 0, "PATH_INFO=/\nQUERY_STRING=" },
	{ "absolute with a query alone", BYTES("GET http://u?a=/b" END), 0,
	  "PATH_INFO=/\nQUERY_STRING=a=/b" },
	{ "absolute in 1.0 without Host", BYTES("GET http://u/a HTTP/1.0\r\n\r\n"), 0,
	  "HTTP_HOST=u\nSERVER_NAME=u" },
	{ "absolute without Host", BYTES("GET http://u/a HTTP/1.1\r\n\r\n"), 400, "missing" },
	{ "absolute without a host", BYTES("GET http:///a" END), 400, "host" },
	{ "absolute with a port alone", BYTES("GET http://:80/a" END), 400, "host" },
	{ "absolute with a user", BYTES("GET http://me@u/a" END), 400, "host" },
	{ "absolute with markup", BYTES("GET http://<b>/a" END), 400, "host" },
	{ "another scheme", BYTES("GET ftp://u/a" END), 400, "target" },
	{ "a scheme alone", BYTES("GET http://" END), 400, "target" },

	{ "asterisk", BYTES("OPTIONS *" END), 0, "REQUEST_URI=*\nPATH_INFO=*\nQUERY_STRING=" },
	{ "asterisk of another method", BYTES("GET *" END), 400, "OPTIONS" },
	{ "more than an asterisk", BYTES("OPTIONS *a" END), 400, "target" },

	{ "authority", BYTES("CONNECT u:443" END), 0,
	  "REQUEST_URI=u:443\nPATH_INFO=\nSERVER_NAME=u\nHTTP_HOST=u:443\nthe connection ends" },
	{ "authority without a port", BYTES("CONNECT u" END), 400, "host:port" },
	{ "authority with an empty port", BYTES("CONNECT u:" END), 400, "host:port" },
	{ "a path to CONNECT to", BYTES("CONNECT /a:1" END), 400, "host:port" },
	{ "authority of another method", BYTES("GET u:443" END), 400, "target" },
	{ "a relative path", BYTES("GET a/b" END), 400, "target" },
};

static void test_targets_are_read_in_their_four_forms(void **unused)
{
	(void)unused;
	drive_check_cases(cases, COUNT(cases));
}

static void test_paths_lose_their_dot_segments(void **unused)
{
	static const char *const paths[][2] = {
		{ "/.", "/" },
		{ "/..", "/" },
		{ "/./", "/" },
		{ "/../", "/" },
		{ "/../..", "/" },
		{ "/../../a", "/a" },
		{ "/a/.", "/a/" },
		{ "/a/..", "/" },
		{ "/a/./b", "/a/b" },
		{ "/a/../b", "/b" },
		{ "/a/b/..", "/a/" },
		{ "/a/b/../", "/a/" },
		{ "/a/b/../../../c", "/c" },
		{ "/a/b/c/./../../g", "/a/g" },
		{ "/a//../b", "/a/b" },
		{ "//..", "/" },
		{ "//../a", "/a" },
		{ "/...", "/..." },
		{ "/.a/..b/c./d..", "/.a/..b/c./d.." },
		{ "/%2e%2E/a", "/a" },
		{ "/a/%2e/b", "/a/b" },
		{ "/a%2f..%2fb", "/b" },
		{ "/a/..%2f..%2f..%2fetc", "/etc" },
		{ "/%252e%252e/a", "/%2e%2e/a" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct http_head head = { .method = SLICE("GET") };
		struct http_target target;
		struct http_refusal why;
		struct drive d;

		head.target = (struct slice){ paths[i][0], strlen(paths[i][0]) };
		drive_begin(&d);
		assert_true(http_read_target(&head, &d.rq, &target, &why));
		assert_int_equal(target.path.n, strlen(paths[i][1]));
		assert_memory_equal(target.path.p, paths[i][1], target.path.n);
		drive_end(&d);
	}
}

static void test_authorities(void **unused)
{
	static const struct {
		const char *text, *host, *port; /* host NULL: malformed */
	} rows[] = {
		{ "", "", "" },
		{ "a.b-c_d~1", "a.b-c_d~1", "" },
		{ "a:80", "a", "80" },
		{ "a:", "a", "" },
		{ ":80", "", "80" },
		{ "a:65535", "a", "65535" },
		{ "127.0.0.1:8", "127.0.0.1", "8" },
		{ "[::1]", "[::1]", "" },
		{ "[::ffff:1.2.3.4]:80", "[::ffff:1.2.3.4]", "80" },
		{ "%41!$&'()*+,;=", "%41!$&'()*+,;=", "" },
		{ "a:123456", NULL, NULL },
		{ "a:8x", NULL, NULL },
		{ "a:-1", NULL, NULL },
		{ "a:80:80", NULL, NULL },
		{ "::1", NULL, NULL },
		{ "[]", NULL, NULL },
		{ "[::1", NULL, NULL },
		{ "[", NULL, NULL },
		{ "[::1]a", NULL, NULL },
		{ "[g::]", NULL, NULL },
		{ "a[::1]", NULL, NULL },
		{ "a b", NULL, NULL },
		{ "a/b", NULL, NULL },
		{ "a@b", NULL, NULL },
		{ "a?b", NULL, NULL },
		{ "a\\b", NULL, NULL },
		{ "a\"", NULL, NULL },
		{ "\xff", NULL, NULL },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_authority a;
		bool good = http_read_authority(
			(struct slice){ rows[i].text, strlen(rows[i].text) }, &a);

		assert_int_equal(good, rows[i].host != NULL);
		if (!good)
			continue;
		assert_int_equal(a.whole.n, strlen(rows[i].text));
		assert_int_equal(a.host.n, strlen(rows[i].host));
		assert_memory_equal(a.host.p, rows[i].host, a.host.n);
		assert_int_equal(a.port.n, strlen(rows[i].port));
		assert_memory_equal(a.port.p, rows[i].port, a.port.n);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets_are_read_in_their_four_forms),
		cmocka_unit_test(test_paths_lose_their_dot_segments),
		cmocka_unit_test(test_authorities),
	};

	if (drive_write_corpus(argc, argv, "target", cases, COUNT(cases)))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
