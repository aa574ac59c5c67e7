/* SPDX-License-Identifier: MIT */
/* test_owner.c: names and numbers of users and groups, and modes. */
#include "unit.h"

#include "base/owner.h"

static void test_users_and_groups(void **state)
{
	struct error e;
	uid_t uid = 7;
	gid_t gid = 7;

	(void)state;
	assert_int_equal(owner_user("root", &uid, &gid, &e), 0);
	assert_true(uid == 0 && gid == 0);
	/* Nobody's number is a number all the same, and has no group of its own. */
	gid = 7;
	assert_int_equal(owner_user("4123456789", &uid, &gid, &e), 0);
	assert_true(uid == 4123456789u && gid == 7);
	assert_int_equal(owner_group("0", &gid, &e), 0);
	assert_true(gid == 0);
	static const char *const wrong[] = {
		"", "-1", "4294967295", "99999999999", "12x", "no-one"
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(owner_user(wrong[i], &uid, &gid, &e), -1);
		assert_int_equal(owner_group(wrong[i], &gid, &e), -1);
	}
}

static void test_modes(void **state)
{
	mode_t mode = 0;

	(void)state;
	assert_int_equal(owner_mode("0640", 07777, &mode), 0);
	assert_int_equal(mode, 0640);
	assert_int_equal(owner_mode("1777", 0777, &mode), -1);
	assert_int_equal(owner_mode("8", 0777, &mode), -1);
	assert_int_equal(owner_mode("", 0777, &mode), -1);
	assert_int_equal(owner_mode("-1", 0777, &mode), -1);
	assert_int_equal(mode, 0640);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users_and_groups),
		cmocka_unit_test(test_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
