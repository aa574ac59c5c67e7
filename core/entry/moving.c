/* SPDX-License-Identifier: MIT */
/* moving.c: finds the Python program that reads other servers' configurations, and a Python to run it.
 * What it knows of them stands in migrate/, not here: some of those files are Python programs, and none is
 * needed to serve. */
#include "entry/moving.h"

#include "work/loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "--migrate: %s: %s\n", what, why);
	return EXIT_FAILURE;
}

/* The one beside the program, where both lie in a virtual environment; else the one that the server
 * was built for; else any. */
static const char *find_python(const char *program, char *path, size_t size)
{
	const char *slash = strrchr(program, '/');

	snprintf(path, size, "%.*s/python3", slash ? (int)(slash - program) : 0, program);
	if (access(path, X_OK) == 0)
		return path;
	return access(UWSGI_PYTHON, X_OK) == 0 ? UWSGI_PYTHON : "python3";
}

int moving_run(char *const *words)
{
	char script[8192], program[4096], python[8192];
	size_t count = 0;

	if (!loader_find_file("migrate/__main__.py", script, sizeof script))
		return fail("migrate/__main__.py", "not installed beside the server");
	if (!loader_find_binary(program, sizeof program))
		return fail("/proc/self/exe", strerror(errno));
	while (words[count])
		count++;
	/* -I: modules of the folder that one is in, and of PYTHONPATH, are the other server's. */
	const char *head[] = { find_python(program, python, sizeof python), "-I", "-B", script, program };
	enum { HEAD = sizeof head / sizeof *head };
	const char **argv = calloc(HEAD + count + 1, sizeof *argv);
	if (!argv)
		return fail("memory", strerror(errno));
	memcpy(argv, head, sizeof head);
	for (size_t i = 0; i < count; i++)
		argv[HEAD + i] = words[i];
	execvp(argv[0], (char *const *)argv);
	int code = fail(argv[0], strerror(errno));
	free(argv);
	return code;
}
