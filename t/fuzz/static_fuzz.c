/* SPDX-License-Identifier: MIT */
/* static_fuzz.c: the header fields that ask for parts of a file and for newer ones, and paths.  A path
 * never opens what does not lie in the folder. */
#include "static.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/static_fuzz.XXXXXX";
static struct files *files;
static struct stat inside;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void leave(void)
{
	char command[100];

	snprintf(command, sizeof command, "rm -r %s", root);
	if (system(command))
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct option_list none;
	char command[400];

	(void)argc;
	(void)argv;
	if (!mkdtemp(root))
		abort();
	atexit(leave);
	snprintf(command, sizeof command,
		 "cd %s && mkdir -p a/b && echo x >f && ln f a/f && ln f a/b/f && ln -s .. a/u && "
		 "ln -s ../.. a/b/v && ln -s / r && ln -s /etc e && mkfifo p",
		 root);
	if (system(command) || stat(root, &inside))
		abort();
	snprintf(command, sizeof command, "%s/f", root);
	if (stat(command, &inside))
		abort();
	files = files_new(&none);
	return files ? 0 : -1;
}

static void look_at_path(struct slice path)
{
	struct file *f = files_find(files, root, path);
	struct stat st;

	/* There is one file in the folder, by several names. */
	if (f && !f->is_folder)
		assert(fstat(f->fd, &st) == 0 && st.st_ino == inside.st_ino &&
		       st.st_dev == inside.st_dev);
}

static void look_at_ranges(struct slice field)
{
	struct range ranges[RANGES_MAX];
	int64_t size = 1000, sum = 0;
	int count = ranges_parse(field, size, ranges);

	assert(count >= -1 && count <= RANGES_MAX);
	for (int i = 0; i < count; i++) {
		assert(ranges[i].at >= 0 && ranges[i].length > 0 &&
		       ranges[i].at + ranges[i].length <= size);
		sum += ranges[i].length;
	}
	assert(sum <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct validators v = { { "\"a\"", 3 }, 1577836800 };
	const struct slice field = { (const char *)data + 1, size ? size - 1 : 0 };
	struct conditions c = { .if_range = field };

	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0:
		look_at_ranges(field);
		break;
	case 1:
		date_parse(field);
		conditions_allow_range(&c, &v, 1600000000);
		break;
	case 2:
		c = (struct conditions){ .if_match = field };
		conditions_judge(&c, &v);
		c = (struct conditions){ .if_none_match = field };
		conditions_judge(&c, &v);
		break;
	default:
		look_at_path(field);
	}
	return 0;
}
