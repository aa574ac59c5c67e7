/* SPDX-License-Identifier: MIT */
/* kept.c: does what the roster of such a process says, and tells the log of its end. */
#include "process/kept.h"

#include "base/clock.h"
#include "process/cause.h"

#include <stdio.h>

/* ---- what is due ---- */

static void start(struct kept *k, struct slot *slot, int64_t now_ms)
{
	struct error e;
	pid_t pid = k->kind->fork(k, slot, &e);

	if (pid < 0) {
		int64_t delay_ms = roster_fork_failed(&k->roster, slot, now_ms);

		uwsgi_log(UWSGI_ERROR, "cannot start %s: %s; trying again in %.1f s", slot->name,
			  e.text, (double)delay_ms / 1000);
		return;
	}
	roster_forked(&k->roster, slot, pid);
	if (k->kind->is_ready)
		roster_ready(&k->roster, slot, now_ms);
}

static void do_what_is_due(struct kept *k, int64_t now_ms, int64_t *due_ms)
{
	for (;;) {
		const struct roster_action a = roster_next(&k->roster, now_ms);

		switch (a.kind) {
		case ROSTER_FORK:
			start(k, a.slot, now_ms);
			break;
		case ROSTER_ASK:
			k->kind->ask(k, a.slot);
			break;
		case ROSTER_KILL:
			uwsgi_log(UWSGI_WARNING, "%s (pid %ld) killed: it did not %s in time",
				  a.slot->name, (long)a.slot->pid,
				  a.was == SLOT_STARTING ? "start" : "leave");
			if (a.slot->pid > 0)
				k->kind->kill(k, a.slot);
			break;
		case ROSTER_WAIT:
			clock_keep_earlier(due_ms, a.due_ms);
			return;
		}
	}
}

static int make_roster(struct kept *k, struct error *e)
{
	const struct roster_row row = { .name = k->name, .count = 1 };
	const struct roster_setup setup = { &row, 1, k->mercy_ms, k->start_ms };

	return roster_init(&k->roster, &setup, e);
}

/* It has addresses and files of its own, so its successor comes when it is gone. */
void kept_step(struct kept *k, int64_t now_ms, int64_t *due_ms)
{
	struct error e;

	if (k->running && k->running != k->wanted && !k->roster.drained_by_ms)
		roster_drain(&k->roster, now_ms + k->mercy_ms, false);
	if (k->running && k->roster.drained_by_ms && roster_is_vacant(&k->roster)) {
		roster_fini(&k->roster);
		k->running = 0;
	}
	if (!k->running && k->wanted) {
		if (make_roster(k, &e)) {
			uwsgi_log(UWSGI_ERROR, "cannot start %s: %s", k->name, e.text);
			return;
		}
		k->roster.open = true;
		k->running = k->wanted;
	}
	if (k->running)
		do_what_is_due(k, now_ms, due_ms);
}

void kept_hurry(struct kept *k, int64_t now_ms)
{
	if (k->running && k->roster.drained_by_ms)
		roster_drain(&k->roster, now_ms, false);
}

void kept_carry(struct kept *k, struct carry *c)
{
	struct error e;

	carry_u64(c, &k->wanted);
	carry_u64(c, &k->running);
	carry_ms(c, &k->mercy_ms);
	if (!k->running)
		return;
	if (c->reading && make_roster(k, &e)) {
		k->running = 0;
		carry_fail(c, "%s", e.text);
		return;
	}
	roster_carry(&k->roster, c);
}

/* ---- ends ---- */

struct slot *kept_find(const struct kept *k, pid_t pid)
{
	for (size_t i = 0; k->running && i < k->roster.slot_count; i++)
		if (k->roster.slots[i].pid == pid && k->roster.slots[i].state != SLOT_VACANT)
			return &k->roster.slots[i];
	return NULL;
}

static int64_t settle_delay(struct kept *k, const struct slot *slot, int64_t delay_ms,
			    int64_t now_ms)
{
	int64_t own_ms = k->own_delay_ms;

	if (!own_ms && k->longest_delay_ms && delay_ms > k->longest_delay_ms)
		own_ms = k->longest_delay_ms;
	k->own_delay_ms = 0;
	if (!own_ms)
		return delay_ms;
	k->roster.place[slot->place - 1].not_before_ms = now_ms + own_ms;
	return own_ms;
}

bool kept_ended(struct kept *k, struct slot *slot, const siginfo_t *info, int64_t now_ms)
{
	char end[128], name[sizeof slot->name];
	int64_t delay_ms;

	k->kind->ended(k, slot, slot->state == SLOT_LEAVING || slot->state == SLOT_KILLED);
	snprintf(name, sizeof name, "%s", slot->name);
	if (!roster_died(&k->roster, slot, now_ms, &delay_ms))
		return false;
	bool own = k->own_delay_ms > 0;

	delay_ms = settle_delay(k, slot, delay_ms, now_ms);
	cause_of_end(info, end, sizeof end);
	if (k->once) {
		k->wanted = 0;
		uwsgi_log(UWSGI_ERROR, "%s (pid %ld) ended: %s; the server ends with it", name,
			  (long)info->si_pid, end);
	} else if (delay_ms)
		uwsgi_log(UWSGI_ERROR,
			  "%s (pid %ld) ended unexpectedly: %s; it %sis started again in %.1f s",
			  name, (long)info->si_pid, end, own ? "" : "keeps dying, so it ",
			  (double)delay_ms / 1000);
	else
		uwsgi_log(UWSGI_ERROR, "%s (pid %ld) ended unexpectedly: %s; restarting", name,
			  (long)info->si_pid, end);
	return true;
}
