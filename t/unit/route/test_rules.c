/* SPDX-License-Identifier: MIT */
/* test_rules.c: rules that are refused, with the reason; values; and what one rule makes of a request. */
#include "unit.h"

#include "route.h"

#include "exchange/request.h"

#include <string.h>

static const struct {
	const char *option, *rule, *reason; /* NULL: it is one */
} cases[] = {
	{ "route", "^/x last:", NULL },
	{ "route", "^/x  last", NULL },
	{ "route-if", "eq:a;b break:", NULL },
	{ "route-run", "return:404 Not There", NULL },
	{ "route-run", "addheader:X-A: b: c; d", NULL },
	{ "route-run", "log:$ $x 5$", NULL },
	{ "error-route-status", "404 log:x", NULL },
	{ "route", "", "expected EXPRESSION ACTION" },
	{ "route", "^/x", "expected EXPRESSION ACTION" },
	{ "route", "^/x ", "expected EXPRESSION ACTION" },
	{ "route", "( last:", "missing closing parenthesis" },
	{ "route-if", "eq:a last:", "expected eq:TEXT;TEXT" },
	{ "route-if", "isfile last:", "expected isfile:TEXT" },
	{ "route-if", "isfil:a last:", "did you mean \"isfile\"?" },
	{ "route-if", "regexp:a;( last:", "missing closing parenthesis" },
	{ "error-route-status", "4x4 log:x", "such as 404" },
	{ "route-run", "", "there is no action" },
	{ "route-run", "redirekt:/x", "did you mean \"redirect\"?" },
	{ "route-run", "rpc:x", "the action rpc of uWSGI is not supported" },
	{ "route-run", "return:", "expected return:STATUS" },
	{ "route-run", "return:99", "expected return:STATUS" },
	{ "route-run", "break:404x", "expected break:STATUS" },
	{ "route-run", "goto:", "expected goto:LABEL" },
	{ "route-run", "addvar:X", "expected addvar:NAME=VALUE" },
	{ "route-run", "addheader:X", "expected addheader:NAME: VALUE" },
	{ "route-run", "addheader:X Y: z", "expected the name of a header" },
	{ "route-run", "addheader:content-length: 3", "is the server's" },
	{ "route-run", "remheader:Transfer-Encoding", "is the server's" },
	{ "route-run", "log:${X", "without a name" },
	{ "route-run", "log:${}", "without a name" },
	{ "route-run", "log:${mime[PATH_INFO]}", "of uWSGI is not supported; files of static-map" },
	{ "route-run", "log:${nope[x]}", "there is cookie" },
	{ "route-run", "log:${time[year]}", "is one of: unix micros" },
	{ "route-run", "static:/srv/a/$1/${PATH_INFO}", NULL },
	{ "route-run", "static:page.html", NULL },
	{ "route-run", "static:", "expected static:FILE" },
	{ "route-run", "static:$1", "expected static:FILE" },
	{ "route-run", "static://$1", "expected static:FILE" },
	{ "route-run", "static:page-$1", "expected static:FILE" },
	{ "route-run", "harakiri:30", NULL },
	{ "route-run", "harakiri:", "expected harakiri:SECONDS" },
	{ "route-run", "harakiri:1h", "expected harakiri:SECONDS" },
	{ "route-run", "harakiri:1000000000", "expected harakiri:SECONDS" },
	{ "route-run", "log:${uwsgi[rsize]}", "is one of: wid pid uuid" },
	{ "route-run", "wait-for-fs:/x", "the action wait-for-fs of uWSGI is not supported" },
	{ "route-run", "basicauth:Zone", "expected basicauth:REALM" },
	{ "route-run", "basicauth:Zo\"ne,a:b", "has no quotes" },
	{ "route-run", "basicauth:Zo\x1ane,a:b", "control characters" },
	{ "route-run", "addheader:X-$1: x", "no variable in a name" },
	{ "route-run", "remheader:X-$1", "expected the name of a header" },
	{ "route-run", "addvar:${qs[a]}=x", "no variable in a name" },
	{ "route-run", "basicauth:Zone,a:b,c", "expected USER:PASSWORD, not c" },
};

static void test_mistakes(void **unused)
{
	enum chain_id chain;
	struct rule r;
	struct error e;

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct rule_kind *kind = rule_kind_find(cases[i].option, &chain);

		assert_non_null(kind);
		*e.text = 0;
		int result = rule_parse(&r, kind, cases[i].rule, &e);

		if (result != (cases[i].reason ? -1 : 0) ||
		    (cases[i].reason && !strstr(e.text, cases[i].reason)))
			fail_msg("%s = %s: %d %s", cases[i].option, cases[i].rule, result, e.text);
		rule_fini(&r);
	}
	assert_null(rule_kind_find("route-", &chain));
	assert_null(rule_kind_find("routes", &chain));
	assert_null(rule_kind_find("other-route", &chain));
}

/* ---- judging takes no memory ---- */

#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
#define COUNTS_ALLOCATIONS 1
static size_t allocations;

void *__libc_malloc(size_t);
void *malloc(size_t n);

/* In the place of the C library's, for all libraries of this program. */
void *malloc(size_t n)
{
	allocations++;
	return __libc_malloc(n);
}
#else
#define COUNTS_ALLOCATIONS 0
static size_t allocations = 0;
#endif

static const struct {
	const char *option, *rule;
} judged[] = {
	{ "route", "^/(\\w+)/(.*)$ addvar:A=$1-$2" },
	{ "route", "(*NO_JIT)^/(\\w+)/(.*)$ addvar:B=$1-$2" },
	{ "route-host", "^www\\. return:403" },
	{ "route-if", "regexp:${lower[PATH_INFO]};^/(a) addheader:X-A: ${A}" },
	{ "route-if-not", "startswith:${PATH_INFO};/a return:404" },
	{ "route-run", "rewrite:/to/$1?a=${base64[A]}" },
};
enum { JUDGED = sizeof judged / sizeof *judged };

static void judge_all(const struct chain *chain)
{
	static const struct request_limits limits;
	struct request rq;
	struct visit v = { .rq = &rq };
	enum { TURNS = 3 };

	request_init(&rq, &limits);
	for (int i = 0; i < TURNS; i++) {
		v = (struct visit){ .rq = &rq, .last_change = &v.changes };
		uwsgi_request_var(&rq, SLICE("PATH_INFO"), SLICE("/a/b"));
		uwsgi_request_var(&rq, SLICE("HTTP_HOST"), SLICE("example"));
		/* The first one has the buffers grow that all requests of a connection share. */
		size_t before = allocations;

		assert_int_equal(chain_judge(chain, &v), TO_APPLICATION);
		if (i > 0 && COUNTS_ALLOCATIONS)
			assert_int_equal(allocations, before);
		assert_true(
			uwsgi_same(uwsgi_request_find(&rq, SLICE("PATH_INFO")), SLICE("/to/a")));
		assert_true(uwsgi_same(uwsgi_request_find(&rq, SLICE("B")), SLICE("a-b")));
		request_reset(&rq);
	}
	request_fini(&rq);
}

static void test_judging_takes_no_memory(void **unused)
{
	struct rule rules[JUDGED];
	const struct chain chain = { rules, JUDGED };
	enum chain_id id;
	struct error e;

	(void)unused;
	for (size_t i = 0; i < JUDGED; i++)
		assert_int_equal(rule_parse(&rules[i], rule_kind_find(judged[i].option, &id),
					    judged[i].rule, &e),
				 0);
	judge_all(&chain);
	for (size_t i = 0; i < JUDGED; i++)
		rule_fini(&rules[i]);
}

static void expect(struct visit *v, const char *text, const char *expected)
{
	struct value value;
	struct error e;

	assert_int_equal(value_parse(&value, (struct slice){ text, strlen(text) }, &e), 0);
	struct slice s = value_of(&value, v);

	assert_non_null(s.p);
	if (!uwsgi_same(s, (struct slice){ expected, strlen(expected) }))
		fail_msg("%s: %.*s", text, (int)s.n, s.p);
	value_fini(&value);
}

static void test_values(void **unused)
{
	static const struct request_limits limits;
	struct request rq;
	struct visit v = { .rq = &rq, .status = 404 };

	(void)unused;
	request_init(&rq, &limits);
	uwsgi_request_var(&rq, SLICE("NAME"), SLICE("Val-1"));
	uwsgi_request_var(&rq, SLICE("EMPTY"), SLICE(""));
	uwsgi_request_var(&rq, SLICE("ONE"), SLICE("\xff"));
	uwsgi_request_var(&rq, SLICE("TWO"), SLICE("\0\1"));
	uwsgi_request_var(&rq, SLICE("SIX"), SLICE("sixsix"));
	uwsgi_request_var(&rq, SLICE("HTTP_COOKIE"), SLICE("aa=1;a=2; b=x=y; c"));
	uwsgi_request_var(&rq, SLICE("QUERY_STRING"), SLICE("aa=1&a=&b"));
	v.groups[1] = SLICE("one");
	expect(&v, "", "");
	expect(&v, "text", "text");
	expect(&v, "$1|$2|$", "one||$");
	expect(&v, "$$1", "$one");
	expect(&v, "${NAME}${EMPTY}${NOPE}", "Val-1");
	expect(&v, "${EMPTY}", "");
	expect(&v, "${lower[NAME]}${upper[NAME]}${hex[NAME]}", "val-1VAL-156616c2d31");
	expect(&v, "${base64[NAME]} ${base64[ONE]} ${base64[TWO]} ${base64[SIX]}${base64[EMPTY]}",
	       "VmFsLTE= /w== AAE= c2l4c2l4");
	expect(&v, "${cookie[a]}|${cookie[b]}|${cookie[c]}|${cookie[d]}", "2|x=y||");
	expect(&v, "${qs[aa]}|${qs[a]}|${qs[b]}", "1||");
	expect(&v, "${uwsgi[status]}", "404");
	request_fini(&rq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_judging_takes_no_memory),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
