/* SPDX-License-Identifier: MIT */
/* test_pending.c: the vocabularies of what is not here: subsystems to come, and what will not. */
#include "unit.h"

#include "settings/absent.h"
#include "settings/catalogue.h"
#include "settings/option.h"
#include "settings/pending.h"
#include "settings/uwsgi_names.h"

#include <string.h>

static void test_pending_rows_are_names_of_uwsgi(void **state)
{
	(void)state;
	for (size_t t = 0; t < pending_table_count; t++) {
		const struct option_table *table = pending_tables[t];

		assert_non_null(table->pending);
		for (size_t i = 0; i < table->count; i++)
			assert_non_null(uwsgi_names_find(table->rows[i].name));
	}
}

static void test_pending_rows_lead_to_one_value_each(void **state)
{
	const struct catalogue all = { .tables = pending_tables, .count = pending_table_count };
	struct option_at at;

	(void)state;
	for (size_t t = 0; t < pending_table_count; t++)
		for (size_t i = 0; i < pending_tables[t]->count; i++) {
			const struct option *row = &pending_tables[t]->rows[i];

			assert_true(catalogue_find(&all, row->name, &at));
			assert_ptr_equal(pending_tables[at.table], pending_tables[t]);
			if (!row->same_as)
				assert_ptr_equal(at.row, row);
		}
}

static void test_what_will_not_come_is_told_with_what_to_use(void **state)
{
	(void)state;
	assert_non_null(strstr(absent_reason("emperor"), "systemd"));
	assert_non_null(strstr(absent_reason("vassals-include"), "systemd"));
	assert_non_null(strstr(absent_reason("php-docroot"), "PHP-FPM"));
	assert_non_null(strstr(absent_reason("cgi"), "fcgiwrap"));
	assert_non_null(strstr(absent_reason("cgi-mode"), "modifiers"));
	assert_non_null(strstr(absent_reason("st"), "cluster"));
	assert_null(absent_reason("stats"));
	assert_null(absent_reason("processes"));
}

static void test_nothing_is_both_to_come_and_not(void **state)
{
	(void)state;
	for (size_t t = 0; t < pending_table_count; t++)
		for (size_t i = 0; i < pending_tables[t]->count; i++)
			if (absent_reason(pending_tables[t]->rows[i].name))
				fail_msg("%s", pending_tables[t]->rows[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pending_rows_are_names_of_uwsgi),
		cmocka_unit_test(test_pending_rows_lead_to_one_value_each),
		cmocka_unit_test(test_what_will_not_come_is_told_with_what_to_use),
		cmocka_unit_test(test_nothing_is_both_to_come_and_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
