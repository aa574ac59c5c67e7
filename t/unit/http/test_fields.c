/* SPDX-License-Identifier: MIT */
/* test_fields.c: lists, and letters that are equal in both cases. */
#include "cases.h"

#include "http.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define CODED(value)                                                                               \
	SLICE("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: " value "\r\n\r\n0\r\n\r\n")

static void test_members_of_lists(void **unused)
{
	struct slice list = SLICE(" ,a,\t, b c \t,,d ,"), member;

	(void)unused;
	assert_true(http_next_member(&list, &member) && uwsgi_same_name(member, SLICE("A")));
	assert_true(http_next_member(&list, &member) && uwsgi_same_name(member, SLICE("b c")));
	assert_true(http_next_member(&list, &member) && uwsgi_same_name(member, SLICE("d")));
	assert_false(http_next_member(&list, &member));
}

/* Others read over empty members; what frames a body is not left to that. */
static void test_transfer_encodings_have_no_empty_members(void **unused)
{
	static const struct parse_case cases[] = {
		{ "behind", CODED("chunked,"), PARSE_BAD, .status = 400, .early = true },
		{ "in front", CODED(", chunked"), PARSE_BAD, .status = 400, .early = true },
		{ "between", CODED("gzip,, chunked"), PARSE_BAD, .status = 400, .early = true },
	};

	(void)unused;
	cases_run(cases, COUNT(cases), uwsgi_plugin.protocol);
}

static void test_letters_alone_are_equal_in_both_cases(void **unused)
{
	(void)unused;
	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++) {
			char x = (char)a, y = (char)b;
			bool letter = strchr("abcdefghijklmnopqrstuvwxyz", a | 32) != NULL;
			bool equal = a == b || (letter && (a ^ b) == 32);

			assert_int_equal(
				uwsgi_same_name((struct slice){ &x, 1 }, (struct slice){ &y, 1 }),
				equal);
		}
	assert_false(uwsgi_same_name(SLICE("close"), SLICE("closed")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_of_lists),
		cmocka_unit_test(test_transfer_encodings_have_no_empty_members),
		cmocka_unit_test(test_letters_alone_are_equal_in_both_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
