/* SPDX-License-Identifier: MIT */
/* test_body.c: a body lies in memory up to a limit, past it whole in a file without a name. */
#include "unit.h"

#include "exchange/body.h"
#include "base/tempfile.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { IN_MEMORY = 10 };

/* These stand in the place of libc's, for the core only. */
static int writes, write_fails;
static struct statvfs disk = { .f_frsize = 4096, .f_blocks = 1000, .f_bavail = 1000 };

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	writes++;
	if (!write_fails)
		return syscall(SYS_pwritev, fd, v, n, at, 0);
	errno = write_fails;
	return -1;
}

int fstatvfs(int fd, struct statvfs *s)
{
	(void)fd;
	*s = disk;
	return 0;
}

int statvfs(const char *path, struct statvfs *s)
{
	(void)path;
	*s = disk;
	return 0;
}

static void add(struct body *b, const char *text)
{
	struct error e;

	assert_int_equal(body_add(b, (struct slice){ text, strlen(text) }, IN_MEMORY, &e), 0);
}

static void assert_file_holds(struct body *b, const char *text)
{
	char bytes[64] = "";
	struct error e;

	assert_true(b->fd >= 0);
	assert_int_equal(body_finish(b, &e), BODY_STORED);
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

/* A peer that sends single bytes is no reason for a system call each. */
static void test_small_pieces_are_gathered_before_they_are_written(void **unused)
{
	enum { PIECES = 100000 };
	char *got = malloc(PIECES);
	struct body b;
	struct error e;

	(void)unused;
	body_init(&b);
	writes = 0;
	for (int i = 0; i < PIECES; i++) {
		const char byte = (char)(i % 251);

		assert_int_equal(body_add(&b, (struct slice){ &byte, 1 }, IN_MEMORY, &e), 0);
	}
	assert_int_equal(body_finish(&b, &e), BODY_STORED);
	assert_true(writes < 10);
	assert_int_equal(pread(b.fd, got, PIECES, 0), PIECES);
	for (int i = 0; i < PIECES; i++)
		assert_int_equal((unsigned char)got[i], i % 251);
	body_fini(&b);
	free(got);
}

static void test_a_twentieth_of_the_disk_stays_free(void **unused)
{
	static const char block[65536];
	struct body b;
	struct error e;

	(void)unused;
	body_init(&b);
	disk.f_bavail = 50 + 16;
	assert_true(tempfile_has_room(-1, 65536));
	assert_int_equal(body_add(&b, (struct slice){ block, sizeof block }, IN_MEMORY, &e), 0);
	disk.f_bavail = 50 + 15;
	assert_false(tempfile_has_room(-1, 65536));
	assert_int_equal(body_add(&b, (struct slice){ block, sizeof block }, IN_MEMORY, &e),
			 BODY_NO_ROOM);
	assert_non_null(strstr(e.text, "No space left on device"));
	disk.f_bavail = 1000;
	write_fails = EIO;
	assert_int_equal(body_add(&b, (struct slice){ block, sizeof block }, IN_MEMORY, &e),
			 BODY_FAILED);
	write_fails = 0;
	disk.f_blocks = 0; /* a tmpfs without a size */
	disk.f_bavail = 0;
	assert_true(tempfile_has_room(-1, 1LL << 40));
	disk.f_blocks = disk.f_bavail = 1000;
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
	assert_int_equal(body_add(&b, SLICE("more than ten bytes"), IN_MEMORY, &e), BODY_FAILED);
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
		cmocka_unit_test(test_small_pieces_are_gathered_before_they_are_written),
		cmocka_unit_test(test_a_twentieth_of_the_disk_stays_free),
		cmocka_unit_test(test_the_file_has_no_name),
		cmocka_unit_test(test_a_folder_that_is_not_there_is_named),
		cmocka_unit_test(test_a_reset_keeps_a_small_buffer_and_gives_a_large_one_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
