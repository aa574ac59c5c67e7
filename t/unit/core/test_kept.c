/* SPDX-License-Identifier: MIT */
/* test_kept.c: one process that is kept running, played without a process. */
#include "unit.h"

#include "process/kept.h"

struct fixture {
	struct kept kept;
	int forks, asked, killed, left;
	bool fails;
	pid_t pid; /* of the last fork */
};

static struct fixture *with(struct kept *k)
{
	return (struct fixture *)((char *)k - offsetof(struct fixture, kept));
}

static pid_t fake_fork(struct kept *k, struct slot *slot, struct error *e)
{
	struct fixture *f = with(k);

	(void)slot;
	if (f->fails)
		return uwsgi_error_set(e, "no");
	f->forks++;
	return ++f->pid;
}

static void fake_ask(struct kept *k, const struct slot *slot)
{
	(void)slot;
	with(k)->asked++;
}

static void fake_kill(struct kept *k, const struct slot *slot)
{
	(void)slot;
	with(k)->killed++;
}

static void fake_ended(struct kept *k, struct slot *slot, bool leaving)
{
	(void)slot;
	with(k)->left += leaving;
}

static const struct kept_kind kind = { fake_fork, fake_ask, fake_kill, fake_ended, true };

static struct fixture begin(void)
{
	return (struct fixture){
		.kept = { .kind = &kind,
			  .name = "fake",
			  .mercy_ms = 500,
			  .start_ms = 100,
			  .wanted = 1 },
		.pid = 100,
	};
}

/* When it is due again. */
static int64_t step(struct fixture *f, int64_t now_ms)
{
	int64_t due_ms = 0;

	kept_step(&f->kept, now_ms, &due_ms);
	return due_ms;
}

static bool dies(struct fixture *f, int64_t now_ms)
{
	siginfo_t info = { .si_code = CLD_EXITED };
	struct slot *slot = kept_find(&f->kept, f->pid);

	info.si_pid = f->pid;
	info.si_status = 1;
	assert_non_null(slot);
	return kept_ended(&f->kept, slot, &info, now_ms);
}

static void end(struct fixture *f, int64_t now_ms)
{
	f->kept.wanted = 0;
	step(f, now_ms);
	dies(f, now_ms);
	assert_int_equal(step(f, now_ms), 0);
	assert_int_equal(f->kept.running, 0);
}

static void test_it_is_started_again_later_and_later(void **unused)
{
	struct fixture f = begin();

	(void)unused;
	assert_int_equal(step(&f, 1000), 0);
	assert_int_equal(f.forks, 1);
	assert_null(kept_find(&f.kept, 7));
	assert_true(dies(&f, 1001));
	assert_int_equal(step(&f, 1001), 0);
	assert_int_equal(f.forks, 2);
	assert_true(dies(&f, 1002));
	assert_int_equal(step(&f, 1002), 1102);
	assert_int_equal(f.forks, 2);
	step(&f, 1102);
	assert_int_equal(f.forks, 3);
	assert_true(dies(&f, 1103));
	assert_int_equal(step(&f, 1103), 1303);
	step(&f, 1303);
	end(&f, 1304);
	assert_int_equal(f.left, 1);
}

static void test_the_delay_has_a_bound(void **unused)
{
	struct fixture f = begin();

	(void)unused;
	f.kept.longest_delay_ms = 150;
	step(&f, 1000);
	dies(&f, 1000);
	step(&f, 1000);
	dies(&f, 1000);
	assert_int_equal(step(&f, 1000), 1100);
	step(&f, 1100);
	dies(&f, 1100);
	assert_int_equal(step(&f, 1100), 1250);
	step(&f, 1250);
	end(&f, 1251);
}

static void test_it_may_say_how_long_to_wait(void **unused)
{
	struct fixture f = begin();

	(void)unused;
	step(&f, 1000);
	f.kept.own_delay_ms = 700;
	dies(&f, 1000);
	assert_int_equal(step(&f, 1000), 1700);
	step(&f, 1700);
	/* It holds once. */
	dies(&f, 9000);
	step(&f, 9000);
	assert_int_equal(f.forks, 3);
	end(&f, 9001);
}

static void test_a_fork_that_fails_is_tried_again(void **unused)
{
	struct fixture f = begin();

	(void)unused;
	f.fails = true;
	assert_int_equal(step(&f, 1000), 1100);
	f.fails = false;
	step(&f, 1100);
	assert_int_equal(f.forks, 1);
	end(&f, 1101);
}

/* The second one would find the first one's addresses taken. */
static void test_its_successor_comes_when_it_is_gone(void **unused)
{
	struct fixture f = begin();

	(void)unused;
	step(&f, 1000);
	f.kept.wanted = 2;
	assert_int_equal(step(&f, 2000), 2500);
	assert_int_equal(f.asked, 1);
	assert_int_equal(f.forks, 1);
	assert_int_equal(step(&f, 2100), 2500);
	assert_int_equal(f.asked, 1);
	assert_false(dies(&f, 2200));
	step(&f, 2200);
	assert_int_equal(f.forks, 2);
	assert_int_equal(f.kept.running, 2);
	end(&f, 2300);
}

static void test_who_does_not_leave_is_killed(void **unused)
{
	struct fixture f = begin();

	(void)unused;
	step(&f, 1000);
	f.kept.wanted = 0;
	step(&f, 1000);
	assert_int_equal(f.killed, 0);
	step(&f, 1500);
	assert_int_equal(f.killed, 1);
	assert_false(dies(&f, 1501));
	step(&f, 1501);
	assert_int_equal(f.kept.running, 0);
}

static void test_who_leaves_can_be_hurried(void **unused)
{
	struct fixture f = begin();

	(void)unused;
	step(&f, 1000);
	kept_hurry(&f.kept, 1000);
	step(&f, 1000);
	assert_int_equal(f.asked + f.killed, 0);
	f.kept.wanted = 0;
	step(&f, 1000);
	kept_hurry(&f.kept, 1010);
	step(&f, 1010);
	assert_int_equal(f.killed, 1);
	dies(&f, 1011);
	step(&f, 1011);
}

static void test_one_that_runs_once_is_not_started_again(void **unused)
{
	struct fixture f = begin();

	(void)unused;
	f.kept.once = true;
	step(&f, 1000);
	assert_true(dies(&f, 1001));
	assert_int_equal(step(&f, 1001), 0);
	assert_int_equal(f.forks, 1);
	assert_int_equal(f.kept.running, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_started_again_later_and_later),
		cmocka_unit_test(test_the_delay_has_a_bound),
		cmocka_unit_test(test_it_may_say_how_long_to_wait),
		cmocka_unit_test(test_a_fork_that_fails_is_tried_again),
		cmocka_unit_test(test_its_successor_comes_when_it_is_gone),
		cmocka_unit_test(test_who_does_not_leave_is_killed),
		cmocka_unit_test(test_who_leaves_can_be_hurried),
		cmocka_unit_test(test_one_that_runs_once_is_not_started_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
