/* SPDX-License-Identifier: MIT */
/* crash.c: a process that dies of a fault says so first, with its Python stacks.  These are
 * faulthandler's work, which start.c switches on; here stand the line before them, which says
 * who it is and what it ran, and the stack to do it on for threads whose own may have overflowed.
 * Only functions of signal-safety(7) run then, and those that read memory and no more.  The signal
 * kills in the end as it would have: exit status and core stay. */
#include "internal.h"

#include <pthread.h>
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

/* The lanes of this process.  Not a variable of each thread: the first use of one may allocate. */
static struct lane *lanes;

struct line {
	char text[2048];
	size_t n;
};

static void add(struct line *l, const char *words)
{
	size_t n = strlen(words), room = sizeof l->text - l->n;

	n = n < room ? n : room;
	memcpy(l->text + l->n, words, n);
	l->n += n;
}

/* " in GET /path" */
static void add_request(struct line *l, const char *before, const struct request *rq)
{
	char method[64], uri[1024];

	uwsgi_escape(method, sizeof method, uwsgi_request_find(rq, SLICE("REQUEST_METHOD")));
	uwsgi_escape(uri, sizeof uri, uwsgi_request_find(rq, SLICE("REQUEST_URI")));
	add(l, before);
	add(l, method);
	add(l, " ");
	add(l, uri);
}

/* This thread's request, or where it is no lane, all that run. */
static void add_requests(struct line *l)
{
	const char *before = " during ";

	for (const struct lane *lane = lanes; lane; lane = lane->next)
		if (lane->rq && pthread_equal(lane->self, pthread_self())) {
			add_request(l, " in ", lane->rq);
			return;
		}
	for (const struct lane *lane = lanes; lane; lane = lane->next)
		if (lane->rq) {
			add_request(l, before, lane->rq);
			before = ", ";
		}
}

static void say(const char *signal_name)
{
	struct line l = { .n = 0 };

	if (uwsgi_is_stray())
		add(&l, "a process that was forked by ");
	add(&l, who);
	add(&l, " dies of ");
	add(&l, signal_name);
	add_requests(&l);
	l.n = l.n < sizeof l.text - 2 ? l.n : sizeof l.text - 2;
	add(&l, ":\n");
	/* Nothing is left to do if the log cannot be written. */
	ssize_t written = write(STDERR_FILENO, l.text, l.n);
	(void)written;
}

/* faulthandler's handler comes next: it tells the stacks, and raises the signal once more for the
 * default.  It also comes when memory is so broken that say() dies in its turn. */
static void on_fatal(int number)
{
	for (size_t i = 0; i < FATALS; i++)
		if (fatals[i].number == number) {
			sigaction(number, &fatals[i].before, NULL);
			say(fatals[i].name);
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
static void *new_stack(void)
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

void crash_watch_lane(struct lane *lane)
{
	lane->crash_stack = new_stack();
	lane->self = pthread_self();
	lane->next = lanes;
	lanes = lane;
}

const struct lane *crash_lanes(void)
{
	return lanes;
}

void crash_forget_lane(struct lane *lane)
{
	const stack_t none = { .ss_flags = SS_DISABLE };
	struct lane **at = &lanes;

	while (*at != lane)
		at = &(*at)->next;
	*at = lane->next;
	if (lane->crash_stack)
		sigaltstack(&none, NULL);
	free(lane->crash_stack);
}
