/* SPDX-License-Identifier: MIT */
/* test_manifest.c: what is written down of plugins is found again, and nothing else is believed. */
#include "unit.h"

#include "work/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const aliases[] = { "one3", "uno", NULL };
static const char *const words[] = { "p11", NULL };
static const struct option rows[] = {
	{ .name = "one-flag", .type = OPT_FLAG, .letter = 'o' },
	{ .name = "one-path", .type = OPT_STRING },
	{ .name = "one-maybe", .type = OPT_STRING, .bare = "yes" },
	{ .name = "one-other", .same_as = "one-path" },
};
static const struct option_table table = { .module = "one", .size = 1, .rows = rows, .count = 4 };
static const struct protocol protocol = { .name = "p", .aliases = words };
static const struct app app = { .name = "a" };
static const struct plugin one = { .abi = UWSGI_ABI,
				   .name = "one",
				   .aliases = aliases,
				   .options = &table,
				   .protocol = &protocol };
static const struct plugin two = { .abi = UWSGI_ABI, .name = "two", .app = &app };

static int read_text(struct manifest *m, const char *text, size_t n)
{
	char path[] = "/tmp/manifest-XXXXXX";
	int fd = mkstemp(path);

	assert_int_equal(write(fd, text, n), n);
	close(fd);
	int result = manifest_read(m, path);
	unlink(path);
	return result;
}

static char *written(size_t *n)
{
	const struct plugin *const plugins[] = { &one, &two };
	char *text;
	FILE *f = open_memstream(&text, n);

	manifest_write(f, plugins, 2);
	fclose(f);
	return text;
}

static void test_what_was_written_is_read(void **unused)
{
	struct manifest m;
	size_t n;
	char *text = written(&n);

	(void)unused;
	assert_int_equal(read_text(&m, text, n), 0);
	free(text);
	assert_int_equal(m.count, 2);
	for (size_t i = 0; i < 4; i++)
		assert_ptr_equal(manifest_option(&m, rows[i].name), &m.items[0]);
	assert_null(manifest_option(&m, "one"));
	assert_ptr_equal(manifest_plugin(&m, "uno"), &m.items[0]);
	assert_ptr_equal(manifest_plugin(&m, "two"), &m.items[1]);
	assert_ptr_equal(manifest_protocol(&m, "p11"), &m.items[0]);
	assert_null(manifest_protocol(&m, "two"));
	assert_true(m.items[1].runs_applications && !m.items[0].runs_applications);
	const struct option_table *t = &m.items[0].options;
	assert_int_equal(t->size, 0);
	assert_int_equal(t->rows[0].letter, 'o');
	assert_int_equal(t->rows[0].type, OPT_FLAG);
	assert_null(t->rows[1].bare);
	assert_non_null(t->rows[2].bare);
	assert_string_equal(t->rows[3].same_as, "one-path");
	manifest_fini(&m);
}

/* Cut off anywhere, it is read as far as its lines are whole, or not at all. */
static void test_a_broken_list_does_no_harm(void **unused)
{
	static const char *const broken[] = { "",
					      "manifest 1\nplugin x\n",
					      "manifest 3\noption a none -\n",
					      "manifest 3\nplugin x\noption\n",
					      "manifest 3\nplugin x\nalias a\n",
					      "manifest 3\nplugin\n" };
	struct manifest m;
	size_t n;
	char *text = written(&n);

	(void)unused;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		assert_int_equal(read_text(&m, broken[i], strlen(broken[i])), -1);
		assert_int_equal(m.count, 0);
	}
	for (size_t i = 0; i < n; i++)
		if (read_text(&m, text, i) == 0)
			manifest_fini(&m);
	free(text);
	assert_int_equal(manifest_read(&m, "/nowhere/at/all"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_written_is_read),
		cmocka_unit_test(test_a_broken_list_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
