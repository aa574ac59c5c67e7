/* SPDX-License-Identifier: MIT */
/* test_mime.c: types by the endings of names, from a file and from the built-in table. */
#include "unit.h"

#include "static.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *type_of(const struct mime *m, const char *name)
{
	static char text[100];
	struct slice type = mime_type(m, (struct slice){ name, strlen(name) });

	snprintf(text, sizeof text, "%.*s", (int)type.n, type.p ? type.p : "");
	return text;
}

static void test_types(void **unused)
{
	char path[] = "/tmp/test_mime.XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	const char *const files[] = { "/nonexistent", path };
	const struct option_list list = { files, 2 };

	(void)unused;
	fputs("# a comment\n\ntext/x-own\tcss own\r\ntext/x-later css later\nno/endings\nlast/line end",
	      f);
	fclose(f);
	struct mime *m = mime_new(&list);
	assert_non_null(m);
	assert_string_equal(type_of(m, "/a/b.css"), "text/x-own"); /* the first counts */
	assert_string_equal(type_of(m, "x.OWN"), "text/x-own");
	assert_string_equal(type_of(m, "x.later"), "text/x-later");
	assert_string_equal(type_of(m, "x.end"), "last/line");
	assert_string_equal(type_of(m, "x.html"), "text/html"); /* built in */
	assert_string_equal(type_of(m, "x.tar.gz"), "application/gzip");
	assert_string_equal(type_of(m, "x.unknown"), "");
	assert_string_equal(type_of(m, "none"), "");
	assert_string_equal(type_of(m, "a.css/none"), "");
	assert_string_equal(type_of(m, "x."), "");
	assert_string_equal(type_of(m, ""), "");
	mime_free(m);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_types) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
