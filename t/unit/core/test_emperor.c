/* SPDX-License-Identifier: MIT */
/* test_emperor.c: which files an emperor finds, what it gives to a vassal, what a vassal says. */
#include "hidden.h"

#include "process/allegiance.h"
#include "process/emperor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what a vassal says ---- */

static int read_all(struct allegiance_reader *r, const char *bytes, size_t n)
{
	int last = -1;

	for (size_t i = 0; i < n; i++)
		last = allegiance_read(r, (unsigned char)bytes[i]);
	return last;
}

static void test_bytes_and_texts(void **unused)
{
	struct allegiance_reader r = { 0 };
	char longer[400];

	(void)unused;
	assert_int_equal(read_all(&r, "\x05", 1), ALLEGIANCE_READY);
	assert_int_equal(read_all(&r, "\x1a", 1), ALLEGIANCE_HEARTBEAT);
	assert_int_equal(read_all(&r, "I127.0.0.1:9090", 15), -1);
	assert_int_equal(read_all(&r, ";", 1), ALLEGIANCE_INSPECT);
	assert_string_equal(r.text, "127.0.0.1:9090");
	assert_int_equal(read_all(&r, "F;", 2), ALLEGIANCE_FAILED);
	assert_string_equal(r.text, "");
	/* A byte in the middle of a text breaks it off. */
	assert_int_equal(read_all(&r, "Fwhy\x05", 5), ALLEGIANCE_READY);
	assert_int_equal(read_all(&r, ";", 1), -1);
	memset(longer, 'x', sizeof longer);
	longer[0] = ALLEGIANCE_FAILED;
	longer[sizeof longer - 1] = ';';
	r = (struct allegiance_reader){ 0 };
	assert_int_equal(read_all(&r, longer, sizeof longer), ALLEGIANCE_FAILED);
	assert_int_equal(strlen(r.text), sizeof r.text - 1);
}

/* ---- what it is given ---- */

static void test_the_command_line(void **unused)
{
	const char *before[] = { "b.ini" }, *set[] = { "a=1", "b=2" }, *after[] = { "c.ini" };
	const struct emperor_settings s = { .include_before = { before, 1 },
					    .set = { set, 2 },
					    .inherit = { after, 1 } };
	static const char *const expected[] = { "uwsgi", "--include", "b.ini", "--set",
						"a=1",   "--set",     "b=2",   "--ini",
						"x.ini", "--inherit", "c.ini" };
	const char **words = emperor_arguments(&s, "uwsgi", "x.ini");

	(void)unused;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
		assert_string_equal(words[i], expected[i]);
	assert_null(words[sizeof expected / sizeof *expected]);
	free(words);
	words = emperor_arguments(&(struct emperor_settings){ 0 }, "uwsgi", "x.json");
	assert_string_equal(words[1], "--config");
	free(words);
}

/* ---- what it finds ---- */

struct seen {
	char names[256];
	size_t count;
};

static void see(void *data, const struct vassal_file *file)
{
	struct seen *s = data;

	strcat(strcat(s->names, file->name), file->folder ? " " : "* ");
	s->count++;
	assert_true(file->changed.tv_sec > 0 && file->inode > 0);
}

static void make(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	close(open(path, O_CREAT | O_WRONLY, 0644));
}

static enum emperor_sight look(struct emperor_settings *s, const char *place, struct seen *seen,
			       struct error *e)
{
	s->places = (struct option_list){ &place, 1 };
	*seen = (struct seen){ 0 };
	e->text[0] = '\0';
	return emperor_look(s, false, see, seen, e);
}

static void test_files_of_folders_and_patterns(void **unused)
{
	static const char *const names[] = { "a.ini", ".b.ini", "c.txt", "d.skel", ".ini" };
	const char *skel = ".skel";
	struct emperor_settings s = { .endings = { &skel, 1 } };
	char folder[] = "/tmp/test_emperor.XXXXXX", pattern[64];
	struct seen seen;
	struct error e;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		make(folder, names[i]);
	snprintf(pattern, sizeof pattern, "%s/sub.ini", folder);
	mkdir(pattern, 0755);
	snprintf(pattern, sizeof pattern, "%s/fifo.ini", folder);
	assert_int_equal(mkfifo(pattern, 0600), 0);
	snprintf(pattern, sizeof pattern, "%s/masked.ini", folder);
	assert_int_equal(symlink("/dev/null", pattern), 0);
	assert_int_equal(look(&s, folder, &seen, &e), EMPEROR_SAW_ALL);
	assert_int_equal(seen.count, 2);
	assert_non_null(strstr(seen.names, "a.ini ") && strstr(seen.names, "d.skel ") ? "" : NULL);
	snprintf(pattern, sizeof pattern, "glob://%s/*.txt", folder);
	assert_int_equal(look(&s, pattern, &seen, &e), EMPEROR_SAW_ALL);
	assert_int_equal(seen.count, 1);
	assert_non_null(strstr(seen.names, "/c.txt* "));
	snprintf(pattern, sizeof pattern, "%s/none*", folder);
	assert_int_equal(look(&s, pattern, &seen, &e), EMPEROR_SAW_ALL);
	assert_string_equal(e.text, "");
	snprintf(pattern, sizeof pattern, "%s/none", folder);
	assert_int_equal(look(&s, pattern, &seen, &e), EMPEROR_MISSES_FOLDER);
	assert_non_null(strstr(e.text, "No such file"));
	snprintf(pattern, sizeof pattern, "rm -r %s", folder);
	assert_int_equal(system(pattern), 0);
}

static bool lacks(struct emperor_settings *s, const char *place, const char *name,
		  const char *folder, struct error *e)
{
	s->places = (struct option_list){ &place, 1 };
	e->text[0] = '\0';
	return emperor_lacks(s, &(struct vassal_file){ .name = name, .folder = folder }, e);
}

static void test_what_cannot_be_read_is_not_gone(void **unused)
{
	struct emperor_settings s = { 0 };
	char folder[] = "/tmp/test_emperor.XXXXXX", sub[64], pattern[64], file[80];
	struct seen seen;
	struct error e;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0755), 0);
	snprintf(sub, sizeof sub, "%s/sub", folder);
	snprintf(pattern, sizeof pattern, "%s/s*/*.ini", folder);
	snprintf(file, sizeof file, "%s/a.ini", sub);
	mkdir(sub, 0755);
	make(sub, "a.ini");
	hide(sub);
	assert_int_equal(look(&s, pattern, &seen, &e), EMPEROR_SAW_PART);
	assert_non_null(strstr(e.text, "s*/*.ini: Permission denied"));
	assert_false(lacks(&s, pattern, file, NULL, &e));
	assert_non_null(strstr(e.text, "sub/a.ini: Permission denied"));
	assert_int_equal(look(&s, sub, &seen, &e), EMPEROR_SAW_PART);
	assert_false(lacks(&s, sub, "a.ini", sub, &e));
	show(sub);
	assert_false(lacks(&s, sub, "a.ini", sub, &e));
	assert_string_equal(e.text, "");
	assert_true(lacks(&s, sub, "a.conf", sub, &e));
	assert_true(lacks(&s, sub, file, NULL, &e));
	assert_false(lacks(&s, pattern, file, NULL, &e));
	assert_int_equal(unlink(file), 0);
	assert_true(lacks(&s, pattern, file, NULL, &e));
	assert_string_equal(e.text, "");
	rmdir(sub);
	/* Its folder may come back; a file by itself is gone. */
	assert_false(lacks(&s, sub, "a.ini", sub, &e));
	assert_true(lacks(&s, pattern, file, NULL, &e));
	rmdir(folder);
}

/* A link has a mode that says nothing; what it leads to counts. */
static void test_root_believes_links_that_only_root_writes(void **unused)
{
	char folder[] = "/tmp/test_emperor.XXXXXX", path[64];
	const char *place = folder;
	struct emperor_settings s = { .places = { &place, 1 }, .nofollow = true };
	struct seen seen = { 0 };
	struct error e = { .text = "" };

	(void)unused;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(folder));
	make(folder, "file");
	snprintf(path, sizeof path, "%s/a.ini", folder);
	assert_int_equal(symlink("file", path), 0);
	assert_int_equal(emperor_look(&s, true, see, &seen, &e), EMPEROR_SAW_ALL);
	assert_int_equal(seen.count, 1);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(emperor_look(&s, true, see, &seen, &e), EMPEROR_IS_EXPOSED);
	snprintf(path, sizeof path, "rm -r %s", folder);
	assert_int_equal(system(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_and_texts),
		cmocka_unit_test(test_the_command_line),
		cmocka_unit_test(test_files_of_folders_and_patterns),
		cmocka_unit_test(test_what_cannot_be_read_is_not_gone),
		cmocka_unit_test(test_root_believes_links_that_only_root_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
