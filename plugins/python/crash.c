/* SPDX-License-Identifier: MIT */
/* crash.c: a process that dies of a fault says so first, with its Python stacks.  These are
 * faulthandler's work, which start.c switches on; here stand the line before them, which says
 * who it is, and the stack to do it on for threads whose own may have overflowed.  Only functions of
 * signal-safety(7) run then.  The signal kills in the end as it would have: exit status and core
 * stay. */
#include "internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STACK = 65536 };

static struct fatal {
	const int number;
	const char *const name;
	struct sigaction before; /* faulthandler's */
} fatals[] = {
	{ .number = SIGSEGV, .name = "SIGSEGV" }, { .number = SIGABRT, .name = "SIGABRT" },
	{ .number = SIGBUS, .name = "SIGBUS" },   { .number = SIGFPE, .name = "SIGFPE" },
	{ .number = SIGILL, .name = "SIGILL" },
};
enum { FATALS = sizeof fatals / sizeof *fatals };

/* "worker 3 (pid 71)": written beforehand, since printf is not for signal handlers. */
static char who[64];

static void say(const char *signal_name)
{
	char line[256], *end = line;

	if (uwsgi_is_stray())
		end = stpcpy(end, "a process that was forked by ");
	end = stpcpy(end, who);
	end = stpcpy(end, " dies of ");
	end = stpcpy(end, signal_name);
	end = stpcpy(end, ":\n");
	/* Nothing is left to do if the log cannot be written. */
	ssize_t written = write(STDERR_FILENO, line, (size_t)(end - line));
	(void)written;
}

/* faulthandler's handler comes next: it tells the stacks, and raises the signal once more for the
 * default. */
static void on_fatal(int number)
{
	for (size_t i = 0; i < FATALS; i++)
		if (fatals[i].number == number) {
			say(fatals[i].name);
			sigaction(number, &fatals[i].before, NULL);
		}
	raise(number);
	/* It was switched off. */
	signal(number, SIG_DFL);
	raise(number);
}

void crash_set_process(const struct worker_info *info)
{
	if (info->id)
		snprintf(who, sizeof who, "worker %d (pid %ld)", info->id, (long)getpid());
	else
		snprintf(who, sizeof who, "the zygote (pid %ld)", (long)getpid());
}

void crash_watch(void)
{
	/* SA_NODEFER lets raise() act at once. */
	struct sigaction action = { .sa_handler = on_fatal, .sa_flags = SA_NODEFER | SA_ONSTACK };

	for (size_t i = 0; i < FATALS; i++)
		sigaction(fatals[i].number, &action, &fatals[i].before);
}

/* The main thread has faulthandler's. */
void *crash_stack_new(void)
{
	stack_t stack;

	if (sigaltstack(NULL, &stack) || !(stack.ss_flags & SS_DISABLE))
		return NULL;
	stack = (stack_t){ .ss_sp = malloc(STACK), .ss_size = STACK };
	if (stack.ss_sp && sigaltstack(&stack, NULL)) {
		free(stack.ss_sp);
		return NULL;
	}
	return stack.ss_sp;
}

void crash_stack_free(void *memory)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	if (memory)
		sigaltstack(&none, NULL);
	free(memory);
}
