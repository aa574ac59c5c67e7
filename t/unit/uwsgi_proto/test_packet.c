/* SPDX-License-Identifier: MIT */
/* test_packet.c: what a uwsgi socket makes of what it is sent, in every portion it may come in. */
#include "cases.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ENDED SLICE("")

struct writer {
	char bytes[8192];
	size_t n;
};

static void add_string(struct writer *w, const char *p, size_t n)
{
	w->bytes[w->n++] = (char)n;
	w->bytes[w->n++] = (char)(n >> 8);
	memcpy(w->bytes + w->n, p, n);
	w->n += n;
}

/* A packet of variables, written as lines NAME=value, and what comes behind it. */
static struct slice packet(struct writer *w, uint8_t modifier1, const char *vars, struct slice rest)
{
	size_t begin = w->n;

	w->n += 4;
	while (*vars) {
		size_t n = strcspn(vars, "\n"), name = strcspn(vars, "=");

		add_string(w, vars, name);
		add_string(w, vars + name + 1, n - name - 1);
		vars += n + (vars[n] == '\n');
	}
	size_t size = w->n - begin - 4;
	memcpy(w->bytes + begin, (char[]){ (char)modifier1, (char)size, (char)(size >> 8), 0 }, 4);
	memcpy(w->bytes + w->n, rest.p, rest.n);
	w->n += rest.n;
	return (struct slice){ w->bytes + begin, w->n - begin };
}

static void test_variables_and_bodies(void **unused)
{
	struct writer w = { .n = 0 };
	const struct parse_case cases[] = {
		{ "an empty packet", packet(&w, 0, "", ENDED), PARSE_DONE,
		  .vars = "!REQUEST_METHOD" },
		{ "bytes behind a packet without a body", packet(&w, 0, "A=1", SLICE("xyz")),
		  PARSE_DONE, .vars = "A=1", .left = 3 },
		{ "variables",
		  packet(&w, 0, "REQUEST_METHOD=GET\nPATH_INFO=/a\nEMPTY=\nA==\n", ENDED),
		  PARSE_DONE, .vars = "REQUEST_METHOD=GET\nPATH_INFO=/a\nEMPTY=\nA==" },
		{ "a variable twice: the last one", packet(&w, 0, "A=1\nA=2", ENDED), PARSE_DONE,
		  .vars = "A=2" },
		{ "a body", packet(&w, 0, "CONTENT_LENGTH=5", SLICE("he\0lo")), PARSE_DONE,
		  .vars = "CONTENT_LENGTH=5", .body = SLICE("he\0lo") },
		{ "bytes behind a body", packet(&w, 0, "CONTENT_LENGTH=2", SLICE("hello")),
		  PARSE_DONE, .body = SLICE("he"), .left = 3 },
		{ "an empty CONTENT_LENGTH", packet(&w, 0, "CONTENT_LENGTH=", SLICE("x")),
		  PARSE_DONE, .left = 1 },
		{ "a CONTENT_LENGTH of 0", packet(&w, 0, "CONTENT_LENGTH=000", SLICE("x")),
		  PARSE_DONE, .left = 1 },
		{ "the same CONTENT_LENGTH twice",
		  packet(&w, 0, "CONTENT_LENGTH=1\nCONTENT_LENGTH=01", SLICE("x")), PARSE_DONE,
		  .body = SLICE("x") },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_a_content_length_that_is_none(void **unused)
{
	static const char *const bad[] = { "-1",  "+1",  " 1",  "1 ",
					   "1x",  "0x1", "1,1", "9999999999999999999",
					   "1\r", "one" };

	(void)unused;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct writer w = { .n = 0 };
		char vars[64];

		snprintf(vars, sizeof vars, "CONTENT_LENGTH=%s", bad[i]);
		const struct parse_case c = { bad[i], packet(&w, 0, vars, ENDED), PARSE_BAD,
					      .status = 400 };
		cases_run(&c, 1, uwsgi_plugin.protocol);
	}
	struct writer w = { .n = 0 };
	const struct parse_case cases[] = {
		{ "two lengths", packet(&w, 0, "CONTENT_LENGTH=1\nCONTENT_LENGTH=2", ENDED),
		  PARSE_BAD, .status = 400 },
		{ "a length and none", packet(&w, 0, "CONTENT_LENGTH=1\nCONTENT_LENGTH=", ENDED),
		  PARSE_BAD, .status = 400 },
		{ "over limit-post", packet(&w, 0, "CONTENT_LENGTH=1048577", ENDED), PARSE_BAD,
		  .status = 413 },
		{ "far over limit-post", packet(&w, 0, "CONTENT_LENGTH=999999999999999999", ENDED),
		  PARSE_BAD, .status = 413 },
	};
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_lengths_that_reach_past_the_end(void **unused)
{
	static const struct parse_case cases[] = {
		{ "half a length", SLICE("\0\x01\0\0\x01"), PARSE_BAD, .status = 400 },
		{ "a name past the end", SLICE("\0\x03\0\0\x02\0A"), PARSE_BAD, .status = 400 },
		{ "a name that is all there is", SLICE("\0\x03\0\0\x01\0A"), PARSE_BAD,
		  .status = 400 },
		{ "half a length of a value", SLICE("\0\x04\0\0\x01\0A\x01"), PARSE_BAD,
		  .status = 400 },
		{ "a value past the end", SLICE("\0\x06\0\0\x01\0A\x02\0B"), PARSE_BAD,
		  .status = 400 },
		{ "a value into the body", SLICE("\0\x06\0\0\x01\0A\x02\0BC"), PARSE_BAD,
		  .status = 400, .early = true },
		{ "the longest name",
		  SLICE("\0\x03\0\0\xff\xff"
			"A"),
		  PARSE_BAD, .status = 400 },
		{ "no name", SLICE("\0\x05\0\0\0\0\x01\0B"), PARSE_BAD, .status = 400 },
		{ "the size is little-endian", SLICE("\0\0\x01\0"), PARSE_MORE, .left = 4 },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_variables_that_would_load_code(void **unused)
{
	static const char *const forbidden[] = { "FILE",  "MODULE",   "SCRIPT",    "CALLABLE",
						 "HOME",  "PYHOME",   "CHDIR",     "SETENV",
						 "APPID", "POSTFILE", "CACHE_GET", "TOUCH_RELOAD" };

	(void)unused;
	for (size_t i = 0; i < COUNT(forbidden); i++) {
		struct writer w = { .n = 0 };
		char vars[64];

		snprintf(vars, sizeof vars, "UWSGI_%s=x", forbidden[i]);
		const struct parse_case c = { vars, packet(&w, 0, vars, ENDED), PARSE_BAD,
					      .status = 403 };
		cases_run(&c, 1, uwsgi_plugin.protocol);
	}
	struct writer w = { .n = 0 };
	const struct parse_case cases[] = {
		{ "others of that kind", packet(&w, 0, "UWSGI_SCHEME=https\nUWSGI_FILES=1", ENDED),
		  PARSE_DONE, .vars = "UWSGI_SCHEME=https\nUWSGI_FILES=1" },
		{ "the prefix alone", packet(&w, 0, "UWSGI_=1\nFILE=2", ENDED), PARSE_DONE,
		  .vars = "UWSGI_=1\nFILE=2" },
	};
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_modifiers(void **unused)
{
	struct writer w = { .n = 0 };
	const struct parse_case cases[] = {
		{ "30 takes SCRIPT_NAME off the path",
		  packet(&w, 30, "PATH_INFO=/app/a\nSCRIPT_NAME=/app", ENDED), PARSE_DONE,
		  .vars = "PATH_INFO=/a\nSCRIPT_NAME=/app" },
		{ "30, the path is the script",
		  packet(&w, 30, "SCRIPT_NAME=/app\nPATH_INFO=/app", ENDED), PARSE_DONE,
		  .vars = "PATH_INFO=\nSCRIPT_NAME=/app" },
		{ "30, the path is of something else",
		  packet(&w, 30, "SCRIPT_NAME=/app\nPATH_INFO=/b", ENDED), PARSE_DONE,
		  .vars = "PATH_INFO=/b\nSCRIPT_NAME=/app" },
		{ "30, the path only begins alike",
		  packet(&w, 30, "SCRIPT_NAME=/app\nPATH_INFO=/apple", ENDED), PARSE_DONE,
		  .vars = "PATH_INFO=/apple\nSCRIPT_NAME=/app" },
		{ "30 without a script", packet(&w, 30, "PATH_INFO=/b", ENDED), PARSE_DONE,
		  .vars = "PATH_INFO=/b\n!SCRIPT_NAME" },
		{ "30 with a body", packet(&w, 30, "PATH_INFO=/b\nCONTENT_LENGTH=1", SLICE("x")),
		  PARSE_DONE, .vars = "PATH_INFO=/b", .body = SLICE("x") },
		{ "0 leaves the path", packet(&w, 0, "PATH_INFO=/app/a\nSCRIPT_NAME=/app", ENDED),
		  PARSE_DONE, .vars = "PATH_INFO=/app/a\nSCRIPT_NAME=/app" },
		{ "another", SLICE("\x05\0\0\0"), PARSE_BAD, .status = 501 },
		{ "another, with variables", packet(&w, 31, "A=1", ENDED), PARSE_BAD, .status = 501,
		  .early = true },
		{ "a ping", SLICE("\x64\0\0\0"), PARSE_CLOSE, .said = SLICE("\x64\0\0\x01"),
		  .left = 4 },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_other_protocols(void **unused)
{
	static const struct parse_case cases[] = {
		{ "HTTP", SLICE("GET / HTTP/1.1\r\n\r\n"), PARSE_BAD, .status = 400,
		  .early = true },
		{ "HTTP, one more", SLICE("POST"), PARSE_BAD, .status = 400 },
		{ "HTTP, a short method", SLICE("PUT "), PARSE_BAD, .status = 400 },
		{ "HTTP/2", SLICE("PRI * HTTP/2.0"), PARSE_BAD, .status = 400, .early = true },
		{ "TLS", SLICE("\x16\x03\x01\x02"), PARSE_BAD, .status = 400 },
		{ "HTTP, an uncommon method", SLICE("TRAC"), PARSE_BAD, .status = 400 },
		{ "FastCGI", SLICE("\x01\x01\0\x01"), PARSE_BAD, .status = 400 },
		{ "a packet that is not quite FastCGI", SLICE("\x01\x01\x01\0"), PARSE_BAD,
		  .status = 501 },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

/* The log is where somebody looks who has pointed a web server at the wrong socket. */
static void test_a_refusal_says_what_it_is_about(void **unused)
{
	struct writer w = { .n = 0 };
	const struct {
		struct slice in;
		const char *begins;
	} cases[] = {
		{ SLICE("GET "), "HTTP spoken to a uwsgi socket" },
		{ SLICE("\x16\x03\x01\0"), "TLS spoken to a uwsgi socket" },
		{ SLICE("\x01\x01\0\x01"), "FastCGI spoken to a uwsgi socket" },
		{ packet(&w, 0, "A=1\nUWSGI_SETENV=PATH=/tmp", ENDED), "UWSGI_SETENV is refused" },
		{ packet(&w, 0, "UWSGI_FILE=/tmp/a.py\nUWSGI_HOME=/", ENDED),
		  "UWSGI_FILE is refused" },
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
		cmocka_unit_test(test_variables_and_bodies),
		cmocka_unit_test(test_a_content_length_that_is_none),
		cmocka_unit_test(test_lengths_that_reach_past_the_end),
		cmocka_unit_test(test_variables_that_would_load_code),
		cmocka_unit_test(test_modifiers),
		cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_a_refusal_says_what_it_is_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
