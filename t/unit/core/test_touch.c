/* SPDX-License-Identifier: MIT */
/* test_touch.c: what counts as touched, and that the caller's list need not live on. */
#include "unit.h"

#include "process/touch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct bench {
	struct ev_loop *loop;
	struct touch touch;
	char folder[32], one[64], two[64], told[64];
	int count;
	bool stop; /* when told */
	bool busy; /* the file is written again meanwhile, but not for ever */
};

static void touch(const char *path, time_t at);

static void on_touched(void *data, const char *file)
{
	struct bench *b = data;

	snprintf(b->told, sizeof b->told, "%s", file);
	b->count++;
	if (b->stop)
		touch_watch(&b->touch, NULL);
	if (b->busy && b->count < 10)
		touch(b->one, 2000 + b->count);
}

static int begin(void **state)
{
	struct bench *b = calloc(1, sizeof *b);

	strcpy(b->folder, "/tmp/uwsgi-u-XXXXXX");
	if (!mkdtemp(b->folder))
		return -1;
	snprintf(b->one, sizeof b->one, "%s/one", b->folder);
	snprintf(b->two, sizeof b->two, "%s/two", b->folder);
	b->loop = ev_loop_new(EVFLAG_AUTO);
	touch_init(&b->touch, b->loop, on_touched, b);
	*state = b;
	return 0;
}

static int end(void **state)
{
	struct bench *b = *state;

	touch_watch(&b->touch, NULL);
	assert_int_equal(ev_pending_count(b->loop), 0);
	ev_loop_destroy(b->loop);
	unlink(b->one);
	unlink(b->two);
	rmdir(b->folder);
	free(b);
	return 0;
}

/* As if the second were over.  Returns how often it was told so far. */
static int look(struct bench *b)
{
	if (ev_is_active(&b->touch.timer)) {
		ev_feed_event(b->loop, &b->touch.timer, EV_TIMER);
		ev_invoke_pending(b->loop);
	}
	return b->count;
}

/* The file has that time of change. */
static void touch(const char *path, time_t at)
{
	const struct timespec times[2] = { { at, 0 }, { at, 0 } };

	close(open(path, O_CREAT | O_WRONLY, 0600));
	utimensat(AT_FDCWD, path, times, 0);
}

/* Of a list that is gone when this returns. */
static void watch(struct bench *b, const char *one, const char *two)
{
	char names[2][64];
	const char *items[2] = { names[0], names[1] };

	snprintf(names[0], sizeof names[0], "%s", one);
	snprintf(names[1], sizeof names[1], "%s", two ? two : "");
	touch_watch(&b->touch, &(struct option_list){ items, two ? 2 : 1 });
	memset(names, 'x', sizeof names);
}

static void test_each_touch_is_told_once(void **state)
{
	struct bench *b = *state;

	touch(b->one, 1000);
	watch(b, b->one, b->two);
	assert_int_equal(look(b), 0);
	touch(b->one, 2000);
	assert_int_equal(look(b), 1);
	assert_string_equal(b->told, b->one);
	assert_int_equal(look(b), 1);
	touch(b->one, 1500); /* back, as by a deploy that keeps times */
	assert_int_equal(look(b), 2);
	touch(b->two, 1000); /* made */
	assert_int_equal(look(b), 3);
	assert_string_equal(b->told, b->two);
	unlink(b->two);
	assert_int_equal(look(b), 3);
}

static void test_a_folder_is_what_lies_in_it(void **state)
{
	struct bench *b = *state;

	touch(b->one, 1000);
	watch(b, b->folder, NULL);
	assert_int_equal(look(b), 0);
	touch(b->one, time(NULL) + 10);
	assert_int_equal(look(b), 1);
}

/* apps-enabled/shop.ini -> ../apps-available/shop.ini: the file is meant, whichever it is. */
static void test_a_link_is_what_it_leads_to(void **state)
{
	struct bench *b = *state;

	touch(b->one, 1000);
	assert_int_equal(symlink(b->one, b->two), 0);
	watch(b, b->two, NULL);
	assert_int_equal(look(b), 0);
	touch(b->one, 2000);
	assert_int_equal(look(b), 1);
	assert_string_equal(b->told, b->two);
	unlink(b->two);
	assert_int_equal(symlink("/dev/null", b->two), 0);
	assert_int_equal(look(b), 2);
}

static void test_what_both_lists_have_is_not_forgotten(void **state)
{
	struct bench *b = *state;

	touch(b->one, 1000);
	watch(b, b->one, NULL);
	touch(b->one, 2000);
	watch(b, b->two, b->one);
	assert_int_equal(look(b), 1);
	assert_string_equal(b->told, b->one);
}

static void test_whoever_is_told_may_stop_it(void **state)
{
	struct bench *b = *state;

	watch(b, b->one, b->two);
	b->stop = true;
	touch(b->one, 1000);
	touch(b->two, 1000);
	assert_int_equal(look(b), 1);
	assert_false(ev_is_active(&b->touch.timer));
}

static void test_a_file_that_is_written_all_the_time_is_told_once_a_look(void **state)
{
	struct bench *b = *state;
	char item[96];
	const char *items[] = { item, b->two };

	snprintf(item, sizeof item, "%s command", b->one);
	b->touch.has_rest = true;
	touch_watch(&b->touch, &(struct option_list){ items, 2 });
	b->busy = true;
	touch(b->one, 1000);
	touch(b->two, 1000);
	assert_int_equal(look(b), 2);
	assert_int_equal(look(b), 3);
}

/* What the one writes, the other reads, before it is given a loop or after. */
static void hand_over(struct bench *from, struct bench *to, bool init_later)
{
	struct carry c;
	struct error e;

	carry_begin(&c);
	touch_carry(&from->touch, &c);
	int fd = carry_send(&c, 1, &e);
	carry_fini(&c);
	if (init_later)
		to->touch = (struct touch){ .count = 0 };
	assert_int_equal(carry_receive(&c, fd, 1, &e), 0);
	close(fd);
	touch_carry(&to->touch, &c);
	assert_int_equal(carry_end(&c, &e), 0);
	carry_fini(&c);
	if (init_later)
		touch_init(&to->touch, to->loop, on_touched, to);
}

static void test_the_next_program_notices_what_was_touched_meanwhile(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 2; i++) {
		struct bench next = { .loop = ev_loop_new(EVFLAG_AUTO) };

		touch_init(&next.touch, next.loop, on_touched, &next);
		touch(b->one, 1000 + i);
		watch(b, b->one, b->two);
		touch(b->one, 2000 + i);
		hand_over(b, &next, i == 1);
		watch(&next, b->two, b->one);
		assert_int_equal(look(&next), 1);
		assert_string_equal(next.told, b->one);
		assert_int_equal(look(&next), 1);
		touch_watch(&next.touch, NULL);
		ev_loop_destroy(next.loop);
	}
}

static void test_nothing_is_carried_of_nothing(void **state)
{
	struct bench *b = *state;

	hand_over(b, b, true);
	assert_int_equal(b->touch.count, 0);
	assert_int_equal(look(b), 0);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_each_touch_is_told_once),
		WITH_FOLDER(test_a_folder_is_what_lies_in_it),
		WITH_FOLDER(test_a_link_is_what_it_leads_to),
		WITH_FOLDER(test_what_both_lists_have_is_not_forgotten),
		WITH_FOLDER(test_whoever_is_told_may_stop_it),
		WITH_FOLDER(test_a_file_that_is_written_all_the_time_is_told_once_a_look),
		WITH_FOLDER(test_the_next_program_notices_what_was_touched_meanwhile),
		WITH_FOLDER(test_nothing_is_carried_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
