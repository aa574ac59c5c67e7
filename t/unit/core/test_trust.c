/* SPDX-License-Identifier: MIT */
/* test_trust.c: which addresses are in which lists, and how often it is told that one is not. */
#include "unit.h"

#include "settings/config.h"
#include "base/log.h"
#include "exchange/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	struct config *config;
	struct trust trust;
	struct seldom untrusted;
};

static void begin(struct fixture *f, const char *word)
{
	static const struct option_table *const tables[] = { &config_table, &trust_options };
	char *copy = strdup(word), *argv[] = { (char[]){ "uwsgi" }, copy, NULL };
	char *environ_[] = { NULL };
	struct invocation invocation = {
		.argc = 2, .argv = argv, .environ_ = environ_, .cwd = "/"
	};
	struct report report;
	struct error e;

	report_init(&report);
	f->config = config_load(&invocation, tables, sizeof tables / sizeof *tables, &report);
	report_print(&report);
	report_fini(&report);
	assert_non_null(f->config);
	f->untrusted = (struct seldom){ 0 };
	assert_int_equal(trust_init(&f->trust, f->config, &f->untrusted, &e), 0);
	free(copy);
}

static void end(struct fixture *f)
{
	trust_fini(&f->trust);
	config_free(f->config);
}

static bool believes(const struct fixture *f, enum trust_kind kind, const char *address)
{
	return trust_believes(&f->trust, kind, (struct slice){ address, strlen(address) });
}

static void test_addresses_and_networks(void **unused)
{
	static const struct {
		const char *list, *address;
		bool believed;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "127.0.0.1", "::1", false },
		{ "10.0.0.0/8", "10.255.1.2", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.9.9.9/8", "10.1.1.1", true },
		{ "192.0.2.0/25", "192.0.2.127", true },
		{ "192.0.2.0/25", "192.0.2.128", false },
		{ "0.0.0.0/0", "203.0.113.1", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "2001:db8::1/128", "2001:db8::1", true },
		{ "2001:DB8:0:0::1", "2001:db8::1", true },
		{ "::/0", "::1", true },
		{ "*", "203.0.113.1", true },
		{ "*", "2001:db8::1", true },
		{ "1.1.1.1,\t2.2.2.2 3.3.3.3,", "2.2.2.2", true },
		{ "1.1.1.1,\t2.2.2.2 3.3.3.3,", "3.3.3.3", true },
		{ "1.1.1.1, 2.2.2.2", "3.3.3.3", false },
		/* over a UNIX socket */
		{ "1.1.1.1", "", true },
		/* a packet of this server's router may say what it wants, but that is nobody */
		{ "*", "unknown", false },
		{ "*", "fe80::1%eth0", false },
		{ "*", "1234567890123456789012345678901234567890123456789012345", false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int kind = 0; kind < TRUST_KINDS; kind++) {
			char word[128];
			struct fixture f;

			snprintf(word, sizeof word, "--%s=%s",
				 kind == TRUST_PROXY ? "proxy-allow-ips" : "forwarded-allow-ips",
				 cases[i].list);
			begin(&f, word);
			assert_int_equal(believes(&f, kind, cases[i].address), cases[i].believed);
			end(&f);
		}
}

static void test_by_default_it_is_loopback(void **unused)
{
	struct fixture f;

	(void)unused;
	unsetenv("FORWARDED_ALLOW_IPS");
	begin(&f, "--strict");
	for (int kind = 0; kind < TRUST_KINDS; kind++) {
		assert_true(believes(&f, kind, "127.0.0.1") && believes(&f, kind, "127.9.9.9"));
		assert_true(believes(&f, kind, "::1"));
		assert_false(believes(&f, kind, "128.0.0.1") || believes(&f, kind, "::2"));
	}
	end(&f);
}

static void test_the_environment_is_for_what_is_forwarded(void **unused)
{
	struct fixture f;

	(void)unused;
	setenv("FORWARDED_ALLOW_IPS", "192.0.2.1", 1);
	begin(&f, "--strict");
	assert_true(believes(&f, TRUST_FORWARDED, "192.0.2.1"));
	assert_false(believes(&f, TRUST_FORWARDED, "127.0.0.1"));
	assert_false(believes(&f, TRUST_PROXY, "192.0.2.1"));
	end(&f);
	begin(&f, "--forwarded-allow-ips=192.0.2.2");
	assert_false(believes(&f, TRUST_FORWARDED, "192.0.2.1"));
	end(&f);
	unsetenv("FORWARDED_ALLOW_IPS");
}

static void count(void *data, const char *text, size_t length)
{
	(void)text;
	(void)length;
	++*(int *)data;
}

static void test_a_line_a_minute(void **unused)
{
	struct fixture f;
	int lines = 0;

	(void)unused;
	begin(&f, "--strict");
	log_set_writer(count, &lines);
	for (int i = 0; i < 3; i++)
		trust_tell(&f.trust, SLICE("192.0.2.1"));
	assert_int_equal(lines, 1);
	f.untrusted.said_ms -= 60000;
	for (int i = 0; i < 3; i++)
		trust_tell(&f.trust, SLICE("192.0.2.1"));
	assert_int_equal(lines, 2);
	log_set_writer(NULL, NULL);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_and_networks),
		cmocka_unit_test(test_by_default_it_is_loopback),
		cmocka_unit_test(test_the_environment_is_for_what_is_forwarded),
		cmocka_unit_test(test_a_line_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
