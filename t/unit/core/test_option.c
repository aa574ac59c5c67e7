/* SPDX-License-Identifier: MIT */
/* test_option.c: how the words of one option are read: what is stored, what is doubted, what is
 * refused and with which sentence. */
#include "unit.h"

#include "settings/option.h"

#include <limits.h>
#include <string.h>

struct settings {
	long long number;
	bool flag;
	const char *string;
	struct option_list list;
	int choice;
};

#define AT(member) offsetof(struct settings, member)
static const char *const colours[] = { "red", "green", NULL };
static const struct option flag = { .name = "flag", .type = OPT_FLAG, .offset = AT(flag) };
static const struct option processes = { .name = "processes",
					 .type = OPT_INT,
					 .offset = AT(number),
					 .initial = "1",
					 .min = 1,
					 .max = 1024 };
static const struct option listen = { .name = "listen", .type = OPT_INT, .offset = AT(number) };
static const struct option nice = {
	.name = "nice", .type = OPT_INT, .offset = AT(number), .min = -20, .max = 19
};
static const struct option tolerance = {
	.name = "tolerance", .type = OPT_INT, .offset = AT(number), .max = 9, .below = "9"
};
static const struct option rss = {
	.name = "rss", .type = OPT_INT, .offset = AT(number), .unit = "MB"
};
static const struct option size = {
	.name = "size", .type = OPT_SIZE, .offset = AT(number), .initial = "64k"
};
static const struct option harakiri = {
	.name = "harakiri", .type = OPT_SECONDS, .offset = AT(number), .min = 0, .max = 86400
};
static const struct option wait_row = {
	.name = "wait", .type = OPT_SECONDS, .offset = AT(number), .min = 5, .max = 600
};
static const struct option span = {
	.name = "span", .type = OPT_SPAN, .offset = AT(number), .min = 0, .max = 86400500
};
static const struct option buffer = { .name = "buffer",
				      .type = OPT_SIZE,
				      .offset = AT(number),
				      .min = 1024,
				      .max = 16384,
				      .bare = "2k" };
static const struct option chdir_row = { .name = "chdir",
					 .type = OPT_STRING,
					 .offset = AT(string) };
static const struct option mode = {
	.name = "mode", .type = OPT_STRING, .offset = AT(string), .bare = "666"
};
static const struct option echo = {
	.name = "echo", .type = OPT_STRING, .offset = AT(string), .text = true
};
static const struct option colour = {
	.name = "colour", .type = OPT_CHOICE, .offset = AT(choice), .choices = colours
};
static const struct option list = { .name = "list", .type = OPT_LIST, .offset = AT(list) };

static const struct {
	const struct option *row;
	const char *value;
	enum option_verdict verdict;
	long long number; /* what is stored; 77 is what was there before */
	const char *sentence;
} cases[] = {
	{ &flag, "true", OPTION_STORED, 1, NULL },
	{ &flag, "TRUE", OPTION_STORED, 1, NULL },
	{ &flag, "Yes", OPTION_STORED, 1, NULL },
	{ &flag, "on", OPTION_STORED, 1, NULL },
	{ &flag, "1", OPTION_STORED, 1, NULL },
	{ &flag, NULL, OPTION_STORED, 1, NULL },
	{ &flag, "", OPTION_STORED, 1, NULL },
	{ &flag, "false", OPTION_STORED, 0, NULL },
	{ &flag, "No", OPTION_STORED, 0, NULL },
	{ &flag, "off", OPTION_STORED, 0, NULL },
	{ &flag, "0", OPTION_STORED, 0, NULL },
	{ &flag, "shop.example", OPTION_DOUBTFUL, 1,
	  "flag = shop.example: a flag is true or false; taken as true" },

	{ &processes, "4", OPTION_STORED, 4, NULL },
	{ &processes, "1024", OPTION_STORED, 1024, NULL },
	{ &processes, "0", OPTION_DOUBTFUL, 1,
	  "processes = 0: must be from 1 to 1024; taken as 1" },
	{ &processes, "1025", OPTION_DOUBTFUL, 1024,
	  "processes = 1025: must be from 1 to 1024; taken as 1024" },
	{ &processes, "-1", OPTION_DOUBTFUL, 1,
	  "processes = -1: must be from 1 to 1024; taken as 1" },
	{ &processes, "four", OPTION_REFUSED, 77, "processes = four: expected a whole number" },
	{ &processes, "4k", OPTION_REFUSED, 77, "processes = 4k: expected a whole number" },
	{ &processes, "4.5", OPTION_REFUSED, 77, "processes = 4.5: expected a whole number" },
	{ &processes, "4;", OPTION_DOUBTFUL, 4, "processes = 4;: taken as 4" },
	{ &processes, "9999999999999999999", OPTION_DOUBTFUL, 1024,
	  "processes = 9999999999999999999: must be from 1 to 1024; taken as 1024" },
	{ &processes, "", OPTION_DOUBTFUL, 77, "processes: has no value; ignored" },
	{ &processes, NULL, OPTION_DOUBTFUL, 77, "processes: has no value; ignored" },
	{ &processes, "true", OPTION_DOUBTFUL, 77,
	  "processes = true: expected a whole number; ignored, 1 stays" },
	{ &processes, "false", OPTION_DOUBTFUL, 77,
	  "processes = false: expected a whole number; ignored, 1 stays" },
	{ &listen, "-1", OPTION_DOUBTFUL, 0, "listen = -1: must be at least 0; taken as 0" },
	{ &listen, "9000000000", OPTION_STORED, 9000000000, NULL },
	{ &listen, "False", OPTION_DOUBTFUL, 0,
	  "listen = False: expected a whole number; taken as 0" },
	{ &tolerance, "-1", OPTION_DOUBTFUL, 9, "tolerance = -1: must be from 0 to 9; taken as 9" },
	{ &nice, "-5", OPTION_STORED, -5, NULL },
	{ &nice, "-21", OPTION_DOUBTFUL, -20, "nice = -21: must be from -20 to 19; taken as -20" },

	{ &rss, "300", OPTION_STORED, 300, NULL },
	{ &rss, "300M", OPTION_STORED, 300, NULL },
	{ &rss, "2GB", OPTION_STORED, 2048, NULL },
	{ &rss, "2k", OPTION_REFUSED, 77, "rss = 2k: expected a whole number" },
	{ &size, "4096", OPTION_STORED, 4096, NULL },
	{ &size, "64k", OPTION_STORED, 65536, NULL },
	{ &size, "1 m", OPTION_STORED, 1 << 20, NULL },
	{ &size, "1MiB", OPTION_STORED, 1 << 20, NULL },
	{ &size, "2gb", OPTION_STORED, 2LL << 30, NULL },
	{ &size, "10b", OPTION_STORED, 10, NULL },
	{ &size, "9223372036854775807k", OPTION_STORED, LLONG_MAX, NULL },
	{ &size, "4x", OPTION_REFUSED, 77,
	  "size = 4x: expected a number of bytes (k, m and g are understood)" },
	{ &span, "60", OPTION_STORED, 60000, NULL },
	{ &span, "1.5", OPTION_STORED, 1500, NULL },
	{ &span, "0.1s", OPTION_STORED, 100, NULL },
	{ &span, "2.", OPTION_STORED, 2000, NULL },
	{ &span, "0.0625", OPTION_STORED, 62, NULL },
	{ &span, "2m", OPTION_REFUSED, 77, "span = 2m: this is in seconds, write 120" },
	{ &span, "1.5 moons", OPTION_REFUSED, 77,
	  "span = 1.5 moons: expected a number of seconds, such as 30 or 1.5" },
	{ &span, "86401", OPTION_DOUBTFUL, 86400500,
	  "span = 86401: must be from 0 to 86400.500; taken as 86400.500" },
	{ &span, "-1.5", OPTION_DOUBTFUL, 0,
	  "span = -1.5: must be from 0 to 86400.500; taken as 0" },
	{ &span, "99999999999999999999", OPTION_DOUBTFUL, 86400500,
	  "span = 99999999999999999999: must be from 0 to 86400.500; taken as 86400.500" },
	{ &harakiri, "60", OPTION_STORED, 60, NULL },
	{ &harakiri, "60s", OPTION_STORED, 60, NULL },
	{ &harakiri, "2m", OPTION_REFUSED, 77, "harakiri = 2m: this is in seconds, write 120" },
	{ &harakiri, "86401", OPTION_DOUBTFUL, 86400,
	  "harakiri = 86401: must be from 0 to 86400; taken as 86400" },
	{ &harakiri, "30 seconds", OPTION_DOUBTFUL, 30, "harakiri = 30 seconds: taken as 30" },
	{ &harakiri, "30sec", OPTION_DOUBTFUL, 30, "harakiri = 30sec: taken as 30" },
	{ &harakiri, "2 Minutes", OPTION_REFUSED, 77,
	  "harakiri = 2 Minutes: this is in seconds, write 120" },
	{ &harakiri, "2 moons", OPTION_REFUSED, 77,
	  "harakiri = 2 moons: expected a whole number of seconds" },
	{ &harakiri, "-1", OPTION_DOUBTFUL, 0,
	  "harakiri = -1: must be from 0 to 86400; taken as 0" },
	{ &wait_row, "0", OPTION_DOUBTFUL, 600, "wait = 0: must be from 5 to 600; taken as 600" },
	{ &wait_row, "1", OPTION_DOUBTFUL, 5, "wait = 1: must be from 5 to 600; taken as 5" },
	{ &buffer, "1000", OPTION_DOUBTFUL, 1024,
	  "buffer = 1000: must be from 1024 to 16384; taken as 1024" },
	{ &buffer, "1m", OPTION_DOUBTFUL, 16384,
	  "buffer = 1m: must be from 1024 to 16384; taken as 16384" },
	{ &buffer, "2048 bytes", OPTION_STORED, 2048, NULL },
	{ &buffer, "true", OPTION_STORED, 2048, NULL },
	{ &buffer, "-1", OPTION_DOUBTFUL, 0,
	  "buffer = -1: must be from 1024 to 16384; taken as unset" },

	{ &colour, "green", OPTION_STORED, 1, NULL },
	{ &colour, "RED", OPTION_STORED, 0, NULL },
	{ &colour, "blue", OPTION_REFUSED, 77, "colour = blue: must be one of: red, green" },
};

static long long stored(const struct option *row, const struct settings *s)
{
	if (row->type == OPT_FLAG)
		return s->flag;
	return row->type == OPT_CHOICE ? s->choice : s->number;
}

static void test_scalars(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct settings s = { .number = 77, .choice = 77 };
		struct error e = { "" };
		const struct option *row = cases[i].row;

		s.flag = cases[i].number == 0; /* the opposite of what is to be stored */
		print_message("%s = %s\n", row->name, cases[i].value ? cases[i].value : "(none)");
		assert_int_equal(option_store(row, &s, row->name, cases[i].value, NULL, &e),
				 cases[i].verdict);
		assert_int_equal(stored(row, &s), cases[i].number);
		assert_string_equal(e.text, cases[i].sentence ? cases[i].sentence : "");
	}
}

static void test_strings(void **state)
{
	struct settings s = { 0 };
	struct error e;

	(void)state;
	assert_int_equal(option_store(&chdir_row, &s, "chdir", "/srv", NULL, &e), OPTION_STORED);
	assert_string_equal(s.string, "/srv");
	assert_int_equal(option_store(&chdir_row, &s, "chdir", "", NULL, &e), OPTION_DOUBTFUL);
	assert_string_equal(s.string, "/srv");
	assert_int_equal(option_store(&chdir_row, &s, "chdir", "true", NULL, &e), OPTION_DOUBTFUL);
	assert_string_equal(s.string, "true");
	assert_string_equal(e.text, "chdir = true: not a flag: taken as the text \"true\"");
	assert_int_equal(option_store(&echo, &s, "echo", "true", NULL, &e), OPTION_STORED);
	assert_int_equal(option_store(&mode, &s, "mode", NULL, NULL, &e), OPTION_STORED);
	assert_string_equal(s.string, "666");
	s.string = NULL;
	assert_int_equal(option_store(&mode, &s, "mode", "true", NULL, &e), OPTION_STORED);
	assert_string_equal(s.string, "666");
}

static void test_list_keeps_order(void **state)
{
	static const char *const items[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
	struct settings s = { 0 };
	struct arena arena;
	struct error e;

	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(option_store(&list, &s, "list", items[i], &arena, &e),
				 OPTION_STORED);
	assert_int_equal(s.list.count, 9);
	for (size_t i = 0; i < 9; i++)
		assert_string_equal(s.list.items[i], items[i]);
	option_clear_list(&list, &s);
	assert_int_equal(s.list.count, 0);
	arena_fini(&arena);
}

static void test_initial_takes_the_same_way(void **state)
{
	struct settings s = { 0 };

	(void)state;
	option_store_initial(&size, &s, NULL);
	assert_int_equal(s.number, 65536);
}

static void test_sentence_has_the_users_name(void **state)
{
	struct settings s = { 0 };
	struct error e;

	(void)state;
	option_store(&processes, &s, "workers", "0", NULL, &e);
	assert_string_equal(e.text, "workers = 0: must be from 1 to 1024; taken as 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_list_keeps_order),
		cmocka_unit_test(test_initial_takes_the_same_way),
		cmocka_unit_test(test_sentence_has_the_users_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
