/* SPDX-License-Identifier: MIT */
/* test_attached.c: what the options of attached programs say. */
#include "unit.h"

#include "process/attached.h"
#include "settings/config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* *errors: how many there are. */
static struct config *load(int argc, char **words, size_t *errors)
{
	static const struct option_table *const tables[] = { &config_table, &attached_options };
	char *argv[16] = { (char[]){ "uwsgi" } }, *environ_[] = { NULL };
	struct report report;

	for (int i = 0; i < argc; i++)
		argv[i + 1] = words[i];
	const struct invocation invocation = {
		.argc = argc + 1, .argv = argv, .environ_ = environ_, .cwd = "/"
	};

	report_init(&report);
	struct config *cfg = config_load(&invocation, tables, 2, &report);

	*errors = report.errors;
	report_fini(&report);
	return cfg;
}

static void test_every_key_is_read(void **unused)
{
	char word[] = "--attach-daemon2=,,cmd=a b\\,c;x=y,control=1,stopsignal=SIGINT,reloadsignal=1,"
		      "touch=/t,max_throttle=5,chdir=/d,uid=nobody,gid=root,stdin=1,freq=+7,ns_pid=1";
	char *words[] = { word };
	size_t count, errors;
	struct config *cfg = load(1, words, &errors);

	(void)unused;
	assert_int_equal(errors, 0);
	struct attached *a = attached_find(cfg, &count);

	assert_int_equal(count, 1);
	assert_string_equal(a->command, "a b,c;x=y");
	assert_true(a->control);
	assert_true(a->has_stdin);
	assert_false(a->daemonizes);
	assert_null(a->pidfile);
	assert_int_equal(a->stop_signal, SIGINT);
	assert_int_equal(a->reload_signal, SIGHUP);
	assert_string_equal(a->touch, "/t");
	assert_int_equal(a->longest_delay_s, 5);
	assert_string_equal(a->folder, "/d");
	assert_string_equal(a->user, "nobody");
	assert_string_equal(a->group, "root");
	assert_int_equal(a->freq_s, 7);
	attached_fini(a);
	free(a);
	config_free(cfg);
}

static void test_the_other_options(void **unused)
{
	char plain[] = "--attach-daemon=a, b=c", control[] = "--attach-control-daemon=d";
	char smart[] = "--smart-attach-daemon=/p,3 e f", other[] = "--smart-attach-daemon2=/q g";
	char *words[] = { plain, control, smart, other };
	size_t count, errors;
	struct config *cfg = load(4, words, &errors);

	(void)unused;
	assert_int_equal(errors, 0);
	struct attached *a = attached_find(cfg, &count);

	assert_int_equal(count, 4);
	assert_string_equal(a[0].pidfile, "/q");
	assert_string_equal(a[0].command, "g");
	assert_true(a[0].daemonizes);
	assert_int_equal(a[0].freq_s, 10);
	assert_string_equal(a[1].pidfile, "/p");
	assert_string_equal(a[1].command, "e f");
	assert_int_equal(a[1].freq_s, 3);
	assert_string_equal(a[2].command, "d");
	assert_true(a[2].control);
	assert_string_equal(a[3].command, "a, b=c");
	assert_int_equal(a[3].stop_signal, SIGTERM);
	assert_false(attached_is_same(&a[2], &a[3]));
	assert_true(attached_is_same(&a[3], &a[3]));
	for (size_t i = 0; i < count; i++)
		attached_fini(&a[i]);
	free(a);
	config_free(cfg);
}

static void test_mistakes(void **unused)
{
	static const char *const wrong[] = {
		"--attach-daemon2=freq=1",
		"--attach-daemon2=cmd=",
		"--attach-daemon2=cmd=a,nothing=1",
		"--attach-daemon2=cmd=a,freq=-1",
		"--attach-daemon2=cmd=a,freq=1x",
		"--attach-daemon2=cmd=a,stopsignal=0",
		"--attach-daemon2=cmd=a,stopsignal=99",
		"--smart-attach-daemon=/p",
		"--smart-attach-daemon=/p ",
		"--smart-attach-daemon= a",
		"--smart-attach-daemon=/p,x a",
	};

	size_t errors;

	(void)unused;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char word[64];
		char *words[] = { word };

		snprintf(word, sizeof word, "%s", wrong[i]);
		struct config *cfg = load(1, words, &errors);

		assert_int_equal(errors, 1);
		config_free(cfg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key_is_read),
		cmocka_unit_test(test_the_other_options),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
