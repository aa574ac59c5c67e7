/* SPDX-License-Identifier: MIT */
/* test_inifile.c: how an ini file falls into lines. */
#include "unit.h"

#include "settings/inifile.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was visited, as "number|section|name|value;"; a heading has no name, a name that stands
 * alone no value. */
static void visit(void *user, const struct ini_line *line)
{
	char *to = user;
	size_t at = strlen(to);

	if (!line->name)
		snprintf(to + at, 1024 - at, "%d[%s];", line->number, line->section);
	else if (!line->value)
		snprintf(to + at, 1024 - at, "%d|%s|%s;", line->number, line->section, line->name);
	else
		snprintf(to + at, 1024 - at, "%d|%s|%s|%s;", line->number, line->section,
			 line->name, line->value);
}

static const struct {
	const char *text, *lines;
} cases[] = {
	{ "", "" },
	{ "\n\n", "" },
	{ "[uwsgi]", "1[uwsgi];" },
	{ "[uwsgi]\n[base]\n", "1[uwsgi];2[base];" },
	{ "[uwsgi]\na=1\n", "1[uwsgi];2|uwsgi|a|1;" },
	{ "[uwsgi]\na = 1", "1[uwsgi];2|uwsgi|a|1;" },
	{ "[uwsgi]\na= 1\nb =2\nc\t\t=  3  \t", "1[uwsgi];2|uwsgi|a|1;3|uwsgi|b|2;4|uwsgi|c|3;" },
	{ "[uwsgi]\r\na = 1\r\nb\r\n", "1[uwsgi];2|uwsgi|a|1;3|uwsgi|b;" },
	{ "\xef\xbb\xbf[uwsgi]\na=1", "1[uwsgi];2|uwsgi|a|1;" },
	{ "\xef\xbb\xbf  [uwsgi]\na=1", "1[uwsgi];2|uwsgi|a|1;" },
	{ "[uwsgi] # main\na=1", "1[uwsgi];2|uwsgi|a|1;" },
	{ "[uwsgi]   \n  a = 1\n\t  b = 2\n    c", "1[uwsgi];2|uwsgi|a|1;3|uwsgi|b|2;4|uwsgi|c;" },
	{ "#!/usr/bin/env uwsgi\n# x = 1\n; y = 2\n  # z\n[uwsgi]\na=1", "5[uwsgi];6|uwsgi|a|1;" },
	{ "[uwsgi]\nmaster\nendif =\n", "1[uwsgi];2|uwsgi|master;3|uwsgi|endif|;" },
	{ "a=1\n[uwsgi]", "1||a|1;2[uwsgi];" },
	/* a name ends at the first '=', whatever else it holds */
	{ "[uwsgi]\nroute = ^/a:b$ x=y", "1[uwsgi];2|uwsgi|route|^/a:b$ x=y;" },
	{ "[uwsgi]\na:b = c", "1[uwsgi];2|uwsgi|a:b|c;" },
	{ "[uwsgi]\nthreads: 3", "1[uwsgi];2|uwsgi|threads: 3;" },
	{ "[uwsgi]\nenv A:B;C", "1[uwsgi];2|uwsgi|env A:B;C;" },
	{ "[uwsgi]\n=x\n=======\n", "1[uwsgi];2|uwsgi||x;3|uwsgi||======;" },
	{ "[uwsgi]\na = x ; y # z", "1[uwsgi];2|uwsgi|a|x ; y # z;" },
	{ "[uwsgi]\na ; b = c", "1[uwsgi];2|uwsgi|a ; b|c;" },
	{ "[uwsgi]\na = [b]\nc = ]", "1[uwsgi];2|uwsgi|a|[b];3|uwsgi|c|];" },
	{ "[uwsgi]\na = \"b\"\n", "1[uwsgi];2|uwsgi|a|\"b\";" },
	{ "[uwsgi]\na = \xec\x84\xa4\n", "1[uwsgi];2|uwsgi|a|\xec\x84\xa4;" },
	{ "[uwsgi]\n<<<<<<< HEAD\n", "1[uwsgi];2|uwsgi|<<<<<<< HEAD;" },
	{ "[uwsgi]\n\x1d=\x1e;\x1f\n", "1[uwsgi];2|uwsgi|\x1d|\x1e;\x1f;" },
	{ "[a:b] ;c]\nx\n[]\ny", "1[a:b];2|a:b|x;3[];4||y;" },
	{ "[a123456789b123456789c123456789d123456789e12345678]\na=1\n",
	  "1[a123456789b123456789c123456789d123456789e12345678];"
	  "2|a123456789b123456789c123456789d123456789e12345678|a|1;" },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char seen[1024] = "";
		struct error e = { "" };
		int line;

		assert_int_equal(
			inifile_read((struct slice){ cases[i].text, strlen(cases[i].text) }, visit,
				     seen, &line, &e),
			0);
		assert_string_equal(seen, cases[i].lines);
	}
}

/* A copy that ends where the memory ends, so that a sanitizer sees a step too far. */
static int read_exactly(const char *text, size_t n, char *seen, int *line, struct error *e)
{
	char *copy = malloc(n ? n : 1);

	memcpy(copy, text, n);
	int result = inifile_read((struct slice){ copy, n }, visit, seen, line, e);
	free(copy);
	return result;
}

static void test_every_truncation(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t n = 0; n < strlen(cases[i].text); n++) {
			char seen[1024] = "";
			struct error e = { "" };
			int line, result = read_exactly(cases[i].text, n, seen, &line, &e);

			/* Only a heading that is cut off is wrong. */
			if (result)
				assert_string_equal(e.text, "a heading has to end with ]");
		}
}

static const struct {
	const char *text;
	size_t n;
	int line;
	const char *sentence;
} faults[] = {
	{ "[uwsgi]\na=1\n[base\nb=2\n", 23, 3, "a heading has to end with ]" },
	{ "[uwsgi]\na=\0\n", 12, 2, "byte 0x00: this is not a text file" },
	{ "[a123456789b123456789c123456789d123456789e123456789]\n", 53, 1,
	  "the name of a section has at most 49 bytes, and no semicolon" },
	{ "[uwsgi]\n[a ;b]\n", 16, 2,
	  "the name of a section has at most 49 bytes, and no semicolon" },
};

static void test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		char seen[1024] = "";
		struct error e = { "" };
		int line;

		assert_int_equal(read_exactly(faults[i].text, faults[i].n, seen, &line, &e), -1);
		assert_int_equal(line, faults[i].line);
		assert_string_equal(e.text, faults[i].sentence);
	}
}

static void measure(void *user, const struct ini_line *line)
{
	size_t *lengths = user;

	if (line->name)
		lengths[line->number - 2] = strlen(line->value);
}

/* Around every size at which a line buffer might end or grow, and far beyond. */
static void test_long_lines(void **state)
{
	static const size_t sizes[] = { 100, 195, 196, 197, 198,  199,  200,   201,    255,
					399, 400, 797, 798, 1023, 4096, 65535, 1000000 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t lengths[2] = { 0, 0 };
		char *text = malloc(sizes[i] + 64);
		struct error e = { "" };
		int line;

		size_t at = (size_t)sprintf(text, "[uwsgi]\na = ");
		memset(text + at, 'x', sizes[i]);
		at += sizes[i];
		at += (size_t)sprintf(text + at, "\nb = 12345\n");
		assert_int_equal(
			inifile_read((struct slice){ text, at }, measure, lengths, &line, &e), 0);
		assert_int_equal(lengths[0], sizes[i]);
		assert_int_equal(lengths[1], 5);
		free(text);
	}
}

static void test_comments_behind_values(void **state)
{
	static const struct {
		const char *value;
		size_t length;
	} values[] = {
		{ "", 0 },       { "x", 1 },        { "x # y", 1 },    { "x ; y", 1 },
		{ "x\t# y", 1 }, { "x#y", 3 },      { "x;y", 3 },      { "x;", 2 },
		{ "# x", 0 },    { "a b  # c", 3 }, { "300 # MB", 3 }, { "/a#b c#d", 8 },
		{ "x #", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		assert_int_equal(inifile_comment_at(values[i].value), values[i].length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_comments_behind_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
