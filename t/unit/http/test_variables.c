/* SPDX-License-Identifier: MIT */
/* test_variables.c: what of a head becomes which CGI variable, and in which order. */
#include "unit.h"

#include "drive.h"

#define GET "GET / HTTP/1.1\r\nHost: t\r\n"
#define END "\r\n"

static const struct http_case cases[] = {
	{ "names", BYTES(GET "x-Some-thing.1: a" END END), 0, "HTTP_X_SOME_THING.1=a" },
	{ "the type of a body", BYTES(GET "content-type: a/b" END "Content-Length: 0" END END), 0,
	  "CONTENT_TYPE=a/b\nCONTENT_LENGTH=0\n!HTTP_CONTENT" },
	{ "names that begin alike", BYTES(GET "Content-Types: a" END "Content: b" END END), 0,
	  "HTTP_CONTENT_TYPES=a\nHTTP_CONTENT=b" },
	{ "an underscore", BYTES(GET "X_A: a" END "Content_Length: 9" END "X-A: b" END END), 0,
	  "HTTP_X_A=b\n!HTTP_X_A=a\n!CONTENT_LENGTH\n!HTTP_CONTENT_LENGTH" },
	{ "an underscore alone", BYTES(GET "_: a" END "X-: b" END "-: c" END END), 0,
	  "!HTTP__=a\nHTTP_X_=b\nHTTP__=c" },
	{ "httpoxy", BYTES(GET "Proxy: a" END "pROXY: b" END "X-Proxy: c" END END), 0,
	  "!HTTP_PROXY\nHTTP_X_PROXY=c" },
	{ "repeated", BYTES(GET "X-A: 1" END "B: 2" END "x-a: 3" END "X-A:" END "x-A: 4" END END),
	  0, "HTTP_X_A=1, 3, , 4\nHTTP_B=2" },
	{ "two repeated", BYTES(GET "A: 1" END "B: 2" END "B: 3" END "A: 4" END END), 0,
	  "HTTP_A=1, 4\nHTTP_B=2, 3" },
	{ "cookies", BYTES(GET "Cookie: a=1" END "cookie: b=2; c=3" END END), 0,
	  "HTTP_COOKIE=a=1; b=2; c=3" },
	{ "like cookies", BYTES(GET "Cookie2: a=1" END "Cookie2: b=2" END END), 0,
	  "HTTP_COOKIE2=a=1, b=2" },
	{ "types repeated", BYTES(GET "Content-Type: a" END "Content-Type: b" END END), 0,
	  "CONTENT_TYPE=a, b" },
	{ "the names of others", BYTES(GET "Remote-Addr: evil" END "Path-Info: evil" END END), 0,
	  "HTTP_REMOTE_ADDR=evil\nREMOTE_ADDR=192.0.2.7\nHTTP_PATH_INFO=evil\nPATH_INFO=/" },
	{ "a name in the host", BYTES("GET / HTTP/1.1\r\nHost: Shop.test:81\r\n\r\n"), 0,
	  "SERVER_NAME=Shop.test\nSERVER_PORT=8080\nHTTP_HOST=Shop.test:81" },
	{ "an address in the host", BYTES("GET / HTTP/1.1\r\nHost: [::1]:81\r\n\r\n"), 0,
	  "SERVER_NAME=[::1]\nHTTP_HOST=[::1]:81" },
};

static void test_fields_become_variables(void **unused)
{
	(void)unused;
	drive_check_cases(cases, COUNT(cases));
}

static void expect(struct drive *d, struct slice in, const char *description)
{
	size_t used;

	assert_int_equal(drive_feed(d, in, in.n, 1, &used), PARSE_DONE);
	char *text = drive_describe(d);

	assert_string_equal(text, description);
	free(text);
}

static void test_variables_come_in_the_order_of_uwsgi(void **unused)
{
	struct drive d;

	(void)unused;
	drive_begin(&d);
	expect(&d,
	       SLICE("POST /a%20b?c HTTP/1.1\r\nB: 1\r\nHost: t:81\r\nContent-Type: a/b\r\nA: 2\r\n"
		     "B: 3\r\nContent-Length: 2\r\n\r\nhi"),
	       "REQUEST_METHOD=POST\nREQUEST_URI=/a%20b?c\nPATH_INFO=/a b\nQUERY_STRING=c\n"
	       "SERVER_PROTOCOL=HTTP/1.1\nSCRIPT_NAME=\nSERVER_NAME=t\nSERVER_PORT=8080\n"
	       "REMOTE_ADDR=192.0.2.7\nREMOTE_PORT=4711\nHTTP_B=1, 3\nHTTP_HOST=t:81\n"
	       "CONTENT_TYPE=a/b\nHTTP_A=2\nCONTENT_LENGTH=2\nbody hi\nthe connection lives\n");
	drive_end(&d);
}

static void test_a_unix_socket_has_a_name_and_a_port_all_the_same(void **unused)
{
	struct drive d;

	(void)unused;
	drive_begin(&d);
	d.peer = (struct endpoint){ 0 };
	d.local = (struct endpoint){ BYTES("/run/a.sock"), { "", 0 } };
	expect(&d, SLICE("GET / HTTP/1.0\r\n\r\n"),
	       "REQUEST_METHOD=GET\nREQUEST_URI=/\nPATH_INFO=/\nQUERY_STRING=\n"
	       "SERVER_PROTOCOL=HTTP/1.0\nSCRIPT_NAME=\nSERVER_NAME=localhost\nSERVER_PORT=80\n"
	       "REMOTE_ADDR=\nbody \nthe connection ends\n");
	drive_next(&d);
	expect(&d, SLICE("GET / HTTP/1.1\r\nHost: t:81\r\nConnection: close\r\n\r\n"),
	       "REQUEST_METHOD=GET\nREQUEST_URI=/\nPATH_INFO=/\nQUERY_STRING=\n"
	       "SERVER_PROTOCOL=HTTP/1.1\nSCRIPT_NAME=\nSERVER_NAME=t\nSERVER_PORT=81\n"
	       "REMOTE_ADDR=\nHTTP_HOST=t:81\nHTTP_CONNECTION=close\nbody \n"
	       "the connection ends\n");
	drive_end(&d);
}

/* All names of all fields: each is either repeated or not, wherever it stands. */
static void test_repetitions_are_found_wherever_they_stand(void **unused)
{
	struct drive d;
	size_t size, used, count, seen = 0;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	(void)unused;
	fputs("GET / HTTP/1.0\r\n", f);
	for (int i = 0; i < HTTP_MAX_FIELDS; i++)
		fprintf(f, "A%d: %d\r\n", i % 100, i);
	fputs("\r\n", f);
	fclose(f);
	drive_begin(&d);
	assert_int_equal(drive_feed(&d, (struct slice){ text, size }, size, 1, &used), PARSE_DONE);
	const struct var *vars = uwsgi_request_vars(&d.rq, &count);

	for (size_t i = 0; i < count; i++) {
		char expected[64], got[64];
		int name;

		snprintf(got, sizeof got, "%.*s=%.*s", (int)vars[i].name.n, vars[i].name.p,
			 (int)vars[i].value.n, vars[i].value.p);
		if (sscanf(got, "HTTP_A%d=", &name) != 1)
			continue;
		assert_int_equal(name, seen++);
		snprintf(expected, sizeof expected, "HTTP_A%d=%d, %d", name, name, name + 100);
		if (name + 200 < HTTP_MAX_FIELDS)
			snprintf(expected + strlen(expected), 16, ", %d", name + 200);
		assert_string_equal(got, expected);
	}
	assert_int_equal(seen, 100);
	drive_end(&d);
	free(text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_become_variables),
		cmocka_unit_test(test_variables_come_in_the_order_of_uwsgi),
		cmocka_unit_test(test_a_unix_socket_has_a_name_and_a_port_all_the_same),
		cmocka_unit_test(test_repetitions_are_found_wherever_they_stand),
	};

	if (drive_write_corpus(argc, argv, "variables", cases, COUNT(cases)))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
