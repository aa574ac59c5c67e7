/* SPDX-License-Identifier: MIT */
/* jobs.c: starts commands, tells the log how they end, and ends those that take too long.  Each has a
 * minder (minder.c), so that nothing it has started outlives the server. */
#include "process/jobs.h"

#include "base/clock.h"
#include "process/cause.h"
#include "process/minder.h"
#include "work/hook_action.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void jobs_init(struct jobs *all)
{
	TAILQ_INIT(&all->list);
}

static void forget(struct jobs *all, struct job *j)
{
	TAILQ_REMOVE(&all->list, j, link);
	attached_fini(&j->what);
	free(j);
}

static struct job *make(struct jobs *all, const struct job_order *order, int64_t now_ms)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->what = (struct attached){ .text = strdup(order->command), .stop_signal = SIGTERM };
	j->what.command = j->what.text;
	j->what.is_action = order->is_action;
	j->number = order->number;
	j->began_ms = now_ms;
	j->limit_ms = order->limit_ms;
	if (order->limit_ms)
		j->kill_at_ms = now_ms + order->limit_ms;
	snprintf(j->name, sizeof j->name, "%s", order->name);
	TAILQ_INSERT_HEAD(&all->list, j, link);
	if (j->what.text)
		return j;
	forget(all, j);
	return NULL;
}

pid_t jobs_run(struct jobs *all, const struct job_order *order, int64_t now_ms)
{
	struct job *j = make(all, order, now_ms);
	const char *why = "out of memory";

	if (j) {
		j->pid = all->fork(all->data, &j->what, j->name);
		why = strerror(errno);
	}
	if (!j || j->pid < 0) {
		uwsgi_log(UWSGI_ERROR, "%s: cannot start %s: %s", order->name, order->command, why);
		if (j)
			forget(all, j);
		return -1;
	}
	uwsgi_log(UWSGI_NOTE, "%s (pid %ld) runs%s: %s", j->name, (long)j->pid, order->why,
		  order->is_action ? hook_action_shown(order->command) : order->command);
	return j->pid;
}

const struct job *jobs_of(const struct jobs *all, int number)
{
	const struct job *j;

	TAILQ_FOREACH(j, &all->list, link)
		if (j->number == number)
			return j;
	return NULL;
}

int64_t jobs_step(struct jobs *all, int64_t now_ms)
{
	struct job *j;
	int64_t due_ms = 0;

	TAILQ_FOREACH(j, &all->list, link) {
		if (j->killed || !j->kill_at_ms)
			continue;
		if (j->kill_at_ms > now_ms) {
			clock_keep_earlier(&due_ms, j->kill_at_ms);
			continue;
		}
		if (j->limit_ms)
			uwsgi_log(UWSGI_ERROR,
				  "%s (pid %ld) killed: it runs longer than %.0f s "
				  "(harakiri): %s",
				  j->name, (long)j->pid, (double)j->limit_ms / 1000,
				  j->what.command);
		else
			uwsgi_log(UWSGI_WARNING, "%s (pid %ld) killed: it did not leave in time",
				  j->name, (long)j->pid);
		minder_kill(j->pid);
		j->killed = true;
	}
	return due_ms;
}

/* Until it is reaped, no other group has this number. */
bool jobs_ended(struct jobs *all, const siginfo_t *info, int64_t now_ms)
{
	struct job *j;
	char end[128];

	TAILQ_FOREACH(j, &all->list, link)
		if (j->pid == info->si_pid)
			break;
	if (!j)
		return false;
	kill(-j->pid, SIGKILL);
	cause_of_end(info, end, sizeof end);
	if (!j->killed)
		uwsgi_log(info->si_code == CLD_EXITED && !info->si_status ? UWSGI_NOTE
									  : UWSGI_ERROR,
			  "%s (pid %ld) ended after %.1f s: %s", j->name, (long)j->pid,
			  (double)(now_ms - j->began_ms) / 1000, end);
	forget(all, j);
	return true;
}

void jobs_dismiss(struct jobs *all, int64_t kill_at_ms)
{
	struct job *j;

	TAILQ_FOREACH(j, &all->list, link) {
		if (!j->asked)
			kill(j->pid, SIGTERM);
		j->asked = true;
		if (j->kill_at_ms && j->kill_at_ms <= kill_at_ms)
			continue;
		j->kill_at_ms = kill_at_ms;
		j->limit_ms = 0;
	}
}

bool jobs_are_gone(const struct jobs *all)
{
	return TAILQ_EMPTY(&all->list);
}

/* NULL: the next one is read. */
static void carry_one(struct jobs *all, struct job *j, struct carry *c)
{
	char *command = j ? j->what.text : NULL;
	size_t n = command ? strlen(command) : 0;

	carry_bytes(c, &command, &n, 1 << 20);
	if (c->reading) {
		const struct job_order order = { .command = command ? command : "", .name = "" };

		j = make(all, &order, 0);
		free(command);
	}
	if (!j) {
		carry_fail(c, "out of memory");
		return;
	}
	carry_text(c, j->name, sizeof j->name);
	carry_int(c, &j->number, 0, INT32_MAX);
	carry_int(c, &j->pid, 1, INT32_MAX);
	carry_ms(c, &j->began_ms);
	carry_ms(c, &j->kill_at_ms);
	carry_ms(c, &j->limit_ms);
	carry_bool(c, &j->asked);
	carry_bool(c, &j->killed);
}

void jobs_carry(struct jobs *all, struct carry *c)
{
	struct job *j;
	size_t count = 0;

	TAILQ_FOREACH(j, &all->list, link)
		count++;
	count = carry_count(c, count, 65536);
	for (size_t i = 0; c->reading && i < count && !c->failed; i++)
		carry_one(all, NULL, c);
	if (c->reading)
		return;
	/* The last one is the youngest for the reader, too. */
	TAILQ_FOREACH_REVERSE(j, &all->list, job_list, link)
	{
		carry_one(all, j, c);
	}
}

void jobs_fini(struct jobs *all)
{
	while (!TAILQ_EMPTY(&all->list))
		forget(all, TAILQ_FIRST(&all->list));
}
