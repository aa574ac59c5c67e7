/* SPDX-License-Identifier: MIT */
/* test_logformat.c: what formats make of one request. */
#include "unit.h"

#include "exchange/logformat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	struct request_limits limits;
	struct request rq;
	struct response rs;
	struct logged logged;
};

static void var(struct fixture *f, const char *name, const char *value)
{
	uwsgi_request_var(&f->rq, (struct slice){ name, strlen(name) },
			  (struct slice){ value, strlen(value) });
}

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	setenv("TZ", "UTC", 1);
	request_init(&f->rq, &f->limits);
	var(f, "REQUEST_METHOD", "GET");
	var(f, "REQUEST_URI", "/a?b=\"c");
	var(f, "REMOTE_ADDR", "192.0.2.1");
	var(f, "HTTP_USER_AGENT", "x\ny");
	var(f, "HTTP_X_FORWARDED_FOR", "198.51.100.1, 198.51.100.2");
	f->rs = (struct response){
		.status = 404, .body = 1000, .head_size = 234, .count = 3, .switches = 2
	};
	f->logged = (struct logged){
		.rq = &f->rq,
		.rs = &f->rs,
		.pid = 71,
		.worker = 3,
		.lane = 2,
		.began_us = 1700000000123456,
		.ended_us = 1700000001127461,
		.memory = { .address_space = 3 << 20, .resident = 2 << 20 },
	};
}

static void expect_dated(struct fixture *f, const char *format, const char *date,
			 const char *expected)
{
	struct logformat *compiled = logformat_new(format, date, NULL, true);
	char buffer[512];
	struct logline l;

	logline_init(&l, buffer, sizeof buffer);
	logformat_write(compiled, &l, &f->logged);
	logformat_free(compiled);
	logline_printf(&l, "%c", 0);
	assert_string_equal(buffer, expected);
}

static void expect(struct fixture *f, const char *format, const char *expected)
{
	expect_dated(f, format, NULL, expected);
}

static void test_each_variable(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	expect(&f, "%(method) %(status) %(addr) [%(user)]", "GET 404 192.0.2.1 [-]");
	expect(&f, "%(rsize) %(hsize) %(size) %(headers)", "1000 234 1234 3");
	expect(&f, "%(micros) %(msecs) %(secs)", "1004005 1004 1.004005");
	expect(&f, "%(time) %(tmsecs) %(tmicros) %(epoch)",
	       "1700000000 1700000000123 1700000000123456 1700000001");
	expect(&f, "%(ctime)|%(ltime)", "Tue Nov 14 22:13:20 2023|14/Nov/2023:22:13:20 +0000");
	expect(&f, "%(pid) %(wid) %(core) %(switches) %(vars)", "71 3 2 2 10");
	expect(&f, "%(vsz) %(vszM) %(rss) %(rssM)", "3145728 3 2097152 2");
	expect(&f, "%(cl) %(rerr) %(werr) %(ioerr) %(modifier1)", "0 0 0 0 0");
	f.rs.broken = true;
	expect(&f, "%(rerr) %(werr) %(ioerr)", "0 1 1");
	expect(&f, "%(var.REQUEST_METHOD) %(var.NOPE) %(var.)", "GET - -");
	request_fini(&f.rq);
}

static void test_the_address_may_be_the_one_that_is_forwarded(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	f.logged.forwarded_for = true;
	expect(&f, "%(addr)", "198.51.100.1, 198.51.100.2");
	var(&f, "HTTP_X_FORWARDED_FOR", "");
	expect(&f, "%(addr)", "192.0.2.1");
	request_fini(&f.rq);
}

static void test_ftime_is_ltime_until_there_is_a_date(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	expect(&f, "%(ftime)", "14/Nov/2023:22:13:20 +0000");
	expect_dated(&f, "%(ftime) %(ltime)", "%Y", "2023 14/Nov/2023:22:13:20 +0000");
	request_fini(&f.rq);
}

static void test_words_of_the_application(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	expect(&f, "%(user_id)", "-");
	uwsgi_request_set_logvar(&f.rq, SLICE("user_id"), SLICE("7"));
	uwsgi_request_set_logvar(&f.rq, SLICE("other"), SLICE("a\nb"));
	uwsgi_request_set_logvar(&f.rq, SLICE("user_id"), SLICE("8"));
	expect(&f, "%(user_id) %(other)", "8 a\\x0ab");
	request_reset(&f.rq);
	expect(&f, "%(user_id)", "-");
	request_fini(&f.rq);
}

static void test_what_stands_between_quotation_marks_stays_there(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	expect(&f, "%(uri) \"%(uri)\" %(uri) {\"u\": \"%(method) %(uagent)\"}",
	       "/a?b=\"c \"/a?b=\\\"c\" /a?b=\"c {\"u\": \"GET x\\u000ay\"}");
	expect(&f, "%(uagent) \\\"%(uri)", "x\\x0ay \\\"/a?b=\"c");
	request_fini(&f.rq);
}

static void test_what_is_no_variable_stays(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	expect(&f, "", "");
	expect(&f, "100% (a) %(", "100% (a) %(");
	expect(&f, "%(uri", "%(uri");
	expect(&f, "%()%(method)%%(method)", "-GET%GET");
	request_fini(&f.rq);
}

static void test_foreign_names_are_found(void **unused)
{
	const char *at = "%(uri) %(nope) %(var.X) %(ftime) %(metric.a)%(b";
	struct slice name;

	(void)unused;
	assert_true(logformat_next_foreign(&at, NULL, &name));
	assert_memory_equal(name.p, "nope", name.n);
	assert_true(logformat_next_foreign(&at, NULL, &name));
	assert_memory_equal(name.p, "metric.a", name.n);
	assert_false(logformat_next_foreign(&at, NULL, &name));
}

static void test_memory_is_asked_for_only_where_it_is_written(void **unused)
{
	static const struct {
		const char *format;
		bool wants;
	} cases[] = { { "%(uri) %(size)", false }, { "%(vsz)", true }, { "%(rssM)", true } };

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct logformat *f = logformat_new(cases[i].format, NULL, NULL, true);

		assert_int_equal(logformat_wants_memory(f), cases[i].wants);
		logformat_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_variable),
		cmocka_unit_test(test_the_address_may_be_the_one_that_is_forwarded),
		cmocka_unit_test(test_ftime_is_ltime_until_there_is_a_date),
		cmocka_unit_test(test_words_of_the_application),
		cmocka_unit_test(test_what_stands_between_quotation_marks_stays_there),
		cmocka_unit_test(test_what_is_no_variable_stays),
		cmocka_unit_test(test_foreign_names_are_found),
		cmocka_unit_test(test_memory_is_asked_for_only_where_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
