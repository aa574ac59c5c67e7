/* SPDX-License-Identifier: MIT */
/* errand.c: one command at a time, each within its time.  Its output is in the log. */
#include "process/errand.h"

#include "base/clock.h"
#include "process/cause.h"
#include "process/minder.h"

#include <errno.h>
#include <string.h>

void errand_init(struct errand *r, const char *name)
{
	*r = (struct errand){ .name = name };
	arena_init(&r->memory);
}

void errand_begin(struct errand *r, const struct option_list *list, int64_t each_ms)
{
	arena_fini(&r->memory);
	arena_init(&r->memory);
	r->commands = arena_alloc(&r->memory, list->count * sizeof *r->commands);
	for (r->count = 0; r->commands && r->count < list->count; r->count++) {
		const char *text = list->items[r->count];

		r->commands[r->count] =
			arena_copy(&r->memory, (struct slice){ text, strlen(text) + 1 }).p;
	}
	if (r->memory.failed) {
		uwsgi_log(UWSGI_ERROR, "%s: out of memory: nothing is run", r->name);
		r->count = 0;
	}
	r->each_ms = each_ms;
	r->under_way = true;
}

void errand_fini(struct errand *r)
{
	arena_fini(&r->memory);
}

void errand_break_off(struct errand *r)
{
	r->count = 0;
	if (r->pid)
		minder_kill(r->pid);
}

static void run_next(struct errand *r, int64_t now_ms)
{
	const char *command = *r->commands;
	pid_t pid = r->fork(r->data, command, r->name);

	r->commands++;
	r->count--;
	if (pid < 0) {
		uwsgi_log(UWSGI_ERROR, "%s: %s is not run: %s", r->name, command, strerror(errno));
		return;
	}
	uwsgi_log(UWSGI_NOTE, "%s (pid %ld) runs: %s", r->name, (long)pid, command);
	r->pid = pid;
	r->kill_at_ms = now_ms + r->each_ms;
}

bool errand_step(struct errand *r, int64_t now_ms, int64_t *due_ms)
{
	while (!r->pid && r->count > 0)
		run_next(r, now_ms);
	if (r->pid && r->kill_at_ms && r->kill_at_ms <= now_ms) {
		uwsgi_log(UWSGI_WARNING, "%s (pid %ld) killed: it takes longer than on-timeout",
			  r->name, (long)r->pid);
		r->kill_at_ms = 0;
		minder_kill(r->pid);
	}
	if (r->pid)
		clock_keep_earlier(due_ms, r->kill_at_ms);
	bool done = r->under_way && !r->pid;

	r->under_way = r->under_way && !done;
	return done;
}

bool errand_ended(struct errand *r, const siginfo_t *info)
{
	char end[128];

	if (!r->pid || info->si_pid != r->pid)
		return false;
	cause_of_end(info, end, sizeof end);
	/* What it has left behind. */
	kill(-r->pid, SIGKILL);
	if (info->si_code != CLD_EXITED || info->si_status)
		uwsgi_log(UWSGI_WARNING, "%s (pid %ld) failed: %s; going on", r->name, (long)r->pid,
			  end);
	r->pid = 0;
	return true;
}
