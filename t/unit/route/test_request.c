/* SPDX-License-Identifier: MIT */
/* test_request.c: the head that an HTTP server is sent. */
#include "unit.h"

#include "proxy.h"
#include "exchange/request.h"

static struct request rq;

static int begin(void **unused)
{
	static const struct request_limits limits = { .post_buffering = 1 << 20 };

	(void)unused;
	request_init(&rq, &limits);
	uwsgi_request_var(&rq, SLICE("REQUEST_METHOD"), SLICE("GET"));
	uwsgi_request_var(&rq, SLICE("REQUEST_URI"), SLICE("/a%20b?c=d"));
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	request_fini(&rq);
	return 0;
}

static void assert_writes(struct slice host, int64_t length, const char *expected)
{
	const char *why;
	char text[1024];
	size_t n = request_write(NULL, &rq, host, length, &why);

	assert_int_equal(n, strlen(expected));
	assert_int_equal(request_write(text, &rq, host, length, &why), n);
	assert_memory_equal(text, expected, n);
}

#define SAME ((struct slice){ NULL, 0 })

static void test_headers_come_from_variables(void **unused)
{
	(void)unused;
	uwsgi_request_var(&rq, SLICE("HTTP_HOST"), SLICE("h.example"));
	uwsgi_request_var(&rq, SLICE("HTTP_X_LONG_NAME"), SLICE("old"));
	uwsgi_request_var(&rq, SLICE("HTTP_X_LONG_NAME"), SLICE("new"));
	uwsgi_request_var(&rq, SLICE("HTTP_X_FORWARDED_FOR"), SLICE("192.0.2.1"));
	uwsgi_request_var(&rq, SLICE("REMOTE_ADDR"), SLICE("192.0.2.2"));
	uwsgi_request_var(&rq, SLICE("CONTENT_TYPE"), SLICE("text/plain"));
	uwsgi_request_var(&rq, SLICE("CONTENT_LENGTH"), SLICE("9"));
	assert_writes(SAME, 3,
		      "GET /a%20b?c=d HTTP/1.1\r\nHost: h.example\r\nX-Long-Name: new\r\n"
		      "Content-Type: text/plain\r\nContent-Length: 3\r\n"
		      "X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nConnection: close\r\n\r\n");
	assert_writes(SLICE("other"), 0,
		      "GET /a%20b?c=d HTTP/1.1\r\nHost: other\r\nX-Long-Name: new\r\n"
		      "Content-Type: text/plain\r\nContent-Length: 0\r\n"
		      "X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nConnection: close\r\n\r\n");
}

static void test_what_is_for_the_clients_connection_ends_here(void **unused)
{
	static const struct slice names[] = {
		SLICE("HTTP_CONNECTION"), SLICE("HTTP_KEEP_ALIVE"), SLICE("HTTP_TE"),
		SLICE("HTTP_TRAILER"),    SLICE("HTTP_UPGRADE"),    SLICE("HTTP_TRANSFER_ENCODING"),
		SLICE("HTTP_EXPECT"),     SLICE("HTTP_X_OWN"),      SLICE("HTTP_CONTENT_LENGTH"),
		SLICE("HTTP_"),           SLICE("UWSGI_SCHEME"),
	};

	(void)unused;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		uwsgi_request_var(&rq, names[i], SLICE("upgrade, x-Own"));
	assert_writes(SLICE("h"), 0,
		      "GET /a%20b?c=d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
}

static void test_nothing_becomes_another_request(void **unused)
{
	static const struct var vars[] = {
		{ SLICE("REQUEST_METHOD"), SLICE("GET /x") },
		{ SLICE("REQUEST_METHOD"), SLICE("") },
		{ SLICE("REQUEST_URI"), SLICE("/ HTTP/1.1\r\nX: y") },
		{ SLICE("REQUEST_URI"), SLICE("/\tx") },
		{ SLICE("REQUEST_URI"), SLICE("") },
		{ SLICE("HTTP_HOST"), SLICE("h\r\nX: y") },
		{ SLICE("HTTP_A\r\nB"), SLICE("y") },
		{ SLICE("HTTP_A:B"), SLICE("y") },
		{ SLICE("HTTP_A"), SLICE("y\nB: c") },
		{ SLICE("HTTP_A"), SLICE("y\0") },
		{ SLICE("CONTENT_TYPE"), SLICE("y\r\n\r\n") },
		{ SLICE("REMOTE_ADDR"), SLICE("1\r\n") },
		{ SLICE("HTTP_X_FORWARDED_FOR"), SLICE("1\r\n") },
	};
	const char *why;

	for (size_t i = 0; i < sizeof vars / sizeof *vars; i++) {
		uwsgi_request_var(&rq, vars[i].name, vars[i].value);
		assert_int_equal(request_write(NULL, &rq, SAME, 0, &why), 0);
		end(unused);
		begin(unused);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_headers_come_from_variables, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_for_the_clients_connection_ends_here,
						begin, end),
		cmocka_unit_test_setup_teardown(test_nothing_becomes_another_request, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
