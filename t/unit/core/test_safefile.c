/* SPDX-License-Identifier: MIT */
/* test_safefile.c: which files root opens where another user may have planted something. */
#include "unit.h"

#include "base/safefile.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USER = 65533, OTHER = 65532 };

/* A folder of root's with a treasure, and one of USER's in it. */
static int make_folders(void **state)
{
	static char name[32];

	strcpy(name, "/tmp/uwsgi-u-XXXXXX");
	*state = name;
	if (!mkdtemp(name) || chmod(name, 0755) || chdir(name) || mkdir("theirs", 0755) ||
	    mkdir("ours", 0755))
		return -1;
	int fd = open("treasure", O_WRONLY | O_CREAT, 0600);
	bool written = fd >= 0 && write(fd, "gold", 4) == 4;

	close(fd);
	return !written || (geteuid() == 0 && chown("theirs", USER, USER)) ? -1 : 0;
}

static int remove_folders(void **state)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf %s", (const char *)*state);
	return chdir("/") || system(command) ? -1 : 0;
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip();
}

static void link_of(uid_t uid, const char *target, const char *path)
{
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(lchown(path, uid, uid), 0);
}

static void expect_untouched(void)
{
	struct stat st;

	assert_int_equal(stat("treasure", &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(st.st_uid, 0);
}

static void expect_refused(const char *path, int flags, const char *why)
{
	struct safefile f;
	struct error e = { "" };

	assert_int_equal(safefile_open(&f, path, flags | O_TRUNC, 0600, USER, &e), -1);
	assert_int_equal(f.fd, -1);
	if (!strstr(e.text, why))
		fail_msg("%s: %s", path, e.text);
	expect_untouched();
}

/* Whether owner and mode may be changed. */
static bool open_it(const char *path, int flags)
{
	struct safefile f;
	struct error e = { "" };

	if (safefile_open(&f, path, flags, 0640, USER, &e))
		fail_msg("%s: %s", path, e.text);
	close(f.fd);
	return f.may_change;
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void test_links_of_others_are_not_followed(void **state)
{
	(void)state;
	need_root();
	link_of(USER, "../treasure", "theirs/link");
	expect_refused("theirs/link", O_WRONLY, "another user than root");
	expect_refused("theirs/link", O_WRONLY | O_NOFOLLOW, "is a symbolic link");
	link_of(USER, "..", "theirs/up");
	expect_refused("theirs/up/treasure", O_WRONLY, "up is a symbolic link that another user");
	link_of(0, "../treasure", "theirs/moved_here"); /* such a link may have been moved */
	expect_refused("theirs/moved_here", O_WRONLY, "another user than root");
	link_of(USER, "treasure", "planted");
	expect_refused("planted", O_WRONLY, "another user than root");
	link_of(0, "round", "round");
	expect_refused("round", O_WRONLY, "Too many levels");
}

static void test_links_of_roots_are_followed(void **state)
{
	char absolute[64];

	need_root();
	link_of(0, "ours/", "to_folder");
	assert_true(open_it("to_folder//a", O_WRONLY));
	link_of(0, "to_folder/b", "to_file"); /* what is not there yet is created */
	assert_true(open_it("to_file", O_WRONLY));
	assert_int_equal(inode_of("ours/b"), inode_of("to_file"));
	snprintf(absolute, sizeof absolute, "%s/./ours/../ours", (const char *)*state);
	link_of(0, absolute, "far");
	assert_true(open_it("far/b", O_RDWR));
	link_of(0, "../treasure", "ours/last");
	expect_refused("ours/last", O_WRONLY | O_NOFOLLOW, "is a symbolic link");
}

static void test_what_is_planted_is_refused(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(link("treasure", "theirs/twin"), 0);
	expect_refused("theirs/twin", O_WRONLY, "another name");
	unlink("theirs/twin");
	assert_int_equal(mkfifo("theirs/pipe", 0666), 0);
	expect_refused("theirs/pipe", O_RDWR, "not an ordinary file"); /* and it does not wait */
	assert_true(open_it("theirs/strange", O_WRONLY));
	assert_int_equal(chown("theirs/strange", OTHER, OTHER), 0);
	expect_refused("theirs/strange", O_WRONLY, "belongs to user 65532");
	expect_refused("theirs", O_WRONLY, "directory");
	expect_refused("theirs/", O_WRONLY, "directory");
	expect_refused("", O_WRONLY, "No such file");
}

static void test_only_what_nobody_else_can_have_put_there_is_given_away(void **state)
{
	(void)state;
	need_root();
	assert_true(open_it("theirs/new", O_WRONLY));
	assert_false(open_it("theirs/new", O_WRONLY)); /* root's, in their folder */
	assert_int_equal(chown("theirs/new", USER, USER), 0);
	assert_true(open_it("theirs/new", O_WRONLY));
	assert_true(open_it("ours/new", O_WRONLY));
	assert_true(open_it("ours/new", O_WRONLY));
	assert_int_equal(mkdir("theirs/roots", 0755), 0); /* which they can rename */
	assert_true(open_it("theirs/roots/new", O_WRONLY));
	assert_false(open_it("theirs/roots/new", O_WRONLY));
	assert_int_equal(chmod("ours", 01777), 0);
	assert_false(open_it("ours/new", O_WRONLY));
	assert_int_equal(chmod("ours", 0755), 0);
}

static void test_what_is_open_already_has_a_name_in_proc(void **state)
{
	int ends[2];
	char path[32];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
	assert_true(open_it(path, O_WRONLY));
	snprintf(path, sizeof path, "/dev/fd/%d", ends[1]);
	assert_true(open_it(path, O_WRONLY));
	assert_true(open_it("/dev/null", O_WRONLY | O_TRUNC));
	close(ends[0]);
	close(ends[1]);
}

/* As their user: a folder, and a link to root's, change places all the time. */
static void exchange_for_ever(void)
{
	if (setresgid(USER, USER, USER) || setresuid(USER, USER, USER) || mkdir("theirs/a", 0755) ||
	    symlink("..", "theirs/b"))
		_exit(1);
	for (;;)
		syscall(SYS_renameat2, AT_FDCWD, "theirs/a", AT_FDCWD, "theirs/b", 2);
}

static void test_no_race_is_won(void **state)
{
	struct safefile f;
	struct error e;
	struct stat st;
	int lost = 0;

	(void)state;
	need_root();
	pid_t pid = fork();
	if (pid == 0)
		exchange_for_ever();
	for (int i = 0; i < 3000; i++) {
		if (safefile_open(&f, "theirs/a/treasure", O_WRONLY | O_TRUNC, 0600, USER, &e))
			continue;
		lost += stat("treasure", &st) || st.st_size != 4;
		close(f.fd);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(lost, 0);
	expect_untouched();
}

static void test_names_are_changed_where_they_are(void **state)
{
	struct stat st, other;
	struct error e;

	(void)state;
	need_root();
	open_it("theirs/log", O_WRONLY);
	assert_int_equal(stat("theirs/log", &st), 0);
	assert_int_equal(stat("treasure", &other), 0);
	link_of(USER, "..", "theirs/up");
	assert_int_equal(safefile_rename("theirs/log", "theirs/up/treasure", &e), -1);
	assert_non_null(strstr(e.text, "up is a symbolic link"));
	assert_int_equal(safefile_rename("theirs/up/treasure", "ours/log", &e), -1);
	assert_int_equal(safefile_remove("theirs/up/treasure", &other, &e), -1);
	assert_int_equal(safefile_remove("theirs/log", &other, &e), -1);
	assert_non_null(strstr(e.text, "another file"));
	assert_int_equal(safefile_rename("theirs/log", "theirs/old", &e), 0);
	assert_int_equal(safefile_remove("theirs/old", &st, &e), 0);
	assert_int_equal(safefile_remove("theirs/old", &st, &e), -1);
	expect_untouched();
}

static void expect_no_place(const char *path, const char *why)
{
	struct safefile f;
	struct error e, opened;

	assert_int_equal(safefile_check(path, O_NOFOLLOW, &e), -1);
	assert_string_equal(e.text, why);
	assert_int_equal(safefile_open(&f, path, O_RDWR | O_NOFOLLOW, 0600, USER, &opened), -1);
	assert_string_equal(opened.text, why);
}

static void test_a_check_says_what_opening_says(void **state)
{
	struct error e;

	(void)state;
	link_of(geteuid(), "ours", "to_folder");
	link_of(geteuid(), "none", "to_none");
	expect_no_place("none/new", "there is no folder none");
	expect_no_place("ours//none//deep/new", "there is no folder ours//none");
	expect_no_place("to_folder/none/new", "there is no folder none");
	expect_no_place("to_none/new", "there is no folder none");
	expect_no_place("treasure/new", "Not a directory");
	expect_no_place("ours", "Is a directory");
	expect_no_place("to_none", "is a symbolic link");
	assert_int_equal(safefile_check("to_folder/new", O_NOFOLLOW, &e), 0);
	assert_int_equal(safefile_check("to_none", 0, &e), 0);
	assert_int_equal(safefile_check("treasure", O_NOFOLLOW, &e), 0);
	assert_int_equal(access("none", F_OK), -1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_folders, remove_folders)
	const struct CMUnitTest tests[] = {
		T(test_links_of_others_are_not_followed),
		T(test_links_of_roots_are_followed),
		T(test_what_is_planted_is_refused),
		T(test_only_what_nobody_else_can_have_put_there_is_given_away),
		T(test_what_is_open_already_has_a_name_in_proc),
		T(test_no_race_is_won),
		T(test_names_are_changed_where_they_are),
		T(test_a_check_says_what_opening_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
