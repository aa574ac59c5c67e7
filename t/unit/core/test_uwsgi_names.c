/* SPDX-License-Identifier: MIT */
/* test_uwsgi_names.c: the one table of uWSGI's option names, and what is said of each. */
#include "unit.h"

#include "settings/uwsgi_names.h"

#include <string.h>

static const struct subject *subject_of(const char *name)
{
	const struct uwsgi_name *known = uwsgi_names_find(name);

	assert_non_null(known);
	return &uwsgi_subjects[known->subject];
}

static void test_names_are_sorted_and_each_is_found(void **state)
{
	size_t count;
	const struct uwsgi_name *names = uwsgi_names_all(&count);

	(void)state;
	assert_true(count > 1300);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(uwsgi_names_find(names[i].name), &names[i]);
		if (i && strcmp(names[i - 1].name, names[i].name) >= 0)
			fail_msg("%s is not behind %s", names[i].name, names[i - 1].name);
	}
	assert_null(uwsgi_names_find("a"));
	assert_null(uwsgi_names_find("zzz"));
}

static void test_every_subject_has_names_and_something_to_say(void **state)
{
	size_t count, uses[SUBJECTS] = { 0 };
	const struct uwsgi_name *names = uwsgi_names_all(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		uses[names[i].subject]++;
	for (size_t i = 0; i < SUBJECTS; i++) {
		const struct subject *s = &uwsgi_subjects[i];

		assert_true(uses[i] > 0);
		assert_non_null(s->text);
		assert_int_equal(s->title != NULL, s->status == SUBJECT_PLANNED);
		if (s->status == SUBJECT_ALWAYS || s->status == SUBJECT_ELSEWHERE)
			assert_true(*s->text);
	}
}

static void test_what_will_not_come_is_told_with_what_to_use(void **state)
{
	(void)state;
	assert_non_null(strstr(subject_of("emperor")->text, "systemd"));
	assert_non_null(strstr(subject_of("vassals-include")->text, "systemd"));
	assert_non_null(strstr(subject_of("php-docroot")->text, "PHP-FPM"));
	assert_non_null(strstr(subject_of("cgi")->text, "fcgiwrap"));
	assert_non_null(strstr(subject_of("cgi-mode")->text, "modifiers"));
	assert_non_null(strstr(subject_of("st")->text, "cluster"));
	assert_int_equal(subject_of("stats")->status, SUBJECT_PLANNED);
	assert_int_equal(subject_of("master")->status, SUBJECT_ALWAYS);
	assert_int_equal(subject_of("processes")->status, SUBJECT_HERE);
}

static void test_short_forms_lead_to_names_and_back(void **state)
{
	(void)state;
	for (int c = 1; c < 128; c++) {
		const struct uwsgi_name *known = uwsgi_names_letter((char)c);

		if (known)
			assert_int_equal(uwsgi_names_letter_of(known->name), c);
	}
	assert_string_equal(uwsgi_names_letter('p')->name, "processes");
	assert_null(uwsgi_names_letter('Y'));
	assert_int_equal(uwsgi_names_letter_of("cheaper"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_sorted_and_each_is_found),
		cmocka_unit_test(test_every_subject_has_names_and_something_to_say),
		cmocka_unit_test(test_what_will_not_come_is_told_with_what_to_use),
		cmocka_unit_test(test_short_forms_lead_to_names_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
