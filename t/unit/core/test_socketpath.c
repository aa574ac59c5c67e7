/* SPDX-License-Identifier: MIT */
/* test_socketpath.c: files of UNIX sockets: whose they are, and that nobody else's is touched. */
#include "unit.h"

#include "wire/socketpath.h"

#include <fcntl.h>
#include <linux/un.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	char name[32], path[64], other[64];
};

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof *f);

	strcpy(f->name, "/tmp/uwsgi-u-XXXXXX");
	if (!mkdtemp(f->name))
		return -1;
	snprintf(f->path, sizeof f->path, "%s/s", f->name);
	snprintf(f->other, sizeof f->other, "%s/other", f->name);
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;

	unlink(f->path);
	unlink(f->other);
	rmdir(f->name);
	free(f);
	return 0;
}

static int bound_socket(const char *path, const struct socket_access *access)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	assert_int_equal(socketpath_bind(fd, (struct sockaddr *)&sa, sizeof sa, access), 0);
	return fd;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static const struct socket_access nothing = { 0 };

static void test_only_a_socket_that_nobody_listens_on_is_cleared(void **state)
{
	const struct folder *f = *state;
	bool taken = false;
	struct error e;
	struct stat st;

	assert_int_equal(socketpath_clear(f->path, &taken, &e), 0); /* there is none */
	int fd = bound_socket(f->path, &nothing);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(socketpath_clear(f->path, &taken, &e), -1);
	assert_true(taken);
	close(fd);
	assert_int_equal(symlink(f->path, f->other), 0);
	assert_int_equal(socketpath_clear(f->other, &taken, &e), -1); /* a link to a stale one */
	assert_int_equal(lstat(f->path, &st), 0);
	taken = true;
	assert_int_equal(socketpath_clear(f->path, &taken, &e), 0);
	assert_false(taken);
	assert_int_equal(lstat(f->path, &st), -1);
}

static void test_a_file_has_its_mode_whatever_the_umask(void **state)
{
	const struct folder *f = *state;
	const struct socket_access access = { .has_mode = true, .mode = 0620 };
	mode_t before = umask(0077);

	close(bound_socket(f->path, &access));
	assert_int_equal(mode_of(f->path), 0620);
	assert_int_equal(umask(before), 0077);
}

static void test_access_is_set_to_the_own_socket_only(void **state)
{
	const struct folder *f = *state;
	const struct socket_access access = { .has_mode = true, .mode = 0600 };
	struct error e;
	int fd = bound_socket(f->path, &nothing);
	ino_t own = socketpath_inode(fd, f->path);

	assert_int_equal(socketpath_set_access(fd, f->path, own, &access, &e), 0);
	assert_int_equal(mode_of(f->path), 0600);

	/* Another socket in its place, and a link to one. */
	assert_int_equal(rename(f->path, f->other), 0);
	int stranger =
		bound_socket(f->path, &(struct socket_access){ .has_mode = true, .mode = 0640 });
	assert_int_equal(socketpath_set_access(fd, f->path, own, &access, &e), -1);
	assert_non_null(strstr(e.text, "not the server's own socket"));
	assert_int_equal(mode_of(f->path), 0640);
	unlink(f->path);
	assert_int_equal(symlink(f->other, f->path), 0);
	assert_int_equal(socketpath_set_access(fd, f->path, own, &access, &e), -1);
	close(stranger);
	close(fd);
}

/* Between bind() and the look at the file: the kernel still knows which one was bound. */
static void test_another_socket_in_its_place_at_once_is_not_taken_for_it(void **state)
{
	const struct folder *f = *state;
	const struct socket_access access = { .has_mode = true, .mode = 0600 };
	struct error e;
	int fd = bound_socket(f->path, &nothing), file = ioctl(fd, SIOCUNIXFILE);

	if (file < 0)
		skip(); /* no CAP_NET_ADMIN */
	close(file);
	assert_int_equal(rename(f->path, f->other), 0);
	int stranger =
		bound_socket(f->path, &(struct socket_access){ .has_mode = true, .mode = 0640 });
	ino_t own = socketpath_inode(fd, f->path);
	assert_int_equal(socketpath_set_access(fd, f->path, own, &access, &e), -1);
	assert_int_equal(mode_of(f->path), 0640);
	socketpath_remove(f->path, own);
	assert_true(exists(f->path));
	close(stranger);
	close(fd);
}

static void test_only_the_own_file_is_removed(void **state)
{
	const struct folder *f = *state;
	int fd = bound_socket(f->path, &nothing);
	ino_t own = socketpath_inode(fd, f->path);

	assert_int_equal(rename(f->path, f->other), 0);
	int stranger = bound_socket(f->path, &nothing);
	socketpath_remove(f->path, own);
	assert_true(exists(f->path));
	socketpath_remove(f->path, 0);
	assert_true(exists(f->path));
	socketpath_remove(f->other, own);
	assert_false(exists(f->other));
	close(stranger);
	close(fd);
}

static void test_words(void **unused)
{
	struct socket_access a = { 0 };
	struct error e;

	(void)unused;
	assert_int_equal(socketpath_parse_mode("0640", &a, &e), 0);
	assert_int_equal(a.mode, 0640);
	assert_int_equal(socketpath_parse_mode("9", &a, &e), -1);
	assert_int_equal(socketpath_parse_mode("", &a, &e), -1);
	assert_int_equal(socketpath_parse_mode("10000", &a, &e), -1);
	assert_int_equal(socketpath_parse_owner("12:34", &a, &e), 0);
	assert_true(a.uid == 12 && a.gid == 34);
	assert_int_equal(socketpath_parse_owner("root", &a, &e), 0);
	assert_true(a.uid == 0 && a.gid == (gid_t)-1);
	assert_int_equal(socketpath_parse_owner(":34", &a, &e), 0);
	assert_true(a.uid == (uid_t)-1 && a.gid == 34);
	assert_int_equal(socketpath_parse_owner("no-such-user", &a, &e), -1);
	assert_int_equal(socketpath_parse_owner("root:no-such-group", &a, &e), -1);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_only_a_socket_that_nobody_listens_on_is_cleared),
		WITH_FOLDER(test_a_file_has_its_mode_whatever_the_umask),
		WITH_FOLDER(test_access_is_set_to_the_own_socket_only),
		WITH_FOLDER(test_another_socket_in_its_place_at_once_is_not_taken_for_it),
		WITH_FOLDER(test_only_the_own_file_is_removed),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
