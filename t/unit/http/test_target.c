/* SPDX-License-Identifier: MIT */
/* test_target.c: authorities, wherever they stand, and the targets that have none. */
#include "cases.h"

#include "http.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define END " HTTP/1.1\r\nHost: t\r\n\r\n"

static void test_forms(void **unused)
{
	static const struct parse_case cases[] = {
		{ "the path of an asterisk", SLICE("OPTIONS *" END), PARSE_DONE,
		  .vars = "PATH_INFO=*\nSERVER_NAME=t" },
		{ "the host of a tunnel", SLICE("CONNECT u:443" END), PARSE_DONE,
		  .vars = "SERVER_NAME=u\nHTTP_HOST=u:443" },
		{ "a tunnel to no port", SLICE("CONNECT u:" END), PARSE_BAD, .status = 400,
		  .early = true },
		{ "a tunnel to a port that cannot be", SLICE("CONNECT u:65536" END), PARSE_BAD,
		  .status = 400, .early = true },
		{ "a tunnel to a path", SLICE("CONNECT /a:1" END), PARSE_BAD, .status = 400,
		  .early = true },
		{ "a port and no host", SLICE("GET http://:80/" END), PARSE_BAD, .status = 400,
		  .early = true },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
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
		{ "%c3%BC.example:1", "%c3%BC.example", "1" },
		{ "a:65536", NULL, NULL },
		{ "a:99999", NULL, NULL },
		{ "a:123456", NULL, NULL },
		{ "a%zz", NULL, NULL },
		{ "a%4", NULL, NULL },
		{ "a%", NULL, NULL },
		{ "%%41", NULL, NULL },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_authorities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
