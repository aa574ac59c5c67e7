/* SPDX-License-Identifier: MIT */
/* test_uwsgi_names.c: the one table of uWSGI's names, and what is said of each. */
#include "unit.h"

#include "settings/uwsgi_names.h"

#include <string.h>

static const struct subject *subject_of(const char *option)
{
	const struct subject *s = uwsgi_names_find(option, NULL);

	assert_non_null(s);
	return s;
}

/* Each name stands once: it is found where it was read. */
static size_t check_names(const struct subject *s, const char *names, bool plugins)
{
	struct uwsgi_name name, before = { "", ARITY_NONE };
	enum arity arity = ARITY_NONE;
	size_t count = 0;

	for (; uwsgi_names_next(&names, &name); before = name, count++) {
		if (strcmp(before.name, name.name) >= 0)
			fail_msg("%s is not behind %s", name.name, before.name);
		if (plugins) {
			assert_ptr_equal(uwsgi_names_plugin(name.name), s);
			continue;
		}
		assert_ptr_equal(uwsgi_names_find(name.name, &arity), s);
		assert_int_equal(arity, name.arity);
	}
	return count;
}

static void test_each_name_is_found_in_its_subject(void **state)
{
	size_t options = 0, plugins = 0;

	(void)state;
	for (size_t i = 0; i < uwsgi_subject_count; i++) {
		options += check_names(&uwsgi_subjects[i], uwsgi_subjects[i].options, false);
		plugins += check_names(&uwsgi_subjects[i], uwsgi_subjects[i].plugins, true);
	}
	assert_true(options > 800);
	assert_int_equal(plugins, 125);
}

static void test_what_is_no_name_is_not_found(void **state)
{
	static const char *const none[] = {
		"",   " ", "a", "process", "rocesses", "processes=", "chmod?", "processes procname",
		"zzz"
	};

	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		assert_null(uwsgi_names_find(none[i], NULL));
		assert_null(uwsgi_names_plugin(none[i]));
	}
}

static void test_arity(void **state)
{
	enum arity arity;

	(void)state;
	uwsgi_names_find("master", &arity);
	assert_int_equal(arity, ARITY_NONE);
	uwsgi_names_find("mule", &arity);
	assert_int_equal(arity, ARITY_OPTIONAL);
	uwsgi_names_find("mules", &arity);
	assert_int_equal(arity, ARITY_REQUIRED);
}

static void test_every_subject_has_names_and_something_to_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < uwsgi_subject_count; i++) {
		const struct subject *s = &uwsgi_subjects[i];

		assert_true(*s->options || s->plugins);
		assert_int_equal(s->title != NULL, s->status == SUBJECT_PLANNED);
		if (s->status != SUBJECT_HERE && (s->plugins || s->status != SUBJECT_PLANNED))
			assert_true(*s->text);
	}
}

static void test_what_will_not_come_is_told_with_what_to_use(void **state)
{
	(void)state;
	assert_non_null(strstr(subject_of("emperor-tyrant")->text, "systemd"));
	assert_non_null(strstr(subject_of("emperor-on-demand-dir")->text, "systemd"));
	assert_non_null(strstr(subject_of("php-docroot")->text, "PHP-FPM"));
	assert_non_null(strstr(subject_of("cgi")->text, "fcgiwrap"));
	assert_non_null(strstr(subject_of("cgi-mode")->text, "modifiers"));
	assert_non_null(strstr(subject_of("st")->text, "cluster"));
	assert_int_equal(subject_of("spooler")->status, SUBJECT_PLANNED);
	assert_int_equal(subject_of("master")->status, SUBJECT_ALWAYS);
	assert_int_equal(subject_of("if-env")->status, SUBJECT_HERE);
	assert_null(uwsgi_names_find("processes", NULL));
}

static void test_plugins_may_carry_the_version_of_python(void **state)
{
	(void)state;
	assert_ptr_equal(uwsgi_names_plugin("asyncio_python313"), uwsgi_names_plugin("asyncio"));
	assert_null(uwsgi_names_plugin("asyncio_python3x"));
	assert_int_equal(uwsgi_names_plugin("rsyslog")->status, SUBJECT_HERE);
}

static void test_short_forms_lead_to_names_and_back(void **state)
{
	(void)state;
	for (int c = 1; c < 128; c++) {
		const char *option = uwsgi_names_of_letter((char)c);

		if (option) {
			subject_of(option);
			assert_int_equal(uwsgi_names_letter(option), c);
		}
	}
	assert_string_equal(uwsgi_names_of_letter('M'), "master");
	assert_null(uwsgi_names_of_letter('p'));
	assert_int_equal(uwsgi_names_letter("emperor-tyrant"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_name_is_found_in_its_subject),
		cmocka_unit_test(test_what_is_no_name_is_not_found),
		cmocka_unit_test(test_arity),
		cmocka_unit_test(test_every_subject_has_names_and_something_to_say),
		cmocka_unit_test(test_what_will_not_come_is_told_with_what_to_use),
		cmocka_unit_test(test_plugins_may_carry_the_version_of_python),
		cmocka_unit_test(test_short_forms_lead_to_names_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
