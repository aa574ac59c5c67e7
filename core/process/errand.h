/* SPDX-License-Identifier: MIT */
/* errand.h: commands that the master runs one after the other, for something that waits for all of them. */
#ifndef UWSGI_ERRAND_H
#define UWSGI_ERRAND_H

#include "base/arena.h"

#include <signal.h>

struct errand {
	const char *name; /* for people: the option */
	/* Forks a process that runs the command: its pid, or -1 with errno. */
	pid_t (*fork)(void *data, const char *command, const char *name);
	void *data;
	struct arena memory;
	const char **commands; /* those that are left, and how many */
	size_t count;
	int64_t each_ms, kill_at_ms;
	pid_t pid; /* 0: none runs */
	bool under_way;
};

/* The caller sets fork and data afterwards. */
void errand_init(struct errand *, const char *name);
/* The list is copied; a command that takes longer than each_ms is killed.  Whatever becomes of one, the
 * next follows. */
void errand_begin(struct errand *, const struct option_list *, int64_t each_ms);
/* Kills what runs; nothing follows. */
void errand_break_off(struct errand *);
/* Does what is due; *due_ms becomes earlier where needed.  True: all is done, which it says once. */
bool errand_step(struct errand *, int64_t now_ms, int64_t *due_ms);
void errand_fini(struct errand *);
/* A child has ended.  False: it was none of these. */
bool errand_ended(struct errand *, const siginfo_t *);

#endif
