/* SPDX-License-Identifier: MIT */
/* test_address.c: addresses as users write them. */
#include "unit.h"

#include "base/address.h"

#include <string.h>

static void test_what_is_understood(void **unused)
{
	static const struct {
		const char *text, *address, *port;
		int family;
	} cases[] = {
		{ "127.0.0.1:8000", "127.0.0.1", "8000", AF_INET },
		{ ":8000", "0.0.0.0", "8000", AF_INET },
		{ ": 5000", "0.0.0.0", "5000", AF_INET },
		{ "*:80", "0.0.0.0", "80", AF_INET },
		{ "0.0.0.0:0", "0.0.0.0", "0", AF_INET },
		{ "[::1]:8080", "::1", "8080", AF_INET6 },
		{ "[::]:65535", "::", "65535", AF_INET6 },
		{ "/run/app.sock", "/run/app.sock", "", AF_UNIX },
		{ "unix:/run/app.sock", "/run/app.sock", "", AF_UNIX },
		{ "app.sock", "app.sock", "", AF_UNIX },
		{ "/odd:name", "/odd:name", "", AF_UNIX },
		{ "@hidden", "@hidden", "", AF_UNIX },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address a;
		struct address_text t;
		struct error e;

		assert_int_equal(address_parse(&a, cases[i].text, &e), 0);
		assert_int_equal(a.sa.ss_family, cases[i].family);
		address_to_text((struct sockaddr *)&a.sa, a.length, &t);
		assert_string_equal(t.address, cases[i].address);
		assert_string_equal(t.port, cases[i].port);
		assert_int_equal(t.endpoint.address.n, strlen(t.address));
	}
}

static void test_what_is_refused_says_why(void **unused)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "empty address" },
		{ "@", "empty address" },
		{ "127.0.0.1:", "port must be a number" },
		{ "127.0.0.1:http", "port must be a number" },
		{ "127.0.0.1:65536", "port must be a number" },
		{ "127.0.0.1:-1", "port must be a number" },
		{ "127.0.0.1:99999999999999999999", "port must be a number" },
		{ "[::zz]:80", "not an IPv6 address" },
		{ "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "at most 107 bytes" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address a;
		struct error e;

		assert_int_equal(address_parse(&a, cases[i].text, &e), -1);
		assert_non_null(strstr(e.text, cases[i].says));
	}
}

static void test_only_paths_in_the_file_system_are_paths(void **unused)
{
	struct address a;
	struct error e;

	(void)unused;
	address_parse(&a, "/run/x", &e);
	assert_string_equal(address_path(&a), "/run/x");
	address_parse(&a, "@x", &e);
	assert_null(address_path(&a));
	address_parse(&a, ":1", &e);
	assert_null(address_path(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_understood),
		cmocka_unit_test(test_what_is_refused_says_why),
		cmocka_unit_test(test_only_paths_in_the_file_system_are_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
