/* SPDX-License-Identifier: MIT */
/* test_cgroup.c: both versions of cgroups, as files of the test's own. */
#include "unit.h"

#include "base/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[64], membership[96];

static int make_root(void **unused)
{
	(void)unused;
	strcpy(root, "/tmp/uwsgi-cgroup-XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(membership, sizeof membership, "%s/membership", root);
	return 0;
}

static int remove_root(void **unused)
{
	char command[96];

	(void)unused;
	snprintf(command, sizeof command, "rm -r %s", root);
	return system(command);
}

static void write_file(const char *name, const char *text)
{
	char path[160];

	snprintf(path, sizeof path, "%s/%s", root, name);
	for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_version_2(void **unused)
{
	struct cgroup c;

	(void)unused;
	write_file("membership", "0::/pod/app\n");
	write_file("pod/memory.max", "1000000\n");
	write_file("pod/app/memory.max", "max\n");
	write_file("pod/app/memory.current", "700000\n");
	write_file("pod/app/memory.stat", "anon 500000\nactive_file 1\ninactive_file 150000\n");
	write_file("pod/app/memory.events", "low 0\noom 7\noom_kill 2\noom_group_kill 0\n");
	cgroup_find(&c, root, membership);
	assert_true(c.second);
	assert_int_equal(cgroup_limit(&c), 1000000);
	assert_int_equal(cgroup_used(&c), 550000);
	assert_false(cgroup_has_killed(&c));
	write_file("pod/app/memory.events", "low 0\noom 8\noom_kill 3\n");
	assert_true(cgroup_has_killed(&c));
	assert_false(cgroup_has_killed(&c));
}

static void test_version_1(void **unused)
{
	struct cgroup c;

	(void)unused;
	write_file("membership", "5:cpu:/x\n4:memory:/app\n0::/\n");
	write_file("memory/memory.limit_in_bytes", "9223372036854771712\n");
	write_file("memory/app/memory.limit_in_bytes", "9223372036854771712\n");
	write_file("memory/app/memory.usage_in_bytes", "700000\n");
	write_file("memory/app/memory.stat", "inactive_file 5\ntotal_inactive_file 100000\n");
	write_file("memory/app/memory.oom_control",
		   "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
	cgroup_find(&c, root, membership);
	assert_false(c.second);
	assert_int_equal(cgroup_limit(&c), 0);
	write_file("memory/app/memory.limit_in_bytes", "2000000\n");
	assert_int_equal(cgroup_limit(&c), 2000000);
	assert_int_equal(cgroup_used(&c), 600000);
}

static void test_a_container_sees_its_own_as_the_root(void **unused)
{
	struct cgroup c;

	(void)unused;
	write_file("membership", "0::/system.slice/docker-1.scope\n");
	write_file("memory.max", "3000000\n");
	cgroup_find(&c, root, membership);
	assert_string_equal(c.path, root);
	assert_int_equal(cgroup_limit(&c), 3000000);
}

static void test_none_says_nothing(void **unused)
{
	struct cgroup c;

	(void)unused;
	cgroup_find(&c, root, membership);
	assert_int_equal(cgroup_limit(&c), 0);
	assert_int_equal(cgroup_used(&c), 0);
	assert_false(cgroup_has_killed(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_version_2, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_version_1, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_a_container_sees_its_own_as_the_root,
						make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_none_says_nothing, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
