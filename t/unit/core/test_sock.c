/* SPDX-License-Identifier: MIT */
/* test_sock.c: bytes, and the file that comes beside some of them. */
#include "unit.h"

#include "base/sock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void say_with_file(int fd, int file)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec v = { (char[]){ "abc" }, 3 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = sizeof control.space };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof file);
	memcpy(CMSG_DATA(c), &file, sizeof file);
	assert_int_equal(sendmsg(fd, &m, 0), 3);
}

/* The lowest number that is free: with it as the limit, no descriptor is. */
static int set_most_descriptors(const struct rlimit *before, int most)
{
	struct rlimit limit = { (rlim_t)most, before->rlim_max };

	return setrlimit(RLIMIT_NOFILE, &limit);
}

static void test_a_file_comes_with_the_bytes_that_it_was_sent_with(void **unused)
{
	struct stat sent, got;
	char bytes[16];
	int ends[2], file, copy;

	(void)unused;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	say_with_file(ends[0], file);
	assert_int_equal(send(ends[0], "d", 1, 0), 1);
	assert_int_equal(sock_receive_file(ends[1], bytes, 2, &copy), 2);
	assert_true(copy >= 0);
	assert_int_equal(fcntl(copy, F_GETFD), FD_CLOEXEC);
	fstat(file, &sent);
	fstat(copy, &got);
	assert_int_equal(sent.st_ino, got.st_ino);
	close(copy);
	assert_true(sock_receive_file(ends[1], bytes, sizeof bytes, &copy) > 0);
	assert_int_equal(copy, SOCK_NO_FILE);
	close(ends[0]);
	while (sock_receive_file(ends[1], bytes, sizeof bytes, &copy) > 0)
		;
	assert_int_equal(copy, SOCK_NO_FILE);
	close(ends[1]);
	close(file);
}

static void test_a_file_without_a_free_descriptor_is_lost(void **unused)
{
	struct rlimit before;
	char bytes[16];
	int ends[2], file, copy;

	(void)unused;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	say_with_file(ends[0], STDIN_FILENO);
	file = dup(STDIN_FILENO);
	close(file);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(set_most_descriptors(&before, file), 0);
	ssize_t n = sock_receive_file(ends[1], bytes, sizeof bytes, &copy);

	assert_int_equal(set_most_descriptors(&before, (int)before.rlim_cur), 0);
	assert_int_equal(n, 3);
	assert_int_equal(copy, SOCK_LOST_FILE);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_comes_with_the_bytes_that_it_was_sent_with),
		cmocka_unit_test(test_a_file_without_a_free_descriptor_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
