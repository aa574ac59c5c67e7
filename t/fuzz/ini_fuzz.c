/* SPDX-License-Identifier: MIT */
/* ini_fuzz.c: a buffer as the content of an ini file, from its bytes to filled settings.  For
 * libFuzzer; `make fuzz` builds and runs it.  The file is a memory file, so nothing touches the
 * disk; names of other files in the buffer are opened for reading, as they are when serving. */
#include "settings/config.h"
#include "settings/show.h"

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct settings {
	long long processes, size, seconds;
	bool flag;
	const char *chdir, *format;
	struct option_list env;
	int choice;
};

#define AT(member) offsetof(struct settings, member)
static const char *const choices[] = { "one", "two", NULL };
static const struct option rows[] = {
	{ .name = "processes",
	  .letter = 'p',
	  .type = OPT_INT,
	  .offset = AT(processes),
	  .initial = "1",
	  .min = 1,
	  .max = 1024 },
	{ .name = "workers", .same_as = "processes" },
	{ .name = "buffer-size", .type = OPT_SIZE, .offset = AT(size), .initial = "64k" },
	{ .name = "harakiri", .type = OPT_SECONDS, .offset = AT(seconds) },
	{ .name = "vacuum", .type = OPT_FLAG, .offset = AT(flag) },
	{ .name = "chdir", .type = OPT_STRING, .offset = AT(chdir) },
	{ .name = "log-format", .type = OPT_STRING, .offset = AT(format), .text = true },
	{ .name = "env", .type = OPT_LIST, .offset = AT(env), .text = true, .initial = "A=1" },
	{ .name = "choice", .type = OPT_CHOICE, .offset = AT(choice), .choices = choices },
};
static const struct option_table table = {
	.module = "fuzz",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};
static const struct option_table *const tables[] = { &config_table, &table };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char path[64];
	/* What begins as JSON is read as that. */
	const char *kind = n > 0 && bytes[0] == '{' ? "--json" : "--ini";
	char *argv[] = { (char *)(uintptr_t) "uwsgi", (char *)(uintptr_t)kind, path, NULL };
	char *environment[] = { (char *)(uintptr_t) "HOME=/root", NULL };
	const struct invocation invocation = {
		.argc = 3, .argv = argv, .environ_ = environment, .cwd = "/", .no_commands = true
	};
	const char *name, *value;
	struct report report;
	int fd = memfd_create("ini", MFD_CLOEXEC);

	assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	report_init(&report);
	report.thorough = true;
	struct config *c = config_load(&invocation, tables, 2, &report);

	assert(c);
	for (size_t i = 0; uwsgi_config_next(c, &i, &name, &value);)
		assert(name && value);
	FILE *nowhere = fopen("/dev/null", "we");
	show_text(c, nowhere);
	show_json(c, nowhere);
	fclose(nowhere);
	config_free(c);
	report_fini(&report);
	close(fd);
	return 0;
}
