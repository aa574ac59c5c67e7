/* SPDX-License-Identifier: MIT */
/* test_alarm.c: the words of alarms, and messages that raise them. */
#include "unit.h"

#include "base/raise.h"
#include "base/slice.h"
#include "process/alarm.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void assert_is(struct slice s, const char *text)
{
	assert_int_equal(s.n, strlen(text));
	assert_memory_equal(s.p, text, s.n);
}

static void test_each_kind_is_read(void **unused)
{
	static const struct {
		const char *value;
		enum alarm_kind kind;
		const char *argument;
		int signal;
	} cases[] = {
		{ "a cmd:mail -s 'x: y' z", ALARM_COMMAND, "mail -s 'x: y' z", 0 },
		{ "a   cmd:true", ALARM_COMMAND, "true", 0 },
		{ "a log:", ALARM_LOG, "", 0 },
		{ "a log", ALARM_LOG, "", 0 },
		{ "a log:pre: fix", ALARM_LOG, "pre: fix", 0 },
		{ "a signal:HUP", ALARM_SIGNAL, "HUP", SIGHUP },
		{ "a signal:SIGTTIN", ALARM_SIGNAL, "SIGTTIN", SIGTTIN },
		{ "a udp:127.0.0.1:514", ALARM_UDP, "127.0.0.1:514", 0 },
		{ "a udp:[::1]:514", ALARM_UDP, "[::1]:514", 0 },
		/* They are not here. */
		{ "a signal:1", ALARM_LOG, "", 0 },
		{ "a mule:2", ALARM_LOG, "", 0 },
		{ "a curl:smtp://x;mail_to=y", ALARM_LOG, "", 0 },
	};
	struct alarm_what a;
	struct error e;

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(alarm_read(&a, cases[i].value, &e), 0);
		assert_is(a.name, "a");
		assert_int_equal(a.kind, cases[i].kind);
		assert_string_equal(a.argument, cases[i].argument);
		assert_int_equal(a.signal, cases[i].signal);
	}
}

static void test_what_is_no_alarm_is_refused(void **unused)
{
	static const char *const cases[] = {
		"", "a", "a ", " cmd:x", "a cmd:", "a :x", "a x:y", "a signal:KILL", "a udp:/path",
	};
	struct alarm_what a;
	struct error e;

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(alarm_read(&a, cases[i], &e), -1);
}

static void test_rules_name_alarms(void **unused)
{
	struct slice names, name;
	const char *expression;
	struct error e;

	(void)unused;
	assert_int_equal(alarm_read_rule(",a,,bc, ^x y", &names, &expression, &e), 0);
	assert_string_equal(expression, "^x y");
	assert_true(alarm_next_name(&names, &name));
	assert_is(name, "a");
	assert_true(alarm_next_name(&names, &name));
	assert_is(name, "bc");
	assert_false(alarm_next_name(&names, &name));
	assert_int_equal(alarm_read_rule("a", &names, &expression, &e), -1);
	assert_int_equal(alarm_read_rule("a ", &names, &expression, &e), -1);
}

static void test_descriptors_are_read(void **unused)
{
	static const char *const bad[] = { "a",      "a 3",    "a 3 ",    "a x y",     " 3 x",
					   "a -1 x", "a 3: x", "a 3:0 x", "a 3:9999 x" };
	struct alarm_fd f;
	struct error e;

	(void)unused;
	assert_int_equal(alarm_read_fd(&f, "a 7:8 b c", &e), 0);
	assert_is(f.name, "a");
	assert_int_equal(f.fd, 7);
	assert_int_equal(f.bytes, 8);
	assert_string_equal(f.text, "b c");
	assert_int_equal(alarm_read_fd(&f, "a 7 b", &e), 0);
	assert_int_equal(f.bytes, 1);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(alarm_read_fd(&f, bad[i], &e), -1);
}

static void test_messages_arrive_as_they_were_sent(void **unused)
{
	static char buffer[UWSGI_ALARM_MAX + 256], large[UWSGI_ALARM_MAX + 9];
	struct slice name, text;
	int ends[2];

	(void)unused;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	raise_set_socket(ends[1]);
	uwsgi_alarm(SLICE("page"), SLICE("one\ntwo"));
	uwsgi_alarm(SLICE(""), SLICE(""));
	uwsgi_alarm(SLICE("large"), (struct slice){ large, sizeof large });
	assert_true(raise_receive(ends[0], buffer, sizeof buffer, &name, &text));
	assert_is(name, "page");
	assert_is(text, "one\ntwo");
	assert_true(raise_receive(ends[0], buffer, sizeof buffer, &name, &text));
	assert_int_equal(name.n + text.n, 0);
	assert_true(raise_receive(ends[0], buffer, sizeof buffer, &name, &text));
	assert_is(name, "large");
	assert_int_equal(text.n, UWSGI_ALARM_MAX);
	assert_false(raise_receive(ends[0], buffer, sizeof buffer, &name, &text));
	/* Somebody else's message. */
	assert_int_equal(send(ends[1], "xyz", 3, 0), 3);
	assert_true(raise_receive(ends[0], buffer, sizeof buffer, &name, &text));
	assert_is(name, "xyz");
	assert_int_equal(text.n, 0);
	raise_set_socket(-1);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_is_read),
		cmocka_unit_test(test_what_is_no_alarm_is_refused),
		cmocka_unit_test(test_rules_name_alarms),
		cmocka_unit_test(test_descriptors_are_read),
		cmocka_unit_test(test_messages_arrive_as_they_were_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
