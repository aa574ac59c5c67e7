/* SPDX-License-Identifier: MIT */
/* environment.c: folder, environment variables and umask.  The master takes folder and umask at
 * start, for its sockets; a zygote takes folder and variables of its own generation. */
#include "environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct environment_settings {
	const char *folder, *mask;
	struct option_list variables;
};

static int valid_mask(const char *text, struct error *e)
{
	char *end;

	if (strtoul(text, &end, 8) > 0777 || end == text || *end)
		return uwsgi_error_set(e, "expected an octal mask such as 022");
	return 0;
}

#define AT(member) offsetof(struct environment_settings, member)
static const struct option rows[] = {
	{ .name = "chdir",
	  .type = OPT_STRING,
	  .offset = AT(folder),
	  .help = "go to this folder before sockets are opened and the application is imported" },
	{ .name = "env",
	  .type = OPT_LIST,
	  .offset = AT(variables),
	  .text = true,
	  .help = "set an environment variable for the application: NAME=value" },
	{ .name = "umask",
	  .type = OPT_STRING,
	  .offset = AT(mask),
	  .valid = valid_mask,
	  .help = "the processes' file mode creation mask, octal" },
};
#undef AT

const struct option_table environment_options = {
	.module = "environment",
	.size = sizeof(struct environment_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

int environment_enter_folder(const struct config *cfg, const char *start_folder, struct error *e)
{
	const struct environment_settings *s = uwsgi_options(cfg, &environment_options);

	if (chdir(start_folder))
		return uwsgi_error_set(e, "cannot go to %s: %s", start_folder, strerror(errno));
	if (s->folder && chdir(s->folder))
		return uwsgi_error_set(e, "chdir = %s: %s", s->folder, strerror(errno));
	return 0;
}

int environment_set_variables(const struct config *cfg, struct error *e)
{
	const struct environment_settings *s = uwsgi_options(cfg, &environment_options);

	for (size_t i = 0; i < s->variables.count; i++) {
		char *name = strdup(s->variables.items[i]);
		char *equals = name ? strchr(name, '=') : NULL;
		int failed = !name;

		if (equals) {
			*equals = '\0';
			failed = setenv(name, equals + 1, 1);
		} else if (name) {
			failed = setenv(name, "", 1);
		}
		free(name);
		if (failed)
			return uwsgi_error_set(e, "env = %s: %s", s->variables.items[i],
					       strerror(errno));
	}
	return 0;
}

void environment_set_umask(const struct config *cfg)
{
	const struct environment_settings *s = uwsgi_options(cfg, &environment_options);

	if (s->mask)
		umask((mode_t)strtoul(s->mask, NULL, 8));
}
