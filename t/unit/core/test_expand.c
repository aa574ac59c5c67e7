/* SPDX-License-Identifier: MIT */
/* test_expand.c: what stands for something else in a value, while directives are still being read
 * and when all are there. */
#include "reading.h"

#include "settings/expand.h"

enum { LINES = 12 };

static const struct {
	const char *lines[LINES];
	const char *text, *meaning;
	const char *said; /* the first complaint, when all is read; NULL: none */
} cases[] = {
	{ { "a=1" }, "plain $ % @ ( )", "plain $ % @ ( )", NULL },
	{ { "a=1", "a=2" }, "%(a)", "1", NULL },
	{ { "a=1" }, "%(a)%(a)-%(b)", "11-%(b)", NULL },
	{ { "a=%(b)", "b=%(c)", "c=$(HOME)" }, "%(a)/x", "/home/app/x", NULL },
	{ { "a=x" }, "$(NAMES) $(HOM) $(HO) $HOME", "x no $(HO) $HOME", NULL },
	{ { "a=%(b)", "b=%(a)" },
	  "%(a)",
	  "%(a)",
	  "b: nothing defines %(a); it stays as it is "
	  "written" },
	{ { "a=-%(a)" }, "%(a)", "-%(a)", "a: nothing defines %(a); it stays as it is written" },
	{ { "n=a", "a=7" }, "%(%(n)) %(%(no))", "7 %(%(no))", NULL },
	{ { "a=7" },
	  "%(a + 1) %(a * 2 - 4) %(a / 2) %(a % 4) %(a ++) %(a --)",
	  "8 10 3 3 8 6",
	  NULL },
	{ { "a=7" }, "%((a + 1) * (1 + 1)) %(no + 1) %(a + )", "16 1 %(a + )", NULL },
	{ { "a=7" },
	  "%(a / 0) %(+ 1) %(a b) %(9223372036854775807 + 1)",
	  "%(a / 0) %(+ 1) %(a b) %(9223372036854775807 + 1)",
	  NULL },
	{ { "a=7" }, "%(a) %(a", "7 %(a", NULL },
	{ { "a=$(NO)" }, "%(a)", "$(NO)", "a: nothing defines $(NO); it stays as it is written" },
	{ { "a=@(/no/such/file)" },
	  "%(a)",
	  "@(/no/such/file)",
	  "a: @(/no/such/file): No such file or directory" },
};

/* A condition or an include asks for the meaning before all is read: it is the one that stays. */
static void test_a_text_has_one_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fixture f;

		fixture_begin(&f);
		for (size_t k = 0; k < LINES && cases[i].lines[k]; k++)
			fixture_add(&f, cases[i].lines[k]);
		assert_string_equal(expand(&f.reading, cases[i].text), cases[i].meaning);
		assert_int_equal(f.report.count, 0);
		char line[128];
		snprintf(line, sizeof line, "legion=%s", cases[i].text);
		fixture_add(&f, line);
		expand_all(&f.reading);
		const struct directive *d = directives_find(&f.set, "legion");
		assert_string_equal(d->value, cases[i].meaning);
		if (cases[i].said)
			assert_string_equal(f.report.items[0].text, cases[i].said);
		else
			assert_int_equal(f.report.count, 0);
		fixture_end(&f);
	}
}

static void test_a_meaning_follows_what_is_set_later(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_add(&f, "a=%(b)%(c)");
	assert_string_equal(expand(&f.reading, "%(a)"), "%(b)%(c)");
	fixture_add(&f, "c=3");
	assert_string_equal(expand(&f.reading, "%(a)"), "%(b)3");
	fixture_add(&f, "b=2");
	assert_string_equal(expand(&f.reading, "%(a)"), "23");
	fixture_add(&f, "b=4");
	assert_string_equal(expand(&f.reading, "%(a)"), "23");
	expand_all(&f.reading);
	assert_string_equal(directives_find(&f.set, "a")->value, "23");
	assert_true(directives_find(&f.set, "b")->used);
	assert_false(directives_next(&f.set, directives_find(&f.set, "b"))->used);
	fixture_end(&f);
}

/* Files and commands are asked once: when all is read. */
static void test_sources_are_asked_in_the_end(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_add(&f, "a=@(exec://echo '%(b)')");
	fixture_add(&f, "b=x");
	assert_string_equal(expand(&f.reading, "%(a)"), "@(exec://echo 'x')");
	expand_all(&f.reading);
	assert_string_equal(directives_find(&f.set, "a")->value, "x");
	fixture_end(&f);

	fixture_begin(&f);
	f.reading.preview = true;
	fixture_add(&f, "a=@(exec://echo x)");
	expand_all(&f.reading);
	assert_string_equal(directives_find(&f.set, "a")->value, "@(exec://echo x)");
	assert_int_equal(f.report.count, 0);
	fixture_end(&f);
}

static void test_a_chain_of_names_has_an_end(void **state)
{
	char line[64];
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	for (int i = 0; i < 1100; i++) {
		snprintf(line, sizeof line, "a%d=%%(a%d)", i, i + 1);
		fixture_add(&f, line);
	}
	fixture_add(&f, "a1100=x");
	assert_string_equal(expand(&f.reading, "%(a0)"), "%(a1000)");
	assert_int_equal(f.report.count, 0);
	expand_all(&f.reading);
	assert_string_equal(f.report.items[0].text,
			    "a1001: more than 1000 names lead to one another");
	fixture_end(&f);
}

static void test_letters(void **state)
{
	static const struct {
		const char *text, *means;
		char unknown;
	} letters[] = {
		{ "none", "none", 0 },
		{ "%o %p %s %d", "sub/b.ini /srv/sub/b.ini b.ini /srv/sub/", 0 },
		{ "%n|%e|%c|%x", "b|ini|sub|dev", 0 },
		{ "%O %N %X", "a.tar.ini a.tar ", 0 },
		{ "%0/%1/%2", "srv/sub/", 0 },
		{ "%v %% %(a) 50%", "/tmp % %(a) 50%", 0 },
		{ "a%Yb%qc", "abc", 'Y' },
		{ "%[", "\033", 0 },
	};
	const struct place first = { .given = "a.tar.ini",
				     .path = "/srv/a.tar.ini",
				     .section = "",
				     .cwd = "/tmp",
				     .first = &first };
	const struct place place = { .given = "sub/b.ini",
				     .path = "/srv/sub/b.ini",
				     .section = "dev",
				     .cwd = "/tmp",
				     .first = &first };
	struct arena arena;

	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
		char unknown = 0;

		assert_string_equal(expand_letters(&arena, letters[i].text, &place, &unknown),
				    letters[i].means);
		assert_int_equal(unknown, letters[i].unknown);
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_text_has_one_meaning),
		cmocka_unit_test(test_a_meaning_follows_what_is_set_later),
		cmocka_unit_test(test_sources_are_asked_in_the_end),
		cmocka_unit_test(test_a_chain_of_names_has_an_end),
		cmocka_unit_test(test_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
