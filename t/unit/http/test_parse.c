/* SPDX-License-Identifier: MIT */
/* test_parse.c: the form of request lines and header lines. */
#include "unit.h"

#include "drive.h"

#define GET "GET / HTTP/1.1\r\nHost: t\r\n"
#define END "\r\n"

static const struct http_case cases[] = {
	{ "the least", BYTES("GET / HTTP/1.1\r\nHost: t\r\n\r\n"), 0,
	  "REQUEST_METHOD=GET\nREQUEST_URI=/\nSERVER_PROTOCOL=HTTP/1.1\nbody \n"
	  "the connection lives" },
	{ "the least of 1.0", BYTES("GET / HTTP/1.0\r\n\r\n"), 0,
	  "SERVER_PROTOCOL=HTTP/1.0\n!HTTP_HOST\nthe connection ends" },
	{ "a later minor version", BYTES("GET / HTTP/1.7\r\nHost: t\r\n\r\n"), 0,
	  "SERVER_PROTOCOL=HTTP/1.1" },
	{ "an odd method", BYTES("M-SEARCH!#$%&'*+-.^_`|~09az / HTTP/1.1\r\nHost: t\r\n\r\n"), 0,
	  "REQUEST_METHOD=M-SEARCH!#$%&'*+-.^_`|~09az" },
	{ "empty lines before", BYTES("\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n"), 0,
	  "REQUEST_METHOD=GET" },
	{ "no blank before a value", BYTES(GET "A:b" END END), 0, "HTTP_A=b" },
	{ "blanks around a value", BYTES(GET "A: \t b c \t" END END), 0, "HTTP_A=b c" },
	{ "a tab inside a value", BYTES(GET "A: b\tc" END END), 0, "HTTP_A=b\tc" },
	{ "an empty value", BYTES(GET "A:" END END), 0, "HTTP_A=" },
	{ "a value of blanks", BYTES(GET "A: \t " END END), 0, "HTTP_A=" },
	{ "a colon in a value", BYTES(GET "A: b:c" END END), 0, "HTTP_A=b:c" },
	{ "bytes above 0x7f", BYTES("GET /\xe9?\xff HTTP/1.1\r\nHost: t\r\nA: \x80\xff\r\n\r\n"), 0,
	  "REQUEST_URI=/\xe9?\xff\nPATH_INFO=/\xe9\nQUERY_STRING=\xff\nHTTP_A=\x80\xff" },

	{ "no method", BYTES(" / HTTP/1.1\r\nHost: t\r\n\r\n"), 400, "no HTTP request" },
	{ "a method in parentheses", BYTES("G(T / HTTP/1.1\r\nHost: t\r\n\r\n"), 400, "method" },
	{ "two blanks after the method", BYTES("GET  / HTTP/1.1\r\nHost: t\r\n\r\n"), 400,
	  "no target" },
	{ "a tab after the method", BYTES("GET\t/ HTTP/1.1\r\nHost: t\r\n\r\n"), 400, "method" },
	{ "a method alone", BYTES("GET\r\n\r\n"), 400, "method" },
	{ "no version", BYTES("GET /\r\n\r\n"), 400, "version" },
	{ "two blanks before the version", BYTES("GET /  HTTP/1.1\r\n\r\n"), 400, "version" },
	{ "a blank after the version", BYTES("GET / HTTP/1.1 \r\n\r\n"), 400, "version" },
	{ "a version in small letters", BYTES("GET / http/1.1\r\n\r\n"), 400, "version" },
	{ "a version of another name", BYTES("GET / HTTQ/1.1\r\n\r\n"), 400, "version" },
	{ "a version without a dot", BYTES("GET / HTTP/11\r\n\r\n"), 400, "version" },
	{ "a longer version", BYTES("GET / HTTP/1.10\r\n\r\n"), 400, "version" },
	{ "a version with a sign", BYTES("GET / HTTP/1.-\r\n\r\n"), 400, "version" },
	{ "HTTP/2", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, "HTTP/1.1" },
	{ "HTTP/0.9 in words", BYTES("GET / HTTP/0.9\r\n\r\n"), 505, "HTTP/1.1" },
	{ "a NUL in the target", BYTES("GET /\0 HTTP/1.1\r\nHost: t\r\n\r\n"), 400, "target" },
	{ "a DEL in the target", BYTES("GET /\x7f HTTP/1.1\r\nHost: t\r\n\r\n"), 400, "target" },
	{ "a tab in the target", BYTES("GET /\t HTTP/1.1\r\nHost: t\r\n\r\n"), 400, "target" },
	{ "a CR in the target", BYTES("GET /\r HTTP/1.1\r\nHost: t\r\n\r\n"), 400, "target" },

	{ "a bare LF after the request line", BYTES("GET / HTTP/1.1\nHost: t\r\n\r\n"), 400,
	  "CRLF" },
	{ "a bare LF after a field", BYTES(GET "A: b\nC: d" END END), 400, "CRLF" },
	{ "bare LFs at the end", BYTES("GET / HTTP/1.1\r\nHost: t\n\n"), 400, "CRLF" },
	{ "a bare LF as the last line", BYTES(GET "\n"), 400, "CRLF" },
	{ "a bare LF first", BYTES("\nGET / HTTP/1.1\r\nHost: t\r\n\r\n"), 400, NULL },
	{ "a bare CR first", BYTES("\rGET / HTTP/1.1\r\nHost: t\r\n\r\n"), 400, NULL },
	{ "a bare CR in a value", BYTES(GET "A: b\rC: d" END END), 400, "control" },
	{ "two CRs at the end of a line", BYTES(GET "A: b\r" END END), 400, "control" },
	{ "a CR as an empty line", BYTES(GET "\r" END END), 400, NULL },
	{ "a NUL in a value", BYTES(GET "A: b\0c" END END), 400, "control" },
	{ "a DEL in a value", BYTES(GET "A: b\x7f" END END), 400, "control" },
	{ "an escape in a value", BYTES(GET "A: \x1b[0m" END END), 400, "control" },
	{ "a vertical tab around a value", BYTES(GET "A: \vb" END END), 400, "control" },
	{ "a folded line", BYTES(GET "A: b" END " c" END END), 400, "folded" },
	{ "a line folded by a tab", BYTES(GET "A: b" END "\tc" END END), 400, "folded" },
	{ "a blank before the first field", BYTES("GET / HTTP/1.1\r\n Host: t\r\n\r\n"), 400,
	  "folded" },
	{ "a line of a blank", BYTES(GET " " END END), 400, "folded" },
	{ "a blank before the colon", BYTES(GET "A : b" END END), 400, "before a colon" },
	{ "a tab before the colon", BYTES(GET "A\t: b" END END), 400, "before a colon" },
	{ "an empty name", BYTES(GET ": b" END END), 400, "name" },
	{ "no colon", BYTES(GET "A" END END), 400, "name" },
	{ "a name in quotes", BYTES(GET "\"A\": b" END END), 400, "name" },
	{ "a name with a byte above 0x7f", BYTES(GET "A\xe9: b" END END), 400, "name" },
	{ "a NUL in a name", BYTES(GET "A\0: b" END END), 400, "name" },
	{ "a name with a slash", BYTES(GET "A/B: b" END END), 400, "name" },
};

static void test_lines_are_read_as_rfc_9112_has_them(void **unused)
{
	(void)unused;
	drive_check_cases(cases, COUNT(cases));
}

/* A head with this many fields besides Host. */
static enum parsed parse_many(struct drive *d, size_t fields)
{
	size_t size, used;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	fputs(GET, f);
	for (size_t i = 0; i < fields; i++)
		fprintf(f, "X-%zu: %zu\r\n", i, i);
	fputs(END, f);
	fclose(f);
	enum parsed parsed = drive_feed(d, (struct slice){ text, size }, size, 1, &used);

	free(text);
	return parsed;
}

static void test_the_number_of_fields_is_bounded(void **unused)
{
	struct drive d;
	size_t count;

	(void)unused;
	drive_begin(&d);
	assert_int_equal(parse_many(&d, HTTP_MAX_FIELDS - 1), PARSE_DONE);
	uwsgi_request_vars(&d.rq, &count);
	assert_true(count > HTTP_MAX_FIELDS);
	drive_next(&d);
	assert_int_equal(parse_many(&d, HTTP_MAX_FIELDS), PARSE_BAD);
	assert_int_equal(d.rq.reject_status, 431);
	drive_end(&d);
}

static void test_every_byte_that_is_no_token_is_refused_in_a_name(void **unused)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	(void)unused;
	for (int c = 0; c < 256; c++) {
		char head[] = GET "A?B: c\r\n\r\n";
		struct drive d;
		size_t used;

		*strchr(head, '?') = (char)c;
		drive_begin(&d);
		enum parsed parsed = drive_feed(&d, (struct slice){ head, sizeof head - 1 },
						sizeof head, 1, &used);
		bool good = (c && strchr(token, c)) || c == ':';

		assert_int_equal(parsed, good ? PARSE_DONE : PARSE_BAD);
		assert_int_equal(http_is_token_char((unsigned char)c), c && strchr(token, c));
		drive_end(&d);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_read_as_rfc_9112_has_them),
		cmocka_unit_test(test_the_number_of_fields_is_bounded),
		cmocka_unit_test(test_every_byte_that_is_no_token_is_refused_in_a_name),
	};

	if (drive_write_corpus(argc, argv, "parse", cases, COUNT(cases)))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
