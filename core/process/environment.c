/* SPDX-License-Identifier: MIT */
/* environment.c: folder, environment variables and umask.  The master takes folder and umask at
 * start, for its sockets; a zygote takes folder and variables of its own generation. */
#include "process/environment.h"

#include "base/owner.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct environment_settings {
	const char *folder, *start_folder, *later_folder, *mask;
	struct option_list variables, unset, folders;
};

static int valid_mask(const char *text, struct error *e)
{
	mode_t mask;

	if (owner_mode(text, 0777, &mask))
		return uwsgi_error_set(e, "expected an octal mask such as 022");
	return 0;
}

static int valid_variable(const char *text, struct error *e)
{
	return *text == '=' ? uwsgi_error_set(e, "expected NAME=VALUE") : 0;
}

#define AT(member) offsetof(struct environment_settings, member)
static const struct option rows[] = {
	{ .name = "chdir",
	  .type = OPT_STRING,
	  .offset = AT(folder),
	  .help = "go to this folder before sockets are opened and the application is imported",
	  .unit = "FOLDER",
	  .example = "/srv/app" },
	{ .name = "env",
	  .type = OPT_LIST,
	  .offset = AT(variables),
	  .text = true,
	  .valid = valid_variable,
	  .help = "set an environment variable for the application: NAME=value",
	  .example = "DJANGO_SETTINGS_MODULE=site.settings",
	  .unit = "NAME=VALUE" },
	{ .name = "ienv", .same_as = "env" },
	{ .name = "unenv",
	  .type = OPT_LIST,
	  .offset = AT(unset),
	  .unit = "NAME",
	  .help = "take an environment variable away",
	  .example = "LD_PRELOAD" },
	{ .name = "envdir",
	  .type = OPT_LIST,
	  .offset = AT(folders),
	  .unit = "FOLDER",
	  .help = "set an environment variable for each file in this folder to the file's first "
		  "line; an empty file takes it away",
	  .example = "/etc/shop/env" },
	{ .name = "early-envdir", .same_as = "envdir" },
	{ .name = "chdir2",
	  .type = OPT_STRING,
	  .offset = AT(later_folder),
	  .unit = "FOLDER",
	  .help = "go to this folder when the application is imported",
	  .example = "/srv/shop/data" },
	{ .name = "force-cwd",
	  .type = OPT_STRING,
	  .offset = AT(start_folder),
	  .unit = "FOLDER",
	  .help = "go to this folder first of all; a relative chdir is seen from it",
	  .example = "/srv/shop" },
	{ .name = "umask",
	  .type = OPT_STRING,
	  .offset = AT(mask),
	  .valid = valid_mask,
	  .help = "the processes' file mode creation mask, octal",
	  .unit = "MASK",
	  .example = "027" },
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
	if (s->start_folder && chdir(s->start_folder))
		return uwsgi_error_set(e, "force-cwd = %s: %s", s->start_folder, strerror(errno));
	if (s->folder && chdir(s->folder))
		return uwsgi_error_set(e, "chdir = %s: %s", s->folder, strerror(errno));
	return 0;
}

int environment_enter_later_folder(const struct config *cfg, struct error *e)
{
	const struct environment_settings *s = uwsgi_options(cfg, &environment_options);

	if (s->later_folder && chdir(s->later_folder))
		return uwsgi_error_set(e, "chdir2 = %s: %s", s->later_folder, strerror(errno));
	return 0;
}

/* The first line without the blanks at its end, as envdir(8) takes it. */
static int set_from_file(const char *folder, const char *name, struct error *e)
{
	char path[4096], *line = NULL;
	size_t size = 0;

	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return uwsgi_error_set(e, "envdir = %s: %s: the name is too long", folder, name);
	FILE *f = fopen(path, "re");
	if (!f)
		return uwsgi_error_set(e, "envdir: %s: %s", path, strerror(errno));
	ssize_t n = getline(&line, &size, f);
	if (n > 0) {
		while (n > 0 && strchr(" \t\r\n", line[n - 1]))
			line[--n] = '\0';
		setenv(name, line, 1);
	} else {
		unsetenv(name);
	}
	free(line);
	fclose(f);
	return 0;
}

static int set_from_folder(const char *folder, struct error *e)
{
	const struct dirent *entry;
	DIR *d = opendir(folder);
	int failed = 0;

	if (!d)
		return uwsgi_error_set(e, "envdir = %s: %s", folder, strerror(errno));
	while (!failed && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && !strchr(entry->d_name, '='))
			failed = set_from_file(folder, entry->d_name, e);
	closedir(d);
	return failed;
}

int environment_set_variables(const struct config *cfg, struct error *e)
{
	const struct environment_settings *s = uwsgi_options(cfg, &environment_options);

	for (size_t i = 0; i < s->folders.count; i++)
		if (set_from_folder(s->folders.items[i], e))
			return -1;
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
	for (size_t i = 0; i < s->unset.count; i++)
		unsetenv(s->unset.items[i]);
	tzset(); /* localtime_r() does not look whether TZ is another one */
	return 0;
}

const char *environment_variable(const struct config *cfg, const char *name)
{
	const struct environment_settings *s = uwsgi_options(cfg, &environment_options);
	const char *value = NULL;
	size_t n = strlen(name);

	for (size_t i = 0; i < s->variables.count; i++)
		if (!strncmp(s->variables.items[i], name, n) && s->variables.items[i][n] == '=')
			value = s->variables.items[i] + n + 1;
	return value;
}

void environment_set_umask(const struct config *cfg)
{
	const struct environment_settings *s = uwsgi_options(cfg, &environment_options);

	mode_t mask;

	if (s->mask && owner_mode(s->mask, 0777, &mask) == 0)
		umask(mask);
}
