/* SPDX-License-Identifier: MIT */
/* test_outcome.c: who is told what, and whose words count. */
#include "unit.h"

#include "process/outcome.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void expect(int fd, enum outcome_kind kind, const char *text)
{
	struct error e = { "" };

	assert_int_equal(outcome_read(fd, getpid(), &e), kind);
	if (text)
		assert_string_equal(e.text, text);
}

static int listen_as(uint64_t *ticket)
{
	struct error e;
	int fd = outcome_listen(ticket, &e);

	assert_true(fd >= 0);
	assert_int_not_equal(*ticket, 0);
	return fd;
}

static void test_a_reload_is_acknowledged_and_its_end_told(void **state)
{
	struct outcomes o = { 0 };
	uint64_t ticket;
	int fd = listen_as(&ticket);

	(void)state;
	assert_true(outcome_ask(&o, ticket));
	expect(fd, OUTCOME_UNDER_WAY, "");
	expect(fd, OUTCOME_NONE, NULL);
	outcome_begin(&o);
	outcome_end(&o, OUTCOME_FAILED, "no such module");
	expect(fd, OUTCOME_FAILED, "no such module");
	assert_int_equal(o.count, 0);
	close(fd);
}

static void test_whoever_asks_during_a_reload_is_told_of_the_next(void **state)
{
	struct outcomes o = { 0 };
	uint64_t first, second;
	int a = listen_as(&first), b = listen_as(&second);

	(void)state;
	assert_true(outcome_ask(&o, first));
	outcome_begin(&o);
	assert_true(outcome_ask(&o, second));
	outcome_end(&o, OUTCOME_DONE, "");
	expect(a, OUTCOME_UNDER_WAY, NULL);
	expect(a, OUTCOME_DONE, NULL);
	expect(b, OUTCOME_UNDER_WAY, NULL);
	expect(b, OUTCOME_NONE, NULL);
	outcome_end_all(&o, OUTCOME_FAILED, "stopping");
	expect(b, OUTCOME_FAILED, "stopping");
	close(a);
	close(b);
}

static void test_asking_again_asks_for_nothing_more(void **state)
{
	struct outcomes o = { 0 };
	uint64_t ticket;
	int fd = listen_as(&ticket);

	(void)state;
	assert_true(outcome_ask(&o, ticket));
	assert_false(outcome_ask(&o, ticket));
	assert_int_equal(o.count, 1);
	expect(fd, OUTCOME_UNDER_WAY, NULL);
	expect(fd, OUTCOME_UNDER_WAY, NULL);
	outcome_end_all(&o, OUTCOME_DONE, "");
	expect(fd, OUTCOME_DONE, NULL);
	/* A signal that was sent again and comes late. */
	assert_false(outcome_ask(&o, ticket));
	assert_int_equal(o.count, 0);
	close(fd);
}

static void test_a_signal_without_a_ticket_is_nobodys(void **state)
{
	struct outcomes o = { 0 };

	(void)state;
	assert_true(outcome_ask(&o, 0));
	assert_true(outcome_ask(&o, 0));
	assert_int_equal(o.count, 0);
}

static void test_too_many_are_not_answered_but_reload(void **state)
{
	struct outcomes o = { 0 };
	uint64_t ticket;
	int fd = listen_as(&ticket);

	(void)state;
	for (uint64_t i = 1; i <= OUTCOME_ASKERS; i++)
		assert_true(outcome_ask(&o, i));
	assert_true(outcome_ask(&o, ticket));
	expect(fd, OUTCOME_NONE, NULL);
	/* Nobody listens to the others: that is no reason to wait or to stop. */
	outcome_end_all(&o, OUTCOME_DONE, "");
	assert_int_equal(o.count, 0);
	close(fd);
}

static void test_words_of_another_process_do_not_count(void **state)
{
	struct outcomes o = { 0 };
	struct error e;
	uint64_t ticket;
	int fd = listen_as(&ticket), status;
	pid_t stranger = fork();

	(void)state;
	if (stranger == 0) {
		outcome_ask(&o, ticket);
		outcome_end_all(&o, OUTCOME_DONE, "");
		_exit(0);
	}
	assert_int_equal(waitpid(stranger, &status, 0), stranger);
	assert_int_equal(outcome_read(fd, getpid(), &e), OUTCOME_NONE);
	assert_int_equal(outcome_read(fd, stranger, &e), OUTCOME_DONE);
	close(fd);
}

static void test_what_is_no_datagram_of_ours_does_not_count(void **state)
{
	struct sockaddr_un un;
	socklen_t length = sizeof un;
	uint64_t ticket;
	int fd = listen_as(&ticket), own = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)state;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&un, &length), 0);
	assert_int_equal(sendto(own, "short", 5, 0, (struct sockaddr *)&un, length), 5);
	expect(fd, OUTCOME_NONE, NULL);
	close(own);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reload_is_acknowledged_and_its_end_told),
		cmocka_unit_test(test_whoever_asks_during_a_reload_is_told_of_the_next),
		cmocka_unit_test(test_asking_again_asks_for_nothing_more),
		cmocka_unit_test(test_a_signal_without_a_ticket_is_nobodys),
		cmocka_unit_test(test_too_many_are_not_answered_but_reload),
		cmocka_unit_test(test_words_of_another_process_do_not_count),
		cmocka_unit_test(test_what_is_no_datagram_of_ours_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
