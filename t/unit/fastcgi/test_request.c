/* SPDX-License-Identifier: MIT */
/* test_request.c: what a FastCGI socket makes of the records it is sent, in every portion they
 * may come in. */
#include "cases.h"

#include "records.h"

#define END_OF_1(status)                                                                           \
	"\1\3\0\1\0\x08\0\0"                                                                       \
	"\0\0\0\0" status "\0\0\0"
#define END_OF_2(status)                                                                           \
	"\1\3\0\2\0\x08\0\0"                                                                       \
	"\0\0\0\0" status "\0\0\0"
#define UNKNOWN(type) "\1\x0b\0\0\0\x08\0\0" type "\0\0\0\0\0\0\0"

static void test_parameters_and_bodies(void **unused)
{
	struct records r = { .n = 0 };
	const struct parse_case cases[] = {
		{ "no parameters", RECORDS(&r, BEGIN(1, ONCE), PARAMS(1, ""), STDIN(1, "")),
		  PARSE_DONE, .vars = "!REQUEST_METHOD" },
		{ "parameters",
		  RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "REQUEST_METHOD=GET\nPATH_INFO=/a\nEMPTY="),
			  PARAMS(1, ""), STDIN(1, "")),
		  PARSE_DONE, .vars = "REQUEST_METHOD=GET\nPATH_INFO=/a\nEMPTY=" },
		{ "a large id",
		  RECORDS(&r, BEGIN(0xfffe, ONCE), PAIRS(0xfffe, "A=1"), PARAMS(0xfffe, ""),
			  STDIN(0xfffe, "")),
		  PARSE_DONE, .vars = "A=1" },
		{ "parameters in several records",
		  RECORDS(&r, BEGIN(1, ONCE), PAIRS(1, "A=1\nB=2"), PAIRS(1, "C=3"), PARAMS(1, ""),
			  STDIN(1, "")),
		  PARSE_DONE, .vars = "A=1\nB=2\nC=3" },
		{ "cut in a length, a name and a value",
		  RECORDS(&r, BEGIN(1, ONCE), PARAMS(1, "\1"), PARAMS(1, "\1A1\2\x80\0"),
			  PARAMS(1, "\0\1N"), PARAMS(1, "N2\1\3Vab"), PARAMS(1, "c"), PARAMS(1, ""),
			  STDIN(1, "")),
		  PARSE_DONE, .vars = "A=1\nNN=2\nV=abc" },
		{ "lengths of four bytes",
		  RECORDS(&r, BEGIN(1, ONCE), PARAMS(1, "\x80\0\0\1\x80\0\0\2Axy\1\x80\0\0\0B"),
			  PARAMS(1, ""), STDIN(1, "")),
		  PARSE_DONE, .vars = "A=xy\nB=" },
		{ "a pair without a name",
		  RECORDS(&r, BEGIN(1, ONCE), PARAMS(1, "\0\1x\1\1A1"), PARAMS(1, ""),
			  STDIN(1, "")),
		  PARSE_DONE, .vars = "A=1\n!" },
		{ "a body",
		  RECORDS(&r, BEGIN(1, ONCE), PAIRS(1, "CONTENT_LENGTH=5"), PARAMS(1, ""),
			  STDIN(1, "he\0lo"), STDIN(1, "")),
		  PARSE_DONE, .body = SLICE("he\0lo") },
		{ "a body in several records",
		  RECORDS(&r, BEGIN(1, ONCE), PAIRS(1, "CONTENT_LENGTH=5"), PARAMS(1, ""),
			  STDIN(1, "h"), STDIN(1, "el"), STDIN(1, "lo"), STDIN(1, "")),
		  PARSE_DONE, .body = SLICE("hello") },
		{ "a body without a declared length",
		  RECORDS(&r, BEGIN(1, ONCE), PAIRS(1, "CONTENT_LENGTH="), PARAMS(1, ""),
			  STDIN(1, "hel"), STDIN(1, "lo"), STDIN(1, "")),
		  PARSE_DONE, .body = SLICE("hello") },
		{ "padding",
		  RECORDS(&r, { RECORD_BEGIN_REQUEST, 1, SLICE("\0\1\0\0\0\0\0\0"), 0, 3 },
			  { RECORD_PARAMS, 1, { 0 }, "A=1", 5 }, { RECORD_PARAMS, 1, { 0 }, 0, 7 },
			  { RECORD_STDIN, 1, SLICE("hello"), 0, 255 },
			  { RECORD_STDIN, 1, { 0 }, 0, 8 }),
		  PARSE_DONE, .vars = "A=1", .body = SLICE("hello") },
		{ "the next request behind it",
		  RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "A=1"), PARAMS(1, ""), STDIN(1, ""),
			  BEGIN(1, KEEP)),
		  PARSE_DONE, .vars = "A=1", .left = 16 },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_the_path(void **unused)
{
	struct records r = { .n = 0 };
	const struct parse_case cases[] = {
		{ "SCRIPT_NAME alone is the path",
		  RECORDS(&r, BEGIN(1, ONCE), PAIRS(1, "SCRIPT_NAME=/a"), PARAMS(1, ""),
			  STDIN(1, "")),
		  PARSE_DONE, .vars = "PATH_INFO=/a\nSCRIPT_NAME=" },
		{ "beside PATH_INFO it is what it says",
		  RECORDS(&r, BEGIN(1, ONCE), PAIRS(1, "SCRIPT_NAME=/a\nPATH_INFO="), PARAMS(1, ""),
			  STDIN(1, "")),
		  PARSE_DONE, .vars = "PATH_INFO=\nSCRIPT_NAME=/a" },
		{ "neither",
		  RECORDS(&r, BEGIN(1, ONCE), PAIRS(1, "A=1"), PARAMS(1, ""), STDIN(1, "")),
		  PARSE_DONE, .vars = "!PATH_INFO\n!SCRIPT_NAME" },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_parameters_that_are_refused(void **unused)
{
	static const struct {
		const char *name;
		struct slice params;
		int status;
	} bad[] = {
		{ "half a pair", SLICE("\1"), 400 },
		{ "a name past the end", SLICE("\2\0A"), 400 },
		{ "a value past the end", SLICE("\1\2Ab"), 400 },
		{ "a length that is cut off", SLICE("\1\x80\0\0"), 400 },
		{ "the largest length", SLICE("\xff\xff\xff\xff\1A"), 400 },
		{ "two large lengths",
		  SLICE("\xff\xff\xff\xff\xff\xff\xff\xff"
			"A"),
		  400 },
		{ "CONTENT_LENGTH -1", SLICE("\x0e\2CONTENT_LENGTH-1"), 400 },
		{ "CONTENT_LENGTH 1x", SLICE("\x0e\2CONTENT_LENGTH1x"), 400 },
		{ "CONTENT_LENGTH of 19 digits",
		  SLICE("\x0e\x13"
			"CONTENT_LENGTH1000000000000000000"),
		  400 },
		{ "CONTENT_LENGTH 1 and 2", SLICE("\x0e\1CONTENT_LENGTH1\x0e\1CONTENT_LENGTH2"),
		  400 },
		{ "over limit-post", SLICE("\x0e\7CONTENT_LENGTH1048577"), 413 },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct records r = { .n = 0 };
		const struct parse_case c = {
			bad[i].name,
			RECORDS(&r, BEGIN(1, KEEP),
				{ .type = RECORD_PARAMS, .id = 1, .content = bad[i].params },
				PARAMS(1, "")),
			PARSE_BAD,
			.status = bad[i].status,
		};
		cases_run(&c, 1, uwsgi_plugin.protocol);
	}
}

static void test_the_length_of_a_body(void **unused)
{
	struct records r = { .n = 0 };
	const struct parse_case cases[] = {
		{ "shorter",
		  RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "CONTENT_LENGTH=5"), PARAMS(1, ""),
			  STDIN(1, "hell"), STDIN(1, "")),
		  PARSE_BAD, .status = 400 },
		{ "none",
		  RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "CONTENT_LENGTH=5"), PARAMS(1, ""),
			  STDIN(1, "")),
		  PARSE_BAD, .status = 400 },
		{ "longer",
		  RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "CONTENT_LENGTH=5"), PARAMS(1, ""),
			  STDIN(1, "hello!")),
		  PARSE_BAD, .status = 400 },
		{ "longer by a record",
		  RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "CONTENT_LENGTH=5"), PARAMS(1, ""),
			  STDIN(1, "hello"), STDIN(1, "!")),
		  PARSE_BAD, .status = 400 },
		{ "one where there is none",
		  RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "CONTENT_LENGTH=0"), PARAMS(1, ""),
			  STDIN(1, "!")),
		  PARSE_BAD, .status = 400 },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_requests_that_are_given_up(void **unused)
{
	struct records r = { .n = 0 };
	const struct parse_case cases[] = {
		{ "in the head", RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "A=1"), ABORT(1)),
		  PARSE_AGAIN, .said = SLICE(END_OF_1("\0")) },
		{ "in the head, not kept", RECORDS(&r, BEGIN(1, ONCE), PAIRS(1, "A=1"), ABORT(1)),
		  PARSE_CLOSE, .said = SLICE(END_OF_1("\0")) },
		{ "in the body",
		  RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "CONTENT_LENGTH=5"), PARAMS(1, ""),
			  STDIN(1, "hel"), ABORT(1), BEGIN(1, KEEP)),
		  PARSE_AGAIN, .said = SLICE(END_OF_1("\0")), .left = 16 },
		{ "in the body, not kept", RECORDS(&r, BEGIN(1, ONCE), PARAMS(1, ""), ABORT(1)),
		  PARSE_CLOSE, .said = SLICE(END_OF_1("\0")) },
		{ "one that never was",
		  RECORDS(&r, ABORT(1), BEGIN(2, ONCE), ABORT(1), PAIRS(2, "A=1"), PARAMS(2, ""),
			  ABORT(1), STDIN(2, "")),
		  PARSE_DONE, .vars = "A=1" },
		{ "an unknown role",
		  RECORDS(&r, { RECORD_BEGIN_REQUEST, 1, SLICE("\0\2\1\0\0\0\0\0"), 0, 0 }),
		  PARSE_AGAIN, .said = SLICE(END_OF_1("\3")) },
		{ "a role above 255, not kept",
		  RECORDS(&r, { RECORD_BEGIN_REQUEST, 1, SLICE("\1\1\0\0\0\0\0\0"), 0, 0 }),
		  PARSE_CLOSE, .said = SLICE(END_OF_1("\3")) },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_a_second_request_at_the_same_time(void **unused)
{
	struct records r = { .n = 0 };
	const struct parse_case cases[] = {
		{ "in the head",
		  RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "A=1"), BEGIN(2, KEEP), PAIRS(2, "A=2"),
			  PARAMS(2, ""), PAIRS(1, "B=1"), PARAMS(1, ""), STDIN(2, "no"),
			  STDIN(1, "")),
		  PARSE_DONE, .vars = "A=1\nB=1", .said = SLICE(END_OF_2("\1")) },
		{ "in the body",
		  RECORDS(&r, BEGIN(1, KEEP), PAIRS(1, "A=1"), PARAMS(1, ""), STDIN(1, "he"),
			  BEGIN(2, KEEP), PAIRS(2, "A=2"), STDIN(2, "no"), STDIN(2, ""),
			  STDIN(1, "llo"), STDIN(1, "")),
		  PARSE_DONE, .vars = "A=1", .body = SLICE("hello"),
		  .said = SLICE(END_OF_2("\1")) },
		{ "with the same id, in the head", RECORDS(&r, BEGIN(1, KEEP), BEGIN(1, KEEP)),
		  PARSE_BAD, .status = 400 },
		{ "with the same id, in the body",
		  RECORDS(&r, BEGIN(1, KEEP), PARAMS(1, ""), RAW("\1\1\0\1\0\x08\0\0")), PARSE_BAD,
		  .status = 400 },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_management_records(void **unused)
{
	struct records r = { .n = 0 };
	const struct parse_case cases[] = {
		{ "values",
		  RECORDS(&r, { .type = RECORD_GET_VALUES,
				.pairs = "FCGI_MPXS_CONNS=\nFCGI_OTHER=\nFCGI_MAX_REQS=" }),
		  PARSE_MORE,
		  .said = SLICE("\1\x0a\0\0\0\x25\0\0\x0f\1FCGI_MPXS_CONNS0"
				"\x0d\4FCGI_MAX_REQS1024"),
		  .early = true },
		{ "no values", RECORDS(&r, { .type = RECORD_GET_VALUES }), PARSE_MORE,
		  .said = SLICE("\1\x0a\0\0\0\0\0\0") },
		{ "malformed values",
		  RECORDS(&r, { .type = RECORD_GET_VALUES, .content = SLICE("\1") }), PARSE_MORE,
		  .said = SLICE("\1\x0a\0\0\0\0\0\0") },
		{ "an unknown type, around a request",
		  RECORDS(&r, { .type = 12, .content = SLICE("x"), .padding = 7 }, BEGIN(1, ONCE),
			  { .type = 255 }, PAIRS(1, "A=1"), PARAMS(1, ""),
			  { .type = 99, .content = SLICE("xyz"), .padding = 5 }, STDIN(1, "hello"),
			  STDIN(1, "")),
		  PARSE_DONE, .vars = "A=1", .body = SLICE("hello"),
		  .said = SLICE(UNKNOWN("\x0c") UNKNOWN("\xff") UNKNOWN("\x63")) },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_records_that_do_not_belong_here(void **unused)
{
	struct records r = { .n = 0 };
	const struct parse_case cases[] = {
		{ "another version", SLICE("\2"), PARSE_BAD, .status = 400 },
		{ "another version, in the head", RECORDS(&r, BEGIN(1, KEEP), RAW("\2")), PARSE_BAD,
		  .status = 400 },
		{ "another version, in the body",
		  RECORDS(&r, BEGIN(1, KEEP), PARAMS(1, ""), RAW("\2\5\0\1\0\0\0\0")), PARSE_BAD,
		  .status = 400 },
		{ "a body before the parameters end", RECORDS(&r, BEGIN(1, KEEP), STDIN(1, "x")),
		  PARSE_BAD, .status = 400 },
		{ "parameters after their end",
		  RECORDS(&r, BEGIN(1, KEEP), PARAMS(1, ""), RAW("\1\4\0\1\0\0\0\0")), PARSE_BAD,
		  .status = 400 },
		{ "a short beginning",
		  RECORDS(&r, { RECORD_BEGIN_REQUEST, 1, SLICE("\0\1\0"), 0, 0 }), PARSE_BAD,
		  .status = 400 },
		{ "an answer, in the head",
		  RECORDS(&r, BEGIN(1, KEEP), { .type = RECORD_STDOUT, .id = 1 }), PARSE_BAD,
		  .status = 400 },
		{ "HTTP", SLICE("GET / HTTP/1.1\r\n\r\n"), PARSE_BAD, .status = 400,
		  .early = true },
		{ "a uwsgi packet", SLICE("\0\0\0\0"), PARSE_BAD, .status = 400, .early = true },
		{ "TLS", SLICE("\x16"), PARSE_BAD, .status = 400 },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

/* A byte that is out of step in the middle of a request is no other protocol. */
static void test_only_the_first_bytes_name_another_protocol(void **unused)
{
	struct records r = { .n = 0 };
	const struct {
		struct slice in;
		const char *begins;
	} cases[] = {
		{ SLICE("GET / HTTP/1.1\r\n"), "HTTP spoken to a FastCGI socket" },
		{ SLICE("\x16\x03\x01"), "TLS spoken to a FastCGI socket" },
		{ SLICE("\0\x1b\0\0"), "a uwsgi packet on a FastCGI socket" },
		{ SLICE("?"), "this is not FastCGI" },
		{ RECORDS(&r, BEGIN(1, KEEP), RAW("\0")), "a FastCGI record of another version" },
		{ RECORDS(&r, { .type = 99 }, RAW("GET ")), "a FastCGI record of another version" },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct feed f;

		feed_open(&f, uwsgi_plugin.protocol, cases[i].in);
		assert_int_equal(feed_parse(&f, cases[i].in.n), PARSE_BAD);
		if (strncmp(f.rq.reject_why, cases[i].begins, strlen(cases[i].begins)))
			fail_msg("'%s', expected '%s'", f.rq.reject_why, cases[i].begins);
		feed_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters_and_bodies),
		cmocka_unit_test(test_the_path),
		cmocka_unit_test(test_parameters_that_are_refused),
		cmocka_unit_test(test_the_length_of_a_body),
		cmocka_unit_test(test_requests_that_are_given_up),
		cmocka_unit_test(test_a_second_request_at_the_same_time),
		cmocka_unit_test(test_management_records),
		cmocka_unit_test(test_records_that_do_not_belong_here),
		cmocka_unit_test(test_only_the_first_bytes_name_another_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
