/* SPDX-License-Identifier: MIT */
/* test_pidfile.c: who holds a pidfile, and who may take or remove it. */
#include "unit.h"

#include "process/pidfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct identity nobody_else = { 0 };

static struct pidfiles one(const char *path)
{
	struct pidfiles files = { .items = { { .fd = -1 } }, .count = 1 };

	snprintf(files.items[0].path, sizeof files.items[0].path, "%s", path);
	return files;
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void expect_text(const char *path, const char *text)
{
	char got[64] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	if (!fgets(got, sizeof got, f))
		got[0] = '\0';
	fclose(f);
	assert_string_equal(got, text);
}

/* The exit code of a child that does this: the lock is one process's against another's. */
static int in_another_process(int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(what());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int find_parent(void)
{
	struct found_master found;
	struct error e;

	if (pidfile_find_master("pid", &found, &e))
		return 1;
	return found.pid == getppid() && found.pidfd >= 0 ? 0 : 2;
}

static int take_the_same(void)
{
	struct pidfiles files = one("pid");
	struct error e;

	return pidfiles_write(&files, false, &nobody_else, &e) &&
			       strstr(e.text, "that of a running server, pid ")
		       ? 0
		       : 1;
}

static int close_in_child(void)
{
	/* Of all descriptors: the lock is not the child's to drop. */
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	return 0;
}

static void test_the_master_is_found_by_its_lock(void **state)
{
	struct pidfiles files = one("pid");
	char text[32];
	struct error e;

	(void)state;
	write_text("pid", "99999999 and what an older one has left\n");
	assert_int_equal(pidfiles_write(&files, true, &nobody_else, &e), 0);
	assert_int_equal(files.items[0].fd, -1);
	assert_int_equal(pidfiles_write(&files, false, &nobody_else, &e), 0);
	snprintf(text, sizeof text, "%ld\n", (long)getpid());
	assert_int_equal(in_another_process(find_parent), 0);
	assert_int_equal(in_another_process(take_the_same), 0);
	assert_int_equal(in_another_process(close_in_child), 0);
	assert_int_equal(in_another_process(find_parent), 0);
	pidfiles_remove(&files);
	assert_int_equal(access("pid", F_OK), -1);
	assert_int_equal(in_another_process(find_parent), 1);
}

static void test_one_that_was_removed_is_made_anew(void **state)
{
	struct pidfiles files = one("pid");
	struct error e;

	(void)state;
	assert_int_equal(pidfiles_write(&files, false, &nobody_else, &e), 0);
	pidfiles_renew(&files);
	assert_int_equal(unlink("pid"), 0);
	pidfiles_renew(&files);
	assert_int_equal(in_another_process(find_parent), 0);
	/* One that only has another name by now is not. */
	assert_int_equal(rename("pid", "old"), 0);
	pidfiles_renew(&files);
	assert_int_equal(access("pid", F_OK), -1);
	/* Nor is what another has by now touched. */
	unlink("old");
	write_text("pid", "1\n");
	pidfiles_renew(&files);
	pidfiles_remove(&files);
	expect_text("pid", "1\n");
	unlink("pid");
}

static void test_what_is_somebody_elses_by_now_stays(void **state)
{
	struct pidfiles files = one("pid");
	struct error e;

	(void)state;
	assert_int_equal(pidfiles_write(&files, false, &nobody_else, &e), 0);
	assert_int_equal(rename("pid", "old"), 0);
	write_text("pid", "1\n");
	pidfiles_remove(&files);
	expect_text("pid", "1\n");
	expect_text("old", "");
	unlink("old");
	unlink("pid");
}

static void expect_refused(const char *why)
{
	struct pidfiles files = one("pid");
	struct error e;

	assert_int_equal(pidfiles_write(&files, false, &nobody_else, &e), -1);
	assert_non_null(strstr(e.text, why));
	assert_int_equal(files.items[0].fd, -1);
}

static void test_only_a_file_of_its_own_is_written(void **state)
{
	(void)state;
	write_text("other", "gold\n");
	assert_int_equal(symlink("other", "pid"), 0);
	expect_refused("symbolic link");
	unlink("pid");
	assert_int_equal(link("other", "pid"), 0);
	expect_refused("another name");
	unlink("pid");
	assert_int_equal(mkfifo("pid", 0600), 0);
	expect_refused("not an ordinary file");
	unlink("pid");
	assert_int_equal(mkdir("pid", 0700), 0);
	expect_refused("directory");
	rmdir("pid");
	expect_text("other", "gold\n");
	unlink("other");
}

static void test_nobody_is_found_in_what_is_no_pidfile(void **state)
{
	static const struct {
		const char *text, *why;
	} files[] = {
		{ "", "holds no pid" },
		{ "x", "holds no pid" },
		{ "-1\n", "holds no pid" },
		{ "12 34\n", "holds no pid" },
		{ "12\n", "nobody holds its lock, so the process 12" },
	};
	struct found_master found;
	struct error e;

	(void)state;
	assert_int_equal(pidfile_find_master("pid", &found, &e), -1);
	assert_non_null(strstr(e.text, "No such file"));
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		write_text("pid", files[i].text);
		assert_int_equal(pidfile_find_master("pid", &found, &e), -1);
		assert_non_null(strstr(e.text, files[i].why));
	}
	unlink("pid");
}

static int enter_folder(void **state)
{
	static char folder[] = "/tmp/uwsgi-unit-XXXXXX";

	*state = mkdtemp(folder);
	return *state ? chdir(*state) : -1;
}

static int leave_folder(void **state)
{
	return chdir("/") || rmdir(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_master_is_found_by_its_lock),
		cmocka_unit_test(test_one_that_was_removed_is_made_anew),
		cmocka_unit_test(test_what_is_somebody_elses_by_now_stays),
		cmocka_unit_test(test_only_a_file_of_its_own_is_written),
		cmocka_unit_test(test_nobody_is_found_in_what_is_no_pidfile),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
