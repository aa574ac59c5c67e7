/* SPDX-License-Identifier: MIT */
/* test_variables.c: the order of the variables, the two ends of a connection, and fields that
 * come more than once. */
#include "cases.h"

#include "http.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define GET(fields) SLICE("GET / HTTP/1.1\r\nHost: h\r\n" fields "\r\n")

static void test_names(void **unused)
{
	static const struct parse_case cases[] = {
		{ "begin alike",
		  GET("Content-Types: a\r\nContent: b\r\nCookie2: c\r\nCookie2: d\r\n"), PARSE_DONE,
		  .vars = "HTTP_CONTENT_TYPES=a\nHTTP_CONTENT=b\nHTTP_COOKIE2=c, d" },
		{ "of others", GET("Remote-Addr: evil\r\nPath-Info: evil\r\n"), PARSE_DONE,
		  .vars = "HTTP_REMOTE_ADDR=evil\nREMOTE_ADDR=192.0.2.7\nPATH_INFO=/" },
		{ "of hyphens", GET("-: a\r\n_: b\r\nX-: c\r\n"), PARSE_DONE,
		  .vars = "HTTP__=a\nHTTP_X_=c" },
		{ "of a type, twice", GET("Content-Type: a\r\ncontent-type: b\r\n"), PARSE_DONE,
		  .vars = "CONTENT_TYPE=a, b" },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

/* local: NULL for the one that feed.h has. */
static void expect(struct slice in, const struct endpoint *peer, const struct endpoint *local,
		   const char *expected)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);
	struct feed f;

	assert_non_null(to);
	feed_open(&f, uwsgi_plugin.protocol, in);
	if (local) {
		f.peer = *peer;
		f.local = *local;
	}
	assert_int_equal(feed_parse(&f, in.n), PARSE_DONE);
	feed_describe(&f, to);
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
	feed_close(&f);
}

static void test_variables_come_in_the_order_of_uwsgi(void **unused)
{
	(void)unused;
	expect(SLICE("POST /a%20b?c HTTP/1.1\r\nB: 1\r\nHost: t:81\r\nContent-Type: a/b\r\nA: 2\r\n"
		     "B: 3\r\nContent-Length: 2\r\n\r\nhi"),
	       NULL, NULL,
	       "REQUEST_METHOD=POST\nREQUEST_URI=/a%20b?c\nPATH_INFO=/a b\nQUERY_STRING=c\n"
	       "SERVER_PROTOCOL=HTTP/1.1\nSCRIPT_NAME=\nSERVER_NAME=t\nSERVER_PORT=8080\n"
	       "REMOTE_ADDR=192.0.2.7\nREMOTE_PORT=50000\nHTTP_B=1, 3\nHTTP_HOST=t:81\n"
	       "CONTENT_TYPE=a/b\nHTTP_A=2\nCONTENT_LENGTH=2\nbody 2 hi\n");
}

/* PEP 3333: SERVER_NAME and SERVER_PORT are never empty. */
static void test_a_unix_socket_has_a_name_and_a_port_all_the_same(void **unused)
{
	const struct endpoint nobody = { SLICE(""), SLICE("") };
	const struct endpoint local = { SLICE("/run/a.sock"), SLICE("") };

	(void)unused;
	expect(SLICE("GET / HTTP/1.0\r\n\r\n"), &nobody, &local,
	       "REQUEST_METHOD=GET\nREQUEST_URI=/\nPATH_INFO=/\nQUERY_STRING=\n"
	       "SERVER_PROTOCOL=HTTP/1.0\nSCRIPT_NAME=\nSERVER_NAME=localhost\nSERVER_PORT=80\n"
	       "REMOTE_ADDR=\nbody 0 \n");
	expect(SLICE("GET / HTTP/1.1\r\nHost: t:81\r\n\r\n"), &nobody, &local,
	       "REQUEST_METHOD=GET\nREQUEST_URI=/\nPATH_INFO=/\nQUERY_STRING=\n"
	       "SERVER_PROTOCOL=HTTP/1.1\nSCRIPT_NAME=\nSERVER_NAME=t\nSERVER_PORT=81\n"
	       "REMOTE_ADDR=\nHTTP_HOST=t:81\nbody 0 \n");
}

/* A hundred names over all the fields there may be: two or three values each. */
static void test_repetitions_are_found_wherever_they_stand(void **unused)
{
	size_t size, count, seen = 0;
	char *text = NULL;
	FILE *to = open_memstream(&text, &size);
	struct feed f;

	(void)unused;
	assert_non_null(to);
	fputs("GET / HTTP/1.0\r\n", to);
	for (int i = 0; i < HTTP_MAX_FIELDS; i++)
		fprintf(to, "A%d: %d\r\n", i % 100, i);
	fputs("\r\n", to);
	fclose(to);
	feed_open(&f, uwsgi_plugin.protocol, (struct slice){ text, size });
	assert_int_equal(feed_parse(&f, size), PARSE_DONE);
	const struct var *vars = uwsgi_request_vars(&f.rq, &count);

	for (size_t i = 0; i < count; i++) {
		char expected[64], got[64];
		int name;

		snprintf(got, sizeof got, "%.*s=%.*s", (int)vars[i].name.n, vars[i].name.p,
			 (int)vars[i].value.n, vars[i].value.p);
		if (sscanf(got, "HTTP_A%d=", &name) != 1)
			continue;
		assert_int_equal(name, seen++);
		int n = snprintf(expected, sizeof expected, "HTTP_A%d=%d, %d", name, name,
				 name + 100);
		if (name + 200 < HTTP_MAX_FIELDS)
			snprintf(expected + n, sizeof expected - (size_t)n, ", %d", name + 200);
		assert_string_equal(got, expected);
	}
	assert_int_equal(seen, 100);
	feed_close(&f);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_variables_come_in_the_order_of_uwsgi),
		cmocka_unit_test(test_a_unix_socket_has_a_name_and_a_port_all_the_same),
		cmocka_unit_test(test_repetitions_are_found_wherever_they_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
