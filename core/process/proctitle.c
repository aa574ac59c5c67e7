/* SPDX-License-Identifier: MIT */
/* proctitle.c: writes process names over the start of argv.  What is writable there is a fact of
 * the process, found once at its start. */
#include "process/proctitle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct proctitle_settings {
	bool automatic;
	const char *prefix, *prefix_spaced, *append, *name, *master;
};

#define AT(member) offsetof(struct proctitle_settings, member)
static const struct option rows[] = {
	{ .name = "auto-procname",
	  .type = OPT_FLAG,
	  .offset = AT(automatic),
	  .initial = "false",
	  .help = "show each process's role in its name: uwsgi master, uwsgi worker 1" },
	{ .name = "procname-prefix",
	  .type = OPT_STRING,
	  .offset = AT(prefix),
	  .help = "put this before the processes' names",
	  .example = "shop-" },
	{ .name = "procname-prefix-spaced",
	  .type = OPT_STRING,
	  .offset = AT(prefix_spaced),
	  .help = "put this and a blank before the processes' names",
	  .example = "shop" },
	{ .name = "procname-append",
	  .type = OPT_STRING,
	  .offset = AT(append),
	  .help = "put this behind the processes' names",
	  .example = " (shop)" },
	{ .name = "procname",
	  .type = OPT_STRING,
	  .offset = AT(name),
	  .help = "name all processes so",
	  .example = "shop" },
	{ .name = "procname-master",
	  .type = OPT_STRING,
	  .offset = AT(master),
	  .help = "name the master so",
	  .example = "shop master" },
	{ .name = "emperor-procname", .same_as = "procname-master" },
};
#undef AT

const struct option_table proctitle_options = {
	.module = "process names",
	.size = sizeof(struct proctitle_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

static struct slice room; /* where ps reads, writable */
/* The variables at the start, and their array: nobody else knows what unsetenv() has taken out of environ,
 * and setenv() has put another array in its place. */
static char **variables_kept, **variables_moved;

static void free_strings(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

static char **copy_strings(char **from, size_t count)
{
	char **copy = calloc(count + 1, sizeof *copy);

	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = strdup(from[i]);
		if (!copy[i]) {
			free_strings(copy);
			return NULL;
		}
	}
	return copy;
}

char **proctitle_init(int argc, char **argv)
{
	char *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	size_t variables = 0;

	while (environ[variables]) {
		if (environ[variables] == end)
			end += strlen(end) + 1;
		variables++;
	}
	char **new_environ = copy_strings(environ, variables);
	char **new_argv = copy_strings(argv, (size_t)argc);
	if (!new_environ || !new_argv) {
		free_strings(new_environ);
		free_strings(new_argv);
		return NULL;
	}
	variables_kept = calloc(variables + 1, sizeof *variables_kept);
	if (variables_kept)
		memcpy(variables_kept, new_environ, variables * sizeof *variables_kept);
	environ = variables_moved = new_environ;
	room = (struct slice){ argv[0], (size_t)(end - argv[0]) };
	return new_argv;
}

void proctitle_fini(char **moved)
{
	static char *none[1];

	free_strings(moved);
	free_strings(variables_kept);
	free(variables_moved);
	environ = none;
}

static const char *name_of(const struct proctitle_settings *s, const char *role, char *usual,
			   size_t size)
{
	if (s->master && strcmp(role, "master") == 0)
		return s->master;
	if (s->name)
		return s->name;
	if (!s->automatic && !s->prefix && !s->prefix_spaced && !s->append)
		return NULL;
	snprintf(usual, size, "uwsgi %s", role);
	return usual;
}

void proctitle_set(const struct config *cfg, const char *role)
{
	const struct proctitle_settings *s = uwsgi_options(cfg, &proctitle_options);
	char text[256], usual[64];
	const char *name = name_of(s, role, usual, sizeof usual);

	if (!room.p || !name)
		return;
	snprintf(text, sizeof text, "%s%s%s%s%s", s->prefix_spaced ? s->prefix_spaced : "",
		 s->prefix_spaced ? " " : "", s->prefix ? s->prefix : "", name,
		 s->append ? s->append : "");
	char *p = (char *)(uintptr_t)room.p;
	size_t n = strnlen(text, room.n - 1);
	memcpy(p, text, n);
	memset(p + n, 0, room.n - n);
	prctl(PR_SET_NAME, text);
}
