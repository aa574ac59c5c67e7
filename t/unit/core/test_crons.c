/* SPDX-License-Identifier: MIT */
/* test_crons.c: which commands the master runs at a look at the clock, played without a process. */
#include "unit.h"

#include "process/crons.h"
#include "process/environment.h"
#include "settings/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MINUTE_MS = 60000 };

/* No process has such a number, so nobody is killed. */
static const pid_t nobody = 1 << 23;

struct fixture {
	struct jobs jobs;
	struct crons crons;
	struct crons_now now;
	struct config *cfg;
	bool fails;
	int forks;
	char ran[256]; /* commands since begin_look() */
};

static pid_t fake_fork(void *data, const struct attached *what, const char *name)
{
	struct fixture *f = data;

	(void)name;
	if (f->fails)
		return -1;
	strcat(strcat(f->ran, what->command), " ");
	return nobody + ++f->forks;
}

static struct config *load(char **words, int count)
{
	static const struct option_table *const tables[] = { &config_table, &crontab_options,
							     &environment_options };
	char *argv[16] = { (char[]){ "uwsgi" } }, *environ_[] = { NULL };
	struct report report;

	for (int i = 0; i < count; i++)
		argv[i + 1] = words[i];
	const struct invocation invocation = {
		.argc = count + 1, .argv = argv, .environ_ = environ_, .cwd = "/"
	};

	report_init(&report);
	struct config *cfg = config_load(&invocation, tables, 3, &report);

	assert_int_equal(report.errors, 0);
	report_fini(&report);
	return cfg;
}

static void use(struct fixture *f, char **words, int count)
{
	struct config *before = f->cfg;

	f->cfg = load(words, count);
	crons_use(&f->crons, f->cfg);
	if (before)
		config_free(before);
}

#define USE(f, ...)                                                                                \
	use(f, (char *[]){ __VA_ARGS__ }, (int)(sizeof(char *[]){ __VA_ARGS__ } / sizeof(char *)))

/* 2026-11-26 12:00:10 UTC */
static void begin(struct fixture *f)
{
	unsetenv("TZ");
	setenv("TZ", "UTC", 1);
	*f = (struct fixture){
		.jobs = { .fork = fake_fork },
		.now = { .wall_ms = 1795694410000, .boot_ms = 5000000, .now_ms = 4000000 }
	};
	f->jobs.data = f;
	jobs_init(&f->jobs);
	crons_init(&f->crons, &f->jobs, (struct ring){ 0 });
}

static void end(struct fixture *f)
{
	crons_fini(&f->crons);
	jobs_fini(&f->jobs);
	config_free(f->cfg);
}

/* So much later by each clock: what is run. */
static const char *look(struct fixture *f, int64_t wall_ms, int64_t boot_ms, int64_t now_ms)
{
	f->now.wall_ms += wall_ms;
	f->now.boot_ms += boot_ms;
	f->now.now_ms += now_ms;
	f->ran[0] = '\0';
	crons_step(&f->crons, &f->now);
	return f->ran;
}

static const char *later(struct fixture *f, int64_t ms)
{
	return look(f, ms, ms, ms);
}

static void finish(struct fixture *f, pid_t pid)
{
	const siginfo_t info = { .si_pid = pid, .si_code = CLD_EXITED };

	assert_true(jobs_ended(&f->jobs, &info, f->now.now_ms));
	crons_show(&f->crons);
}

static void test_each_minute_is_looked_at_once(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	USE(&f, (char[]){ "--cron=-1 -1 -1 -1 -1 every" }, (char[]){ "--cron=1 12 -1 -1 -1 noon" },
	    (char[]){ "--cron2=minute=-2 even" });
	assert_string_equal(later(&f, 0), "every even ");
	assert_string_equal(later(&f, 40000), "");
	assert_string_equal(later(&f, 10000), "every noon ");
	assert_string_equal(later(&f, MINUTE_MS), "every even ");
	end(&f);
}

static void test_it_is_asked_again_when_the_next_minute_begins(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	USE(&f, (char[]){ "--cron=-1 -1 -1 -1 -1 every" });
	assert_int_equal(crons_step(&f.crons, &f.now) - f.now.now_ms, 50000);
	end(&f);
}

static void test_without_entries_nobody_is_woken(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	USE(&f, (char[]){ "--cron-harakiri=3" });
	assert_int_equal(crons_step(&f.crons, &f.now), 0);
	end(&f);
}

static void test_after_sleep_each_runs_once(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	USE(&f, (char[]){ "--cron=-1 -1 -1 -1 -1 every" }, (char[]){ "--cron=30 14 -1 -1 -1 half" },
	    (char[]){ "--cron=30 23 -1 -1 -1 night" });
	later(&f, 0);
	/* The monotonic clock stands still meanwhile. */
	assert_string_equal(look(&f, 480LL * MINUTE_MS, 480LL * MINUTE_MS, 1000), "every half ");
	assert_string_equal(later(&f, MINUTE_MS), "every ");
	end(&f);
}

static void test_a_clock_that_was_set_is_no_sleep(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	USE(&f, (char[]){ "--cron=-1 -1 -1 -1 -1 every" },
	    (char[]){ "--cron=30 14 -1 -1 -1 half" });
	later(&f, 0);
	assert_string_equal(look(&f, 480LL * MINUTE_MS, MINUTE_MS, MINUTE_MS), "every ");
	end(&f);
}

static void test_unique_waits_for_the_one_before(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	USE(&f, (char[]){ "--unique-cron=-1 -1 -1 -1 -1 alone" },
	    (char[]){ "--cron=-1 -1 -1 -1 -1 many" });
	assert_string_equal(later(&f, 0), "many alone ");
	assert_string_equal(later(&f, MINUTE_MS), "many ");
	/* A reload knows it by its words. */
	USE(&f, (char[]){ "--cron=-1 -1 -1 -1 -1 other" },
	    (char[]){ "--unique-cron=-1 -1 -1 -1 -1 alone" });
	assert_string_equal(later(&f, MINUTE_MS), "other ");
	finish(&f, nobody + 2);
	assert_non_null(strstr(later(&f, MINUTE_MS), "alone"));
	end(&f);
}

static void test_one_that_cannot_be_started_is_tried_the_next_time(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	USE(&f, (char[]){ "--unique-cron=-1 -1 -1 -1 -1 alone" });
	f.fails = true;
	assert_string_equal(later(&f, 0), "");
	f.fails = false;
	assert_string_equal(later(&f, MINUTE_MS), "alone ");
	end(&f);
}

static void test_the_limit_is_a_deadline(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	USE(&f, (char[]){ "--cron2=harakiri=5 limited" }, (char[]){ "--cron=-1 -1 -1 -1 -1 slow" },
	    (char[]){ "--cron-harakiri=7" });
	later(&f, 0);
	assert_int_equal(jobs_step(&f.jobs, f.now.now_ms), f.now.now_ms + 5000);
	assert_int_equal(jobs_step(&f.jobs, f.now.now_ms + 5000), f.now.now_ms + 7000);
	assert_int_equal(jobs_step(&f.jobs, f.now.now_ms + 7000), 0);
	end(&f);
}

static void test_the_zone_is_that_of_env(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	USE(&f, (char[]){ "--cron=-1 22 -1 -1 -1 there" }, (char[]){ "--cron=-1 12 -1 -1 -1 here" },
	    (char[]){ "--env=TZ=XYZ-10" });
	assert_string_equal(later(&f, 0), "there ");
	USE(&f, (char[]){ "--cron=-1 22 -1 -1 -1 there" },
	    (char[]){ "--cron=-1 12 -1 -1 -1 here" });
	assert_string_equal(later(&f, MINUTE_MS), "here ");
	end(&f);
}

/* Applications that are imported later inherit it. */
static void test_the_zone_goes_with_the_commands(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	USE(&f, (char[]){ "--cron=-1 -1 -1 -1 -1 any" }, (char[]){ "--env=TZ=XYZ-10" });
	assert_string_equal(getenv("TZ"), "XYZ-10");
	USE(&f, (char[]){ "--env=TZ=XYZ-10" });
	assert_string_equal(getenv("TZ"), "UTC");
	end(&f);
}

static void test_another_program_knows_the_zone_of_the_start(void **unused)
{
	struct fixture f, g;
	struct carry c;
	struct error e;

	(void)unused;
	begin(&f);
	USE(&f, (char[]){ "--cron=-1 -1 -1 -1 -1 any" }, (char[]){ "--env=TZ=XYZ-10" });
	carry_begin(&c);
	crons_carry(&f.crons, &c);
	int fd = carry_send(&c, 0, &e);
	carry_fini(&c);
	g = (struct fixture){ .jobs = { .fork = fake_fork } };
	jobs_init(&g.jobs);
	crons_init(&g.crons, &g.jobs, (struct ring){ 0 });
	assert_int_equal(carry_receive(&c, fd, 0, &e), 0);
	crons_carry(&g.crons, &c);
	assert_int_equal(carry_end(&c, &e), 0);
	carry_fini(&c);
	close(fd);
	assert_string_equal(getenv("TZ"), "XYZ-10");
	USE(&g, (char[]){ "--cron=-1 -1 -1 -1 -1 any" });
	assert_string_equal(getenv("TZ"), "UTC");
	end(&f);
	end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_minute_is_looked_at_once),
		cmocka_unit_test(test_it_is_asked_again_when_the_next_minute_begins),
		cmocka_unit_test(test_without_entries_nobody_is_woken),
		cmocka_unit_test(test_after_sleep_each_runs_once),
		cmocka_unit_test(test_a_clock_that_was_set_is_no_sleep),
		cmocka_unit_test(test_unique_waits_for_the_one_before),
		cmocka_unit_test(test_one_that_cannot_be_started_is_tried_the_next_time),
		cmocka_unit_test(test_the_limit_is_a_deadline),
		cmocka_unit_test(test_the_zone_is_that_of_env),
		cmocka_unit_test(test_the_zone_goes_with_the_commands),
		cmocka_unit_test(test_another_program_knows_the_zone_of_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
