/* SPDX-License-Identifier: MIT */
/* test_request.c: what an SCGI socket makes of what it is sent, in every portion it may come in. */
#include "cases.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NONE SLICE("")
#define LENGTH(digits) "CONTENT_LENGTH\0" digits "\0"
#define VERSION                                                                                    \
	"SCGI\0"                                                                                   \
	"1\0"
#define SCGI(headers, rest) whole(&w, SLICE(headers), SLICE(rest))

struct writer {
	char bytes[8192];
	size_t n;
};

/* The headers as a netstring, and what comes behind it. */
static struct slice whole(struct writer *w, struct slice headers, struct slice rest)
{
	char *begin = w->bytes + w->n;
	size_t n = (size_t)snprintf(begin, 16, "%zu:", headers.n);

	memcpy(begin + n, headers.p, headers.n);
	begin[n + headers.n] = ',';
	memcpy(begin + n + headers.n + 1, rest.p, rest.n);
	n += headers.n + 1 + rest.n;
	w->n += n;
	return (struct slice){ begin, n };
}

static void run(const struct parse_case *cases, size_t count)
{
	cases_run(cases, count, uwsgi_plugin.protocol);
}

static void test_headers_and_bodies(void **unused)
{
	struct writer w = { .n = 0 };
	const struct parse_case cases[] = {
		{ "the least", SCGI(LENGTH("0") VERSION, ""), PARSE_DONE,
		  .vars = "CONTENT_LENGTH=0\nSCGI=1\n!PATH_INFO" },
		{ "bytes behind a request without a body", SCGI(LENGTH("0") VERSION, "xyz"),
		  PARSE_DONE, .left = 3 },
		{ "the protocol's own example",
		  SLICE("70:CONTENT_LENGTH\0"
			"27\0SCGI\0"
			"1\0REQUEST_METHOD\0POST\0REQUEST_URI\0"
			"/deepthought\0,What is the answer to life?"),
		  PARSE_DONE, .vars = "REQUEST_METHOD=POST\nREQUEST_URI=/deepthought",
		  .body = SLICE("What is the answer to life?") },
		{ "an empty value", SCGI(LENGTH("0") VERSION "A\0\0B\0=\0", ""), PARSE_DONE,
		  .vars = "A=\nB==" },
		{ "a header twice: the last one",
		  SCGI(LENGTH("0") VERSION "A\0"
					   "1\0A\0"
					   "2\0",
		       ""),
		  PARSE_DONE, .vars = "A=2" },
		{ "a body with zeros", SCGI(LENGTH("5") VERSION, "h\0,:o"), PARSE_DONE,
		  .body = SLICE("h\0,:o") },
		{ "bytes behind a body", SCGI(LENGTH("2") VERSION, "hello"), PARSE_DONE,
		  .body = SLICE("he"), .left = 3 },
		{ "SCGI comes last", SCGI(LENGTH("1") "A\0b\0" VERSION, "x"), PARSE_DONE,
		  .vars = "A=b", .body = SLICE("x") },
		{ "the same CONTENT_LENGTH twice", SCGI(LENGTH("1") VERSION LENGTH("01"), "x"),
		  PARSE_DONE, .body = SLICE("x") },
		{ "no body, said twice", SCGI(LENGTH("0") VERSION LENGTH(""), ""), PARSE_DONE,
		  .vars = "CONTENT_LENGTH=" },
		{ "a comma in a value", SCGI(LENGTH("0") VERSION "A\0,\0", ""), PARSE_DONE,
		  .vars = "A=," },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

static void test_the_path(void **unused)
{
	struct writer w = { .n = 0 };
	const struct parse_case cases[] = {
		{ "PATH_INFO stays",
		  SCGI(LENGTH("0") VERSION "SCRIPT_NAME\0/a\0DOCUMENT_URI\0/a/b\0PATH_INFO\0/b\0",
		       ""),
		  PARSE_DONE, .vars = "PATH_INFO=/b\nSCRIPT_NAME=/a" },
		{ "an empty PATH_INFO stays",
		  SCGI(LENGTH("0") VERSION "PATH_INFO\0\0SCRIPT_NAME\0/a\0", ""), PARSE_DONE,
		  .vars = "PATH_INFO=\nSCRIPT_NAME=/a" },
		{ "nginx's scgi_params",
		  SCGI(LENGTH("0") "REQUEST_URI\0/%61\0DOCUMENT_URI\0/a\0" VERSION, ""), PARSE_DONE,
		  .vars = "PATH_INFO=/a\n!SCRIPT_NAME" },
		{ "Apache by itself", SCGI(LENGTH("0") VERSION "SCRIPT_NAME\0/a\0", ""), PARSE_DONE,
		  .vars = "PATH_INFO=/a\nSCRIPT_NAME=" },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

static void test_netstrings_that_are_none(void **unused)
{
	static const struct parse_case cases[] = {
		{ "no colon", SLICE("12x"), PARSE_BAD, .status = 400 },
		{ "a sign", SLICE("-"), PARSE_BAD, .status = 400 },
		{ "a zero before the length", SLICE("01"), PARSE_BAD, .status = 400 },
		{ "more digits than any", SLICE("1234567890"), PARSE_BAD, .status = 400 },
		{ "the most digits", SLICE("999999999:"), PARSE_MORE, .left = 10 },
		{ "a length that is too small", SLICE("3:A\0b\0,"), PARSE_BAD, .status = 400,
		  .early = true },
		{ "a length that is too large", SLICE("5:A\0b\0,,x"), PARSE_BAD, .status = 400,
		  .early = true },
		{ "empty", SLICE("0:,"), PARSE_BAD, .status = 400 },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

static void test_headers_that_are_refused(void **unused)
{
	struct writer w = { .n = 0 };
	const struct parse_case cases[] = {
		{ "the last value does not end",
		  SLICE("24:CONTENT_LENGTH\0"
			"0\0SCGI\0"
			"1x,"),
		  PARSE_BAD, .status = 400 },
		{ "a name without a value", SCGI(LENGTH("0") VERSION "A\0", ""), PARSE_BAD,
		  .status = 400 },
		{ "no name", SCGI(LENGTH("0") VERSION "\0b\0", ""), PARSE_BAD, .status = 400 },
		{ "a zero in a value", SCGI(LENGTH("0") VERSION "A\0b\0c\0", ""), PARSE_BAD,
		  .status = 400 },
		{ "no SCGI", SCGI(LENGTH("0") "A\0b\0", ""), PARSE_BAD, .status = 400 },
		{ "another SCGI",
		  SCGI(LENGTH("0") "SCGI\0"
				   "2\0",
		       ""),
		  PARSE_BAD, .status = 400 },
		{ "an empty SCGI", SCGI(LENGTH("0") "SCGI\0\0", ""), PARSE_BAD, .status = 400 },
		{ "no CONTENT_LENGTH", SCGI(VERSION, ""), PARSE_BAD, .status = 400 },
		{ "CONTENT_LENGTH is not the first", SCGI(VERSION LENGTH("0"), ""), PARSE_BAD,
		  .status = 400 },
		{ "two lengths", SCGI(LENGTH("1") VERSION LENGTH("2"), ""), PARSE_BAD,
		  .status = 400 },
		{ "a length and none", SCGI(LENGTH("1") VERSION LENGTH(""), ""), PARSE_BAD,
		  .status = 400 },
		{ "over limit-post", SCGI(LENGTH("1048577") VERSION, ""), PARSE_BAD,
		  .status = 413 },
		{ "far over limit-post", SCGI(LENGTH("999999999999999999") VERSION, ""), PARSE_BAD,
		  .status = 413 },
	};

	(void)unused;
	run(cases, COUNT(cases));
}

static void test_a_content_length_that_is_none(void **unused)
{
	static const char *const bad[] = { "",   "-1",  "+1",  " 1",  "1 ",
					   "1x", "0x1", "1,1", "1\r", "9999999999999999999" };

	(void)unused;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct writer w = { .n = 0 };
		char headers[64];
		int n = snprintf(headers, sizeof headers, "CONTENT_LENGTH%c%s%cSCGI%c1%c", 0,
				 bad[i], 0, 0, 0);
		const struct parse_case c = { bad[i],
					      whole(&w, (struct slice){ headers, (size_t)n }, NONE),
					      PARSE_BAD, .status = 400 };

		run(&c, 1);
	}
}

/* The log is where somebody looks who has pointed a web server at the wrong socket. */
static void test_other_protocols(void **unused)
{
	static const struct {
		struct parse_case in;
		const char *begins;
	} cases[] = {
		{ { "HTTP", SLICE("G"), PARSE_BAD, .status = 400 }, "HTTP spoken to an SCGI" },
		{ { "uwsgi", SLICE("\0"), PARSE_BAD, .status = 400 }, "a uwsgi packet on an SCGI" },
		{ { "FastCGI", SLICE("\1"), PARSE_BAD, .status = 400 }, "FastCGI spoken to an" },
		{ { "TLS", SLICE("\x16"), PARSE_BAD, .status = 400 }, "TLS spoken to an SCGI" },
		{ { "others", SLICE("\xff"), PARSE_BAD, .status = 400 }, "this is not SCGI" },
		{ { "no version",
		    SLICE("17:CONTENT_LENGTH\0"
			  "0\0,"),
		    PARSE_BAD, .status = 400 },
		  "the SCGI headers lack SCGI" },
		{ { "no headers", SLICE("0:,"), PARSE_BAD, .status = 400 },
		  "the SCGI headers lack CONTENT_LENGTH" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct feed f;

		run(&cases[i].in, 1);
		feed_open(&f, uwsgi_plugin.protocol, cases[i].in.in);
		assert_int_equal(feed_parse(&f, cases[i].in.in.n), PARSE_BAD);
		if (strncmp(f.rq.reject_why, cases[i].begins, strlen(cases[i].begins)))
			fail_msg("'%s', expected '%s'", f.rq.reject_why, cases[i].begins);
		feed_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_and_bodies),
		cmocka_unit_test(test_the_path),
		cmocka_unit_test(test_netstrings_that_are_none),
		cmocka_unit_test(test_headers_that_are_refused),
		cmocka_unit_test(test_a_content_length_that_is_none),
		cmocka_unit_test(test_other_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
