/* SPDX-License-Identifier: MIT */
/* test_hook_action.c: the words of actions, and the flags of mounts. */
#include "unit.h"

#include "work/hook_action.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct hook_limits limits = { 0 };

static void test_words(void **state)
{
	static const char *const right[] = {
		"exec:ls -l /",
		"print: hello",
		"cd:/a b",
		"chmod:/x 0750",
		"chown:/x a b",
		"write:/x  a  b",
		"writen:/x",
		"exit:",
		"exit",
		"exit:255",
		"mknod:/x c 1 3",
		"mkfifo:/x 600",
		"umask:022",
		"umount:/x",
		"umount:/x rec,detach",
		"mount:proc none /proc",
		"mount:proc none /proc nodev hidepid=2",
		"putenv:A=b c",
		"call:anything",
		"unix_signal:15 gracefully_kill_them_all",
	};
	static const struct {
		const char *text, *said;
	} wrong[] = {
		{ "", "there is no action" },
		{ "exec", "expected exec:COMMAND" },
		{ "exec: ", "expected exec:COMMAND" },
		{ "exce:ls", "did you mean \"exec\"?" },
		{ "ex:ls", "there is no action ex" },
		{ "chmod:/x", "expected chmod:FILE MODE" },
		{ "chmod:/x 8", "is no octal mode" },
		{ "chown:/x a", "expected chown:FILE USER GROUP" },
		{ "exit:256", "is no number from 0 to 255" },
		{ "mknod:/x d 1 3", "no kind of device" },
		{ "mknod:/x c one 3", "is no number" },
		{ "mount:a b", "expected mount:" },
		{ "mount:a b c bind,fast", "there is no flag fast" },
		{ "umount:c bind", "there is no flag bind" },
		{ "unix_signal:TERM stats", "is no number from 0 to 64" },
	};
	struct error e;

	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		assert_int_equal(hook_action_check(right[i], &e), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(hook_action_check(wrong[i].text, &e), -1);
		assert_non_null(strstr(e.text, wrong[i].said));
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(hook_action_text("!exec:a"), "exec:a");
	assert_string_equal(hook_action_text("exec:!a"), "exec:!a");
	assert_true(hook_action_is("exec:a", "exec"));
	assert_true(hook_action_is("exit", "exit"));
	assert_false(hook_action_is("exec:a", "exe"));
	assert_false(hook_action_is("exe", "exec"));
	assert_null(hook_action_instead("exec:a"));
	assert_null(hook_action_instead("nothing:a"));
	assert_non_null(hook_action_instead("callint:umask 5"));
}

static void test_ends(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(hook_action_run("exit:", &limits, &e), 1);
	assert_int_equal(hook_action_run("exit:7", &limits, &e), 8);
	assert_int_equal(hook_action_run("exec:exit 0", &limits, &e), 0);
	assert_int_equal(hook_action_run("exec:exit 7", &limits, &e), -1);
	assert_string_equal(e.text, "the command ended with exit code 7");
	assert_int_equal(hook_action_run("exec:kill -9 $$", &limits, &e), -1);
	assert_string_equal(e.text, "the command was ended by SIGKILL");
	assert_int_equal(hook_action_run("call:abort", &limits, &e), 0);
	assert_int_equal(hook_action_run("cd:/nowhere", &limits, &e), -1);
	assert_string_equal(e.text, "No such file or directory");
}

static void test_a_variable_comes_and_goes(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(hook_action_run("putenv:HOOK=a = b", &limits, &e), 0);
	assert_string_equal(getenv("HOOK"), "a = b");
	assert_int_equal(hook_action_run("putenv:HOOK", &limits, &e), 0);
	assert_null(getenv("HOOK"));
}

static void test_only_a_fifo_is_written_to_as_one(void **state)
{
	char folder[] = "/tmp/test_hook.XXXXXX", words[128], found[8] = "";
	struct error e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	int fd = open("treasure", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "gold", 4), 4);
	assert_int_equal(symlink("treasure", "fifo"), 0);
	snprintf(words, sizeof words, "writefifo:%s/fifo dust", folder);
	assert_int_equal(hook_action_run(words, &limits, &e), -1);
	assert_string_equal(e.text, "it is no FIFO");
	assert_int_equal(pread(fd, found, sizeof found, 0), 4);
	assert_string_equal(found, "gold");
	close(fd);
	unlink("fifo");
	unlink("treasure");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_a_variable_comes_and_goes),
		cmocka_unit_test(test_only_a_fifo_is_written_to_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
