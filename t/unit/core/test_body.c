/* SPDX-License-Identifier: MIT */
/* test_body.c: a body lies in memory up to a limit, past it whole in a file without a name. */
#include "unit.h"

#include "body.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IN_MEMORY = 10 };

static void add(struct body *b, const char *text)
{
	struct error e;

	assert_int_equal(body_add(b, (struct slice){ text, strlen(text) }, IN_MEMORY, &e), 0);
}

static void assert_file_holds(const struct body *b, const char *text)
{
	char bytes[64] = "";

	assert_true(b->fd >= 0);
	assert_int_equal(pread(b->fd, bytes, sizeof bytes - 1, 0), b->length);
	assert_string_equal(bytes, text);
}

static void test_a_small_one_stays_in_memory(void **unused)
{
	struct body b;

	(void)unused;
	body_init(&b);
	add(&b, "01234");
	add(&b, "56789");
	assert_int_equal(b.fd, -1);
	assert_int_equal(b.length, 10);
	assert_memory_equal(b.memory, "0123456789", 10);
	body_fini(&b);
}

static void test_one_byte_more_moves_all_to_a_file(void **unused)
{
	struct body b;

	(void)unused;
	body_init(&b);
	add(&b, "0123456789");
	add(&b, "x");
	assert_file_holds(&b, "0123456789x");
	add(&b, "y");
	assert_file_holds(&b, "0123456789xy");
	body_fini(&b);
}

static int entries(const char *folder)
{
	DIR *d = opendir(folder);
	int count = 0;

	while (readdir(d))
		count++;
	closedir(d);
	return count - 2;
}

static void test_the_file_has_no_name(void **unused)
{
	char folder[] = "/tmp/test_body-XXXXXX";
	struct body b;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	setenv("TMPDIR", folder, 1);
	body_init(&b);
	add(&b, "more than ten bytes");
	assert_int_equal(entries(folder), 0);
	body_fini(&b);
	unsetenv("TMPDIR");
	assert_int_equal(rmdir(folder), 0);
}

static void test_a_folder_that_is_not_there_is_named(void **unused)
{
	struct body b;
	struct error e;

	(void)unused;
	setenv("TMPDIR", "/nonexistent", 1);
	body_init(&b);
	assert_int_equal(body_add(&b, SLICE("more than ten bytes"), IN_MEMORY, &e), -1);
	assert_non_null(strstr(e.text, "/nonexistent: No such file or directory"));
	body_fini(&b);
	unsetenv("TMPDIR");
}

static void test_a_reset_keeps_a_small_buffer_and_gives_a_large_one_back(void **unused)
{
	char *large = calloc(1, 100000);
	struct body b;
	struct error e;

	(void)unused;
	body_init(&b);
	add(&b, "small");
	char *kept = b.memory;
	body_reset(&b);
	assert_int_equal(b.length, 0);
	assert_ptr_equal(b.memory, kept);
	assert_int_equal(body_add(&b, (struct slice){ large, 100000 }, 1 << 20, &e), 0);
	body_reset(&b);
	assert_null(b.memory);
	free(large);
	body_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_small_one_stays_in_memory),
		cmocka_unit_test(test_one_byte_more_moves_all_to_a_file),
		cmocka_unit_test(test_the_file_has_no_name),
		cmocka_unit_test(test_a_folder_that_is_not_there_is_named),
		cmocka_unit_test(test_a_reset_keeps_a_small_buffer_and_gives_a_large_one_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
