/* SPDX-License-Identifier: MIT */
/* test_metrics.c: metrics are found by name, changed without losing anything, and keep their cells
 * over generations that define them alike. */
#include "unit.h"

#include "process/cells.h"

#include <stdint.h>
#include <stdio.h>

struct fixture {
	struct outliving outliving;
	struct cells cells;
};

static void begin(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	f->cells.outliving = &f->outliving;
}

static void end(struct fixture *f)
{
	cells_fini(&f->cells);
	assert_null(f->outliving.objects);
}

static void define(struct metrics *all, const char *name, long long initial, const char *of)
{
	uwsgi_metrics_define(all, &(struct metric){ .name = name,
						    .type = *of ? METRIC_ALIAS : METRIC_COUNTER,
						    .initial = initial,
						    .of = of });
}

static void settle(struct fixture *f, struct metrics *all)
{
	struct error e;

	assert_int_equal(metrics_settle(all, &e), 0);
	assert_int_equal(cells_take(&f->cells, all, &e), 0);
}

static const struct metric *find(const struct metrics *all, const char *name)
{
	return uwsgi_metrics_find(all, (struct slice){ name, strlen(name) });
}

static void leave(struct fixture *f, struct metrics *all)
{
	cells_give_back(&f->cells, all);
	metrics_fini(all);
}

static void test_found_by_name_and_in_order(void **unused)
{
	struct fixture f;
	struct metrics all;
	char name[32];
	size_t i = 0;

	(void)unused;
	begin(&f);
	metrics_init(&all);
	assert_null(find(&all, "m0"));
	assert_null(uwsgi_metrics_find(NULL, SLICE("m0")));
	for (int n = 0; n < 1000; n++) {
		snprintf(name, sizeof name, "m%d", n);
		define(&all, name, n, "");
	}
	settle(&f, &all);
	for (int n = 0; n < 1000; n++) {
		snprintf(name, sizeof name, "m%d", n);
		const struct metric *m = uwsgi_metrics_next(&all, &i);
		assert_string_equal(m->name, name);
		assert_ptr_equal(find(&all, name), m);
		assert_int_equal(uwsgi_metric_get(m), n);
	}
	assert_null(uwsgi_metrics_next(&all, &i));
	assert_null(find(&all, "m1000"));
	assert_null(find(&all, ""));
	leave(&f, &all);
	end(&f);
}

static void test_changes(void **unused)
{
	static const struct {
		long long from;
		enum metric_change how;
		long long by, to;
	} cases[] = {
		{ 5, METRIC_ADD, -7, -2 },       { INT64_MAX, METRIC_ADD, 1, INT64_MIN },
		{ -3, METRIC_MULTIPLY, 4, -12 }, { (long long)1 << 62, METRIC_MULTIPLY, 4, 0 },
		{ -7, METRIC_DIVIDE, 2, -3 },    { INT64_MIN, METRIC_DIVIDE, -1, INT64_MIN },
		{ 7, METRIC_DIVIDE, -1, -7 },    { 3, METRIC_RAISE, 4, 4 },
		{ 3, METRIC_RAISE, 2, 3 },       { 3, METRIC_LOWER, 2, 2 },
		{ 3, METRIC_LOWER, 4, 3 },
	};
	struct metric_cell cell;
	const struct metric m = { .cell = &cell };

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		atomic_init(&cell.value, cases[i].from);
		assert_true(uwsgi_metric_change(&m, cases[i].how, cases[i].by));
		assert_int_equal(uwsgi_metric_get(&m), cases[i].to);
	}
	uwsgi_metric_set(&m, 9);
	assert_false(uwsgi_metric_change(&m, METRIC_DIVIDE, 0));
	assert_int_equal(uwsgi_metric_set(&m, 1), 9);
}

static void test_aliases_share_a_number(void **unused)
{
	struct fixture f;
	struct metrics all;

	(void)unused;
	begin(&f);
	metrics_init(&all);
	define(&all, "second", 0, "first");
	define(&all, "first", 0, "real");
	define(&all, "real", 4, "");
	define(&all, "lost", 7, "nobody");
	define(&all, "a", 1, "b");
	define(&all, "b", 2, "a");
	settle(&f, &all);
	uwsgi_metric_set(find(&all, "real"), 5);
	assert_int_equal(uwsgi_metric_get(find(&all, "second")), 5);
	assert_int_equal(uwsgi_metric_get(find(&all, "first")), 5);
	assert_int_equal(uwsgi_metric_get(find(&all, "lost")), 7);
	assert_non_null(find(&all, "a")->cell);
	assert_non_null(find(&all, "b")->cell);
	leave(&f, &all);
	end(&f);
}

static void test_the_same_definition_keeps_its_value(void **unused)
{
	struct fixture f;
	struct metrics old, new, third;

	(void)unused;
	begin(&f);
	metrics_init(&old);
	define(&old, "gone", 1, "");
	define(&old, "kept", 0, "");
	define(&old, "changed", 0, "");
	settle(&f, &old);
	uwsgi_metric_set(find(&old, "kept"), 5);
	uwsgi_metric_set(find(&old, "changed"), 6);
	metrics_init(&new);
	define(&new, "fresh", 8, "");
	define(&new, "changed", 3, "");
	define(&new, "kept", 0, "");
	settle(&f, &new);
	assert_true(metrics_definitions(&old) != metrics_definitions(&new));
	assert_int_equal(uwsgi_metric_get(find(&new, "kept")), 5);
	assert_int_equal(uwsgi_metric_get(find(&new, "fresh")), 8);
	assert_int_equal(uwsgi_metric_get(find(&new, "changed")), 3);
	assert_int_equal(uwsgi_metric_get(find(&old, "changed")), 6);
	size_t cells = f.cells.count;
	leave(&f, &old);
	/* What only the old one had is free for others, and begins anew. */
	metrics_init(&third);
	define(&third, "gone", 1, "");
	define(&third, "kept", 0, "");
	settle(&f, &third);
	assert_int_equal(f.cells.count, cells);
	assert_int_equal(uwsgi_metric_get(find(&third, "gone")), 1);
	uwsgi_metric_change(find(&third, "kept"), METRIC_ADD, 1);
	assert_int_equal(uwsgi_metric_get(find(&new, "kept")), 6);
	leave(&f, &new);
	leave(&f, &third);
	end(&f);
}

static void test_more_than_there_is_room_for_is_said(void **unused)
{
	struct fixture f;
	struct metrics all;
	struct error e;
	char name[32];

	(void)unused;
	begin(&f);
	metrics_init(&all);
	for (int n = 0; n < (1 << 16) + 1; n++) {
		snprintf(name, sizeof name, "m%d", n);
		define(&all, name, 0, "");
	}
	assert_int_equal(metrics_settle(&all, &e), 0);
	assert_int_equal(cells_take(&f.cells, &all, &e), -1);
	assert_non_null(strstr(e.text, "too many metrics"));
	leave(&f, &all);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_by_name_and_in_order),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_aliases_share_a_number),
		cmocka_unit_test(test_the_same_definition_keeps_its_value),
		cmocka_unit_test(test_more_than_there_is_room_for_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
