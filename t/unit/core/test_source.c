/* SPDX-License-Identifier: MIT */
/* test_source.c: full names of files, their bytes, and what @(…) stands for. */
#include "unit.h"

#include "settings/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two folders, "available" with site.ini in it and "link" to it, and in "enabled" a link to the
 * file. */
static int enter(void **state)
{
	static char folder[64];
	FILE *f;

	snprintf(folder, sizeof folder, "%s/test_source.XXXXXX", P_tmpdir);
	if (!mkdtemp(folder) || chdir(folder) || mkdir("available", 0700) ||
	    mkdir("enabled", 0700) || symlink("available", "link") ||
	    symlink("../available/site.ini", "enabled/site.ini"))
		return -1;
	f = fopen("available/site.ini", "w");
	*state = realpath(folder, NULL);
	return f && fputs("one\ntwo\n", f) >= 0 && fclose(f) == 0 && *state ? 0 : -1;
}

static int leave(void **state)
{
	static const char *const names[] = { "enabled/site.ini", "link", "available/site.ini" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(names[i]);
	rmdir("enabled");
	rmdir("available");
	int failed = chdir("/") || rmdir(*state);
	free(*state);
	return failed;
}

/* Links of folders are followed; a linked file is where its link is. */
static void test_full_names(void **state)
{
	static const char *const cases[][2] = {
		{ "available/site.ini", "/available/site.ini" },
		{ "link/site.ini", "/available/site.ini" },
		{ "enabled/site.ini", "/enabled/site.ini" },
		{ "enabled/../link/./site.ini", "/available/site.ini" },
		{ "none.ini", "/none.ini" },
		{ "link/none.ini", "/available/none.ini" },
	};
	struct arena arena;
	char expected[256];

	arena_init(&arena);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(expected, sizeof expected, "%s%s", (const char *)*state, cases[i][1]);
		assert_string_equal(source_absolute(&arena, *state, cases[i][0]), expected);
	}
	assert_string_equal(source_absolute(&arena, "/", "a.ini"), "/a.ini");
	assert_string_equal(source_absolute(&arena, "/no/such", "/a.ini"), "/a.ini");
	assert_string_equal(source_absolute(&arena, "/no/such", "b/a.ini"), "/no/such/b/a.ini");
	arena_fini(&arena);
}

static void test_bytes(void **state)
{
	struct error e;
	size_t n;
	char *bytes = source_read("available/site.ini", &n, &e);

	(void)state;
	assert_int_equal(n, 8);
	assert_memory_equal(bytes, "one\ntwo\n", 8);
	free(bytes);
	assert_null(source_read("available", &n, &e));
	assert_string_equal(e.text, "is a folder");
	assert_null(source_read("none", &n, &e));
	assert_string_equal(e.text, "No such file or directory");
	assert_null(source_read("/dev/zero", &n, &e));
	assert_string_equal(e.text, "too large for a configuration");
}

static const struct {
	const char *what, *text; /* text NULL: the sentence says why */
	const char *sentence;
} cases[] = {
	{ "available/site.ini", "one\ntwo", NULL },
	{ "file://available/site.ini", "one\ntwo", NULL },
	{ "/dev/null", "", NULL },
	{ "exec://printf 'a\\n\\n'", "a\n", NULL },
	{ "exec://echo out; exit 3", "out", NULL },
	{ "exec://cat", "", NULL },
	{ "exec://basename $PWD", "folder", NULL },
	{ "none", NULL, "No such file or directory" },
	{ "exec://no-such-command 2>/dev/null", NULL, "there is no such command" },
	{ "exec://printf '\\0'", NULL, "this is not text" },
	{ "exec://yes", NULL, "says more than 1048576 bytes" },
	{ "fd://3", NULL,
	  "only a file and exec:// can stand here; for others write @(exec://command), for example "
	  "with curl" },
};

static void test_texts(void **state)
{
	struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error e;
		const char *text = source_text(&arena, *state, cases[i].what, &e);

		assert_int_equal(source_is_command(cases[i].what),
				 strncmp(cases[i].what, "exec", 4) == 0);
		if (!cases[i].text)
			assert_string_equal(e.text, cases[i].sentence);
		else if (strcmp(cases[i].text, "folder") == 0)
			assert_string_equal(text, strrchr(*state, '/') + 1);
		else
			assert_string_equal(text, cases[i].text);
		assert_int_equal(text != NULL, cases[i].text != NULL);
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_names),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
