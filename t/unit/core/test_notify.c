/* SPDX-License-Identifier: MIT */
/* test_notify.c: what the service manager gets to read, byte by byte. */
#include "unit.h"

#include "process/notify.h"
#include "process/pulse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The manager's socket, under an abstract name that is in the environment. */
static int listen_as_manager(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	char name[64];

	int n = snprintf(name, sizeof name, "@uwsgi-test-notify-%ld", (long)getpid());
	memcpy(un.sun_path + 1, name + 1, (size_t)n - 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&un,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static const char *heard(int fd, char *text, size_t size)
{
	ssize_t n = recv(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void test_what_is_said(void **state)
{
	char text[2048], wanted[128];
	struct notify n;
	int fd = listen_as_manager();

	(void)state;
	notify_init(&n);
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_status(&n, "starts");
	assert_string_equal(heard(fd, text, sizeof text), "STATUS=starts");
	notify_ready(&n, false, "serves");
	assert_string_equal(heard(fd, text, sizeof text), "READY=1\nSTATUS=serves");
	snprintf(wanted, sizeof wanted, "READY=1\nMAINPID=%ld\nSTATUS=serves", (long)getpid());
	notify_ready(&n, true, "serves");
	assert_string_equal(heard(fd, text, sizeof text), wanted);
	notify_reloading(&n, "again");
	heard(fd, text, sizeof text);
	assert_true(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27) == 0);
	assert_string_equal(strchr(text + 27, '\n'), "\nSTATUS=again");
	notify_stopping(&n, "ends", 5);
	assert_string_equal(heard(fd, text, sizeof text), "STOPPING=1\nEXTEND_TIMEOUT_USEC=15000000\nSTATUS=ends");
	notify_close(&n);
	close(fd);
}

/* A traceback must not say READY=1 in the server's name. */
static void test_a_status_is_one_line(void **state)
{
	char text[4096], status[3000];
	struct notify n;
	int fd = listen_as_manager();

	(void)state;
	notify_init(&n);
	notify_status(&n, "one\nREADY=1");
	assert_string_equal(heard(fd, text, sizeof text), "STATUS=one");
	memset(status, 'x', sizeof status - 1);
	status[sizeof status - 1] = '\0';
	notify_stopping(&n, status, 0);
	heard(fd, text, sizeof text);
	assert_true(strncmp(text, "STOPPING=1\nSTATUS=xxx", 21) == 0);
	notify_close(&n);
	close(fd);
}

static void test_the_watchdog_hears_that_it_is_well(void **state)
{
	char text[2048], pid[16];
	struct notify n;
	int fd = listen_as_manager();

	(void)state;
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	notify_init(&n);
	assert_true(n.watchdog_s > 2.9 && n.watchdog_s < 3.1);
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
	notify_ready(&n, false, "serves");
	heard(fd, text, sizeof text);
	notify_beat(&n, "1 busy");
	assert_string_equal(heard(fd, text, sizeof text), "WATCHDOG=1\nSTATUS=serves; 1 busy");
	notify_beat(&n, "1 busy");
	assert_string_equal(heard(fd, text, sizeof text), "WATCHDOG=1\n");
	notify_stopping(&n, "ends", 0);
	heard(fd, text, sizeof text);
	notify_beat(&n, "1 busy");
	assert_string_equal(heard(fd, text, sizeof text), "WATCHDOG=1\nSTATUS=ends; 1 busy");
	notify_close(&n);
	close(fd);
}

static void test_a_watchdog_of_another_process_is_not_ours(void **state)
{
	struct notify n;
	int fd = listen_as_manager();
	char text[2048];

	(void)state;
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_init(&n);
	assert_true(n.watchdog_s == 0);
	notify_status(&n, "starts");
	heard(fd, text, sizeof text);
	notify_beat(&n, "0 busy");
	assert_string_equal(heard(fd, text, sizeof text), "STATUS=starts; 0 busy");
	notify_beat(&n, "0 busy");
	assert_true(recv(fd, text, sizeof text, MSG_DONTWAIT) < 0);
	notify_close(&n);
	close(fd);
}

static void test_nobody_listens(void **state)
{
	struct notify n;
	int fd;

	(void)state;
	notify_init(&n);
	assert_int_equal(n.fd, -1);
	notify_ready(&n, false, "serves");
	setenv("NOTIFY_SOCKET", "", 1);
	notify_init(&n);
	assert_int_equal(n.fd, -1);
	/* One that has gone meanwhile, and one that does not read: nothing waits for it. */
	fd = listen_as_manager();
	notify_init(&n);
	for (int i = 0; i < 10000; i++)
		notify_status(&n, "again");
	close(fd);
	notify_status(&n, "gone");
	notify_close(&n);
	assert_int_equal(n.fd, -1);
	notify_close(&n);
}

/* What another program has counted before is not of this second. */
static void test_a_pulse_begins_with_what_is_counted(void **state)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct totals totals = { .requests = 5000 };
	struct succession none = { 0 };
	struct notify n = { .watchdog_s = 0.02, .fd = -1 };
	struct pulse p;
	char text[2048];
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	n.fd = ends[0];
	pulse_start(&p, loop, &n, &none, &totals);
	ev_run(loop, EVRUN_ONCE);
	assert_string_equal(heard(ends[1], text, sizeof text),
			    "WATCHDOG=1\nSTATUS=0 busy, 5000 requests, 0 a second");
	pulse_stop(&p);
	close(ends[1]);
	notify_close(&n);
	ev_loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_said),
		cmocka_unit_test(test_a_status_is_one_line),
		cmocka_unit_test(test_the_watchdog_hears_that_it_is_well),
		cmocka_unit_test(test_a_watchdog_of_another_process_is_not_ours),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_a_pulse_begins_with_what_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
