/* SPDX-License-Identifier: MIT */
/* invocation.h: what the process was started with; kept, and constant, for reloads. */
#ifndef UWSGI_INVOCATION_H
#define UWSGI_INVOCATION_H

struct invocation {
	int argc;
	char **argv;
	char **environ_;
	const char *cwd; /* at start; relative ini paths are seen from here */
};

#endif
