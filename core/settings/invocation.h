/* SPDX-License-Identifier: MIT */
/* invocation.h: what the process was started with; kept, and constant, for reloads. */
#ifndef UWSGI_INVOCATION_H
#define UWSGI_INVOCATION_H

#include <uwsgi/plugin.h>

struct directives;

struct invocation {
	int argc;
	char **argv;
	char **environ_;
	const char *cwd; /* at start; relative ini paths are seen from here */
	/* What standard input held, when the command line names it; p NULL: it does not. */
	struct slice input;
	/* What was set, read already, with all names replaced: nothing else is read.  NULL: read. */
	const struct directives *given;
	bool no_commands; /* @(exec://…) stays as it is written */
	bool is_reload;   /* the configuration is read by a server that runs already */
	/* Whether a plugin is loaded; NULL: none is. */
	bool (*has_plugin)(const void *plugins, const char *name);
	const void *plugins;
};

#endif
