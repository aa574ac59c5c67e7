/* SPDX-License-Identifier: MIT */
/* test_stray.c: what a child of the application has of the server's sockets and signals.  A process
 * begins this once, so each test runs in one of its own. */
#include "unit.h"

#include "base/stray.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* 0 to 255, or minus a signal. */
static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* How a process ends that runs the function. */
static int run(int (*function)(void))
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(function());
	return end_of(pid);
}

static void begin(const int *listeners, size_t count, int channel)
{
	const struct stray_sockets sockets = { .listeners = listeners,
					       .listener_count = count,
					       .channel = channel,
					       .queues = { -1, -1, -1, -1 } };
	struct error e;

	if (stray_init(&e) || stray_begin(&sockets, &e)) {
		fprintf(stderr, "%s\n", e.text);
		_exit(100);
	}
}

/* ---- sockets ---- */

/* A listener on any port of the address, and both ends of a connection to it. */
struct served {
	int listener, accepted, client;
};

static struct served serve(const struct sockaddr *address, socklen_t length)
{
	struct sockaddr_storage name;
	socklen_t n = sizeof name;
	struct served s = { socket(address->sa_family, SOCK_STREAM, 0), -1,
			    socket(address->sa_family, SOCK_STREAM, 0) };

	if (bind(s.listener, address, length) || listen(s.listener, 1) ||
	    getsockname(s.listener, (struct sockaddr *)&name, &n) ||
	    connect(s.client, (struct sockaddr *)&name, n))
		_exit(101);
	s.accepted = accept(s.listener, NULL, NULL);
	return s;
}

static struct served serve_ipv4(const char *host)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	inet_pton(AF_INET, host, &in.sin_addr);
	return serve((struct sockaddr *)&in, sizeof in);
}

static struct served serve_ipv6(const char *host)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	inet_pton(AF_INET6, host, &in6.sin6_addr);
	return serve((struct sockaddr *)&in6, sizeof in6);
}

/* In the abstract namespace, with a name that the kernel chooses. */
static struct served serve_unix(void)
{
	const struct sockaddr_un un = { .sun_family = AF_UNIX };

	return serve((const struct sockaddr *)&un, sizeof un.sun_family);
}

/* A stray opens something else, which may get a number that has become free. */
static bool is_open(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

enum { IPV4, ANY, IPV6, UNIX, APPLICATIONS, KINDS };

/* Exits with the number of sockets that are not as they should be. */
static int check_sockets(const struct served *served, int channel, bool is_stray)
{
	int wrong = is_open(channel) == is_stray;

	for (size_t i = 0; i < KINDS; i++) {
		bool stays = !is_stray || i == APPLICATIONS;

		wrong += is_open(served[i].listener) != stays;
		wrong += is_open(served[i].accepted) != stays;
		wrong += !is_open(served[i].client);
	}
	return wrong;
}

static int compare_sockets(void)
{
	const struct served served[KINDS] = {
		[IPV4] = serve_ipv4("127.0.0.1"),
		[ANY] = serve_ipv4("0.0.0.0"),
		[IPV6] = serve_ipv6("::1"),
		[UNIX] = serve_unix(),
		[APPLICATIONS] = serve_ipv4("127.0.0.1"), /* a server of its own */
	};
	const int listeners[] = { served[IPV4].listener, served[ANY].listener,
				  served[IPV6].listener, served[UNIX].listener };
	int channel = socket(AF_UNIX, SOCK_DGRAM, 0);

	begin(listeners, sizeof listeners / sizeof *listeners, channel);
	pid_t own = stray_fork_own();
	if (own == 0)
		_exit(check_sockets(served, channel, false));
	pid_t stray = fork();
	if (stray == 0)
		_exit(check_sockets(served, channel, true));
	return end_of(own) + 10 * end_of(stray) + check_sockets(served, channel, false);
}

static void test_a_stray_has_only_sockets_of_the_application(void **unused)
{
	(void)unused;
	assert_int_equal(run(compare_sockets), 0);
}

/* ---- signals ---- */

static void on_ours(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
}

static void on_theirs(int number)
{
	(void)number;
	_exit(7);
}

/* How a child ends that sends itself a signal. */
static int end_by(pid_t (*fork_one)(void), int number)
{
	pid_t pid = fork_one();

	if (pid == 0) {
		kill(getpid(), number);
		_exit(0);
	}
	return end_of(pid);
}

static int compare_signals(void)
{
	signal(SIGUSR1, SIG_IGN); /* as whoever started the server left it */
	signal(SIGHUP, SIG_DFL);  /* nohup(1) may have started the test */
	stray_handle(SIGUSR1, on_ours);
	begin(NULL, 0, -1);
	signal(SIGTERM, on_theirs);
	stray_handle(SIGTERM, on_ours);
	stray_handle(SIGTERM, on_ours); /* again does not make it the one before */
	stray_handle(SIGHUP, on_ours);
	stray_handle(SIGUSR2, on_ours);
	signal(SIGUSR2, on_theirs); /* taken over by the application */
	return 1 * (end_by(fork, SIGTERM) != 7) + 2 * (end_by(fork, SIGHUP) != -SIGHUP) +
	       4 * (end_by(fork, SIGUSR1) != -SIGUSR1) + 8 * (end_by(fork, SIGUSR2) != 7) +
	       16 * (end_by(stray_fork_own, SIGTERM) != 0) +
	       32 * (end_by(stray_fork_own, SIGHUP) != 0);
}

static void test_signals_of_a_stray_are_those_of_the_application(void **unused)
{
	(void)unused;
	assert_int_equal(run(compare_signals), 0);
}

/* ---- ends ---- */

static int stray_does_not_go_on(void)
{
	begin(NULL, 0, -1);
	stray_end();
	pid_t pid = fork();
	if (pid == 0) {
		if (uwsgi_is_stray())
			stray_end();
		_exit(1);
	}
	return end_of(pid) || uwsgi_is_stray();
}

static void test_a_stray_ends_where_it_is_asked_to(void **unused)
{
	(void)unused;
	assert_int_equal(run(stray_does_not_go_on), 0);
}

/* A master whose child has forked: it ends when that has said so. */
static int leave_a_stray(void)
{
	int ready[2];
	char byte;

	if (pipe(ready))
		return 102;
	begin(NULL, 0, -1);
	if (stray_fork_own() == 0) {
		if (fork() == 0) {
			signal(SIGIO, SIG_IGN); /* whatever the application does with it */
			if (write(ready[1], "", 1) != 1)
				_exit(103);
			for (;;)
				pause();
		}
		_exit(0);
	}
	return read(ready[0], &byte, 1) != 1;
}

static void test_a_stray_ends_with_the_master(void **unused)
{
	int alive[2];
	char byte;

	(void)unused;
	/* The stray's end of the pipe closes with it. */
	assert_int_equal(pipe(alive), 0);
	assert_int_equal(run(leave_a_stray), 0);
	close(alive[1]);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	close(alive[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stray_has_only_sockets_of_the_application),
		cmocka_unit_test(test_signals_of_a_stray_are_those_of_the_application),
		cmocka_unit_test(test_a_stray_ends_where_it_is_asked_to),
		cmocka_unit_test(test_a_stray_ends_with_the_master),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
