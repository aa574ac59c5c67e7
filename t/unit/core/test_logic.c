/* SPDX-License-Identifier: MIT */
/* test_logic.c: which lines count, how often, and what %(_) stands for in them. */
#include "reading.h"

#include "settings/logic.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

enum { LINES = 14 };

static const struct {
	const char *lines[LINES];
	const char *taken; /* each other line, as often as it counts */
	const char *said;
} cases[] = {
	{ { "a=1", "b" }, "a=1 b ", "" },
	/* conditions */
	{ { "if-env=HOME", "a=%(_)", "else", "a=no", "endif" }, "a=/home/app ", "" },
	{ { "if-not-env=HOME", "a=%(_)", "else=", "a=no", "end-if=" }, "a=no ", "" },
	{ { "ifnotenv=NONE", "a=%(_)", "endif", "ifenv=NONE", "b", "endif" }, "a=%(_) ", "" },
	{ { "set=1", "if-opt=set", "a=%(_)", "endif", "if-opt=set=1", "b=%(_)", "endif",
	    "if-opt=set=2", "c", "endif", "if-opt=later", "d", "endif", "later=1" },
	  "set=1 a=set b=set=1 later=1 ",
	  "" },
	{ { "if-exists=dev/null", "a=%(_)", "endif", "if-file=/dev/null", "b", "endif",
	    "if-dir=/dev", "c=%(_)", "endif", "if-directory=", "d", "endif" },
	  "a=dev/null c=/dev ",
	  "" },
	{ { "x=/dev", "if-exists=%(x)/null", "a=%(_)", "endif" }, "x=/dev a=/dev/null ", "" },
	{ { "if-reload", "a", "else", "b", "endif" }, "b ", "" },
	{ { "if-plugin=x", "a", "endif" }, "", "" },
	{ { "if-hostname-match=.", "a", "endif", "if-hostname-match=(", "b", "else", "c", "endif" },
	  "a ",
	  "a.ini:4 error if-hostname-match = (: " },
	{ { "if-env=NONE", "if-nonsense", "endif", "a", "endif" },
	  "a ",
	  "a.ini:5 warning endif: no block is open here; ignored; " },
	/* loops */
	{ { "for= a  b\tc ", "x=%(_)%(_)", "endfor" }, "x=aa x=bb x=cc ", "" },
	{ { "for=", "x", "endfor" }, "", "" },
	{ { "for-times=3", "x=%(_ + 1)", "y=%(_)", "end-for" },
	  "x=%(_ + 1) x=%(_ + 1) x=%(_ + 1) y=1 y=2 y=3 ",
	  "" },
	{ { "for-times=-1", "x", "endfor", "for-times=2 times", "x", "endfor" },
	  "",
	  "a.ini:4 error for-times = 2 times: not a number; " },
	{ { "for-times=10001", "x", "endfor" },
	  "",
	  "a.ini:1 error for-times = 10001: a loop runs at most 10000 times; " },
	{ { "for-glob=/dev/nul[l]", "x=%(_)", "endfor", "for-glob=dev/nul[l]", "x=%(_)", "endfor",
	    "for-glob=no*ne", "x=%(_)", "endfor" },
	  "x=/dev/null x=dev/null x=no*ne ",
	  "" },
	{ { "for-readline=/no/file", "x", "endfor", "for-readline=dev/null", "x", "endfor" },
	  "",
	  "a.ini:1 warning for-readline = /no/file: No such file or directory; the block is left "
	  "out; " },
	/* blocks in blocks */
	{ { "for=1 2", "for=a b", "x=%(_)", "endfor", "y=%(_)", "endfor" },
	  "x=a x=b x=a x=b y=1 y=2 ",
	  "" },
	{ { "for=HOME NONE", "if-env=%(_)", "x=%(_)", "else", "y=%(_)", "endif", "endfor" },
	  "x=/home/app y=NONE ",
	  "" },
	{ { "for=1", "if-reload", "else", "x=%(_)", "endif", "endfor" }, "x=1 ", "" },
	{ { "if-env=NONE", "for-readline=/no/file", "if-hostname-match=(", "x", "endif", "endfor",
	    "endif" },
	  "",
	  "" },
	/* what does not fit together */
	{ { "else", "endfor", "for=1", "else", "x", "endif", "y" },
	  "x y ",
	  "a.ini:1 warning else: no condition is open here; ignored; "
	  "a.ini:2 warning endfor: no block is open here; ignored; "
	  "a.ini:4 warning else: no condition is open here; ignored; "
	  "a.ini:6 warning endif ends \"for\" of line 3; write endfor; " },
	{ { "if-env=HOME", "a", "else", "b", "else", "c", "endif" },
	  "a ",
	  "a.ini:5 warning else: no condition is open here; ignored; " },
	{ { "if-env=HOME", "x", "for=1", "y" },
	  "x y ",
	  "a.ini:3 warning for has no endfor; it holds to the end of the file; " },
};

static void test_lines(void **state)
{
	static const char *const words[] = { "note", "warning", "error" };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char taken[256] = "", said[1024] = "";
		struct fixture f;

		fixture_begin(&f);
		struct logic logic = { .reading = &f.reading };
		for (int k = 0; k < LINES && cases[i].lines[k]; k++) {
			const struct directive d = fixture_line(&f, cases[i].lines[k], k + 1);

			if (logic_line(&logic, &d))
				continue;
			fixture_add(&f, cases[i].lines[k]);
			for (size_t n = 0; n < logic_count(&logic); n++) {
				strcat(strcat(taken, d.name), d.written ? "=" : " ");
				if (d.written)
					strcat(strcat(taken, logic_expand(&logic, n, d.written)),
					       " ");
			}
		}
		logic_end(&logic, "a.ini");
		for (size_t n = 0; n < f.report.count; n++) {
			const struct diagnostic *d = &f.report.items[n];
			size_t at = strlen(said);

			snprintf(said + at, sizeof said - at, "%s:%d %s %s; ", d->at.file,
				 d->at.line, words[d->severity], d->text);
		}
		assert_string_equal(taken, cases[i].taken);
		/* The library's words for a broken expression are its own. */
		assert_memory_equal(said, cases[i].said, strlen(cases[i].said));
		assert_true(*cases[i].said || !*said);
		fixture_end(&f);
	}
}

static bool holds(const char *condition, const char *of)
{
	char text[300];
	struct fixture f;

	fixture_begin(&f);
	struct logic logic = { .reading = &f.reading };
	snprintf(text, sizeof text, "%s=%s", condition, of);
	const struct directive d = fixture_line(&f, text, 1);
	assert_true(logic_line(&logic, &d));
	bool counts = logic_count(&logic) == 1;
	fixture_end(&f);
	return counts;
}

static void test_who_and_where(void **state)
{
	const struct passwd *user = getpwuid(getuid());
	const struct group *group = getgrgid(getgid());
	char number[24], host[256] = "";

	(void)state;
	assert_int_equal(gethostname(host, sizeof host - 1), 0);
	assert_true(holds("if-hostname", host));
	assert_false(holds("if-hostname", "no.such.host"));
	snprintf(number, sizeof number, "%u", (unsigned)getuid());
	assert_true(holds("if-uid", number));
	assert_true(!user || holds("if-uid", user->pw_name));
	snprintf(number, sizeof number, "%u", (unsigned)getgid());
	assert_true(holds("if-gid", number));
	assert_true(!group || holds("if-gid", group->gr_name));
	static const char *const nobody[] = { "4294967290", "no-such-name", "", "0x" };
	for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
		assert_false(holds("if-uid", nobody[i]));
		assert_false(holds("if-gid", nobody[i]));
	}
}

static void test_blocks_are_not_open_without_end(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	struct logic logic = { .reading = &f.reading };
	for (int i = 0; i <= LOGIC_DEPTH; i++) {
		const struct directive d = fixture_line(&f, "for=1", i + 1);

		assert_true(logic_line(&logic, &d));
	}
	assert_int_equal(f.report.count, 1);
	assert_string_equal(f.report.items[0].text, "for: more than 16 blocks are open");
	assert_int_equal(logic_count(&logic), 1);
	fixture_end(&f);
}

static void test_words(void **state)
{
	static const char *const words[] = { "if-env", "ifnotdir",     "if-not-opt",
					     "else",   "endif",        "end-for",
					     "for",    "for-readline", "endfor" };
	static const char *const others[] = {
		"if", "if-", "iffy", "forth", "for-", "elseif", "end"
	};

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		assert_true(logic_is_word(words[i]));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(logic_is_word(others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_who_and_where),
		cmocka_unit_test(test_blocks_are_not_open_without_end),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
