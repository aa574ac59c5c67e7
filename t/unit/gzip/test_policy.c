/* SPDX-License-Identifier: MIT */
/* test_policy.c: which answers are compressed, and for whom. */
#include "unit.h"

#include "gzip.h"

static const char *const usual_types[] = { "text/* *+json\tapplication/json", "image/svg+xml" };
static const struct gzip_settings usual = {
	.types = { usual_types, 2 }, .min_length = 100, .max_length = 1000, .on = true
};

enum { EMPTY = -2 };

/* What a case does not say. */
static struct answer complete(struct answer a)
{
	if (!a.status)
		a.status = 200;
	a.length = a.length == EMPTY ? 0 : a.length ? a.length : 500;
	if (!a.type.p)
		a.type = SLICE("text/plain");
	if (!a.accepts.p)
		a.accepts = SLICE("gzip");
	return a;
}

static void test_what_is_compressed(void **unused)
{
	static const struct {
		const char *name;
		struct answer answer;
		enum policy policy;
	} cases[] = {
		{ "plain", { .status = 200 }, COMPRESS },
		{ "length unknown", { .length = -1 }, COMPRESS },
		{ "an error", { .status = 500 }, COMPRESS },
		{ "nobody accepts", { .accepts = SLICE("") }, VARY },
		{ "another coding", { .accepts = SLICE("br, gzip;q=0") }, VARY },
		{ "anything", { .accepts = SLICE("*") }, COMPRESS },
		{ "rather not", { .accepts = SLICE("gzip;q=0.5, identity") }, VARY },
		{ "rather", { .accepts = SLICE("gzip, identity;q=0.5") }, COMPRESS },
		{ "short", { .length = 99 }, LEAVE },
		{ "long enough", { .length = 100 }, COMPRESS },
		{ "the longest", { .length = 1000 }, COMPRESS },
		{ "too long", { .length = 1001 }, LEAVE },
		{ "empty", { .length = EMPTY, .asked = SLICE("gzip") }, LEAVE },
		{ "a picture", { .type = SLICE("image/png") }, LEAVE },
		{ "no type", { .type = SLICE("") }, LEAVE },
		{ "a parameter", { .type = SLICE("Text/HTML; charset=x") }, COMPRESS },
		{ "an ending", { .type = SLICE("application/ld+json") }, COMPRESS },
		{ "a second value", { .type = SLICE("image/svg+xml;x") }, COMPRESS },
		{ "a longer name", { .type = SLICE("application/jsonp") }, LEAVE },
		{ "asked for",
		  { .type = SLICE("image/png"), .length = 1, .asked = SLICE("GZIP") },
		  COMPRESS },
		{ "asked for, too long", { .length = 1001, .asked = SLICE("gzip") }, LEAVE },
		{ "asked for something else", { .length = 1, .asked = SLICE("br") }, LEAVE },
		{ "compressed", { .encoding = SLICE("br") }, LEAVE },
		{ "asked for and compressed",
		  { .encoding = SLICE("gzip"), .asked = SLICE("gzip") },
		  LEAVE },
		{ "100", { .status = 100 }, LEAVE },
		{ "204", { .status = 204 }, LEAVE },
		{ "206", { .status = 206 }, LEAVE },
		{ "304", { .status = 304 }, LEAVE },
		{ "a range or a digest", { .is_exact = true }, LEAVE },
		{ "X-Sendfile", { .is_elsewhere = true }, LEAVE },
		{ "no-transform", { .cache_control = SLICE("No-Transform") }, LEAVE },
		{ "no-transform and more",
		  { .cache_control = SLICE("public,no-transform, max-age=9") },
		  LEAVE },
		{ "no directive",
		  { .cache_control = SLICE("xno-transform, no-transforms") },
		  COMPRESS },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer answer = complete(cases[i].answer);
		enum policy policy = policy_of(&usual, &answer);

		if (policy != cases[i].policy)
			fail_msg("%s: %d, expected %d", cases[i].name, policy, cases[i].policy);
	}
}

static void test_without_the_option_only_what_asks(void **unused)
{
	struct gzip_settings off = usual;
	struct answer answer = complete((struct answer){ 0 });

	(void)unused;
	off.on = false;
	assert_int_equal(policy_of(&off, &answer), LEAVE);
	answer.asked = SLICE("gzip");
	assert_int_equal(policy_of(&off, &answer), COMPRESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_compressed),
		cmocka_unit_test(test_without_the_option_only_what_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
