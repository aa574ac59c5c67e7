/* SPDX-License-Identifier: MIT */
/* generation.c: the shell around a roster: starts processes, reads what they say, notices their
 * ends, and does what the roster finds due.  It alone knows the zygote.  It decides nothing about
 * other generations: that is the master's. */
#include "process/generation.h"

#include "base/cgroup.h"
#include "base/clock.h"
#include "process/announce.h"
#include "process/observe.h"
#include "work/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Messages of one process that are read before anything else is looked at. */
enum { MESSAGES_A_TURN = 64 };

static int64_t now_of(const struct generation *g)
{
	return g->host->calls->now_ms();
}

static void kill_process(const struct generation *g, pid_t pid)
{
	if (pid > 0)
		g->host->calls->kill(pid, SIGKILL);
}

/* ---- failing ---- */

/* What a process said before it ended explains more than its end. */
static void keep_said(struct generation *g, const char *text)
{
	if (!g->said[0])
		snprintf(g->said, sizeof g->said, "%s", text);
}

/* The first reason counts. */
static void fail(struct generation *g, int exit_code, const char *why)
{
	if (g->state != GENERATION_STARTING || g->failed)
		return;
	g->failed = true;
	g->exit_code = exit_code;
	snprintf(g->why, sizeof g->why, "%s", why);
}

static void want_reload(struct generation *g, const char *why)
{
	if (g->state != GENERATION_SERVING)
		return;
	g->wants_reload = true;
	snprintf(g->why, sizeof g->why, "%s", why);
}

/* ---- channels ---- */

static struct watch *channel_of(const struct generation *g, const struct slot *slot)
{
	return &g->slot_channel[slot - g->roster.slots];
}

/* ---- what the zygote says ---- */

static void note_imported(struct generation *g, const struct message *m)
{
	if (g->state == GENERATION_DRAINING)
		return;
	g->roster.open = true;
	g->roster.has_zygote = true;
	atomic_store(&g->scoreboard.board->import_ms, m->value);
	announce_imported(g, m);
}

static void note_fork_failed(struct generation *g, struct slot *slot, const char *why)
{
	char text[256];

	channel_close(channel_of(g, slot), g->host->loop);
	int64_t delay_ms = roster_fork_failed(&g->roster, slot, now_of(g));
	snprintf(text, sizeof text, "cannot start %s: %s", slot->name, why);
	keep_said(g, text);
	uwsgi_log(UWSGI_ERROR, "%s; trying again in %.1f s", text, (double)delay_ms / 1000);
}

static void on_end(struct generation *, struct slot *, int exit_code, const char *end);

/* The zygote is believed only what can be seen: the process is a child of this one.  If it is none
 * any more, it was killed before it was announced, and is reaped already. */
static void note_forked(struct generation *g, const struct message *m)
{
	const struct generation_calls *calls = g->host->calls;

	if (m->slot < 0 || (size_t)m->slot >= g->roster.slot_count || m->value > INT32_MAX)
		return;
	struct slot *slot = &g->roster.slots[m->slot];
	bool ordered = slot->state != SLOT_VACANT && slot->pid == 0;
	pid_t pid = (pid_t)m->value;

	if (pid <= 0) {
		if (ordered)
			note_fork_failed(g, slot, strerror((int)-m->value));
	} else if (!calls->is_child(pid)) {
		slot->pid = ordered ? pid : slot->pid;
		if (ordered)
			on_end(g, slot, 0, "it was gone before it was announced");
	} else {
		if (ordered)
			roster_forked(&g->roster, slot, pid);
		if (!ordered || slot->state == SLOT_KILLED)
			kill_process(g, pid);
	}
}

static void on_zygote_message(struct generation *g, const struct message *m)
{
	if (m->kind == MESSAGE_IMPORTED)
		note_imported(g, m);
	else if (m->kind == MESSAGE_FORKED)
		note_forked(g, m);
	else if (m->kind == MESSAGE_FAILED)
		keep_said(g, m->text);
}

static void read_zygote(struct generation *g)
{
	struct message m;

	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		if (!channel_next(&g->zygote_channel, g->host->loop, &m, NULL))
			break;
		on_zygote_message(g, &m);
	}
	/* A zygote that has closed its channel takes no order any more: its end says the rest. */
	if (g->zygote_channel.io.fd < 0)
		kill_process(g, g->zygote);
}

static void on_zygote_channel(struct watch *w)
{
	struct generation *g = w->data;

	read_zygote(g);
	g->host->wake(g->host->data);
}

/* ---- what workers and gateways say ---- */

static void recycle(struct generation *g, struct slot *slot, const char *why)
{
	if (slot->state != SLOT_SERVING || limits_is_young(g->limits, now_of(g) - slot->since_ms)) {
		slot->exhausted = true;
		return;
	}
	uwsgi_log(UWSGI_NOTE, "%s (pid %ld) is replaced: %s", slot->name, (long)slot->pid, why);
	slot->replace = true;
}

/* It has given up a request that hangs: young or not, it goes when its successor serves. */
static void note_struck(const struct generation *g, struct slot *slot, const char *what)
{
	if (!slot->place)
		return;
	atomic_fetch_add(&g->scoreboard.totals->worker[slot->place - 1].harakiri, 1);
	if ((slot->state != SLOT_STARTING && slot->state != SLOT_SERVING) || slot->replace)
		return;
	uwsgi_log(UWSGI_WARNING, "%s (pid %ld) is replaced: %s", slot->name, (long)slot->pid, what);
	slot->replace = true;
}

/* As it is asked: its place is not empty meanwhile, and its end is no surprise. */
static void note_asked(struct slot *slot, const struct message *m)
{
	const char *name = sigabbrev_np((int)m->value);
	char sender[32] = "itself";

	if (slot->state != SLOT_SERVING || slot->replace)
		return;
	if (m->worker != slot->pid)
		snprintf(sender, sizeof sender, "pid %d", m->worker);
	uwsgi_log(UWSGI_NOTE, "%s (pid %ld) is replaced: SIG%s from %s", slot->name,
		  (long)slot->pid, name ? name : "?", sender);
	slot->replace = true;
}

static void note_ready(struct generation *g, struct slot *slot)
{
	if (slot->state != SLOT_STARTING)
		return;
	roster_ready(&g->roster, slot, now_of(g));
	if (roster_is_gateway(&g->roster, slot))
		uwsgi_log(UWSGI_NOTE, "%s (pid %ld) takes clients", slot->name, (long)slot->pid);
	/* Its first lanes may have answered max-requests before the last one was ready. */
	if (slot->exhausted)
		recycle(g, slot, "it has asked to be before it was ready");
}

static void on_message(struct generation *g, struct slot *slot, const struct message *m)
{
	char why[sizeof m->text + 32];

	switch (m->kind) {
	case MESSAGE_READY:
		note_ready(g, slot);
		break;
	case MESSAGE_RECYCLE:
		recycle(g, slot, m->text);
		break;
	case MESSAGE_STRUCK:
		note_struck(g, slot, m->text);
		break;
	case MESSAGE_ASKED:
		/* A signal to the whole group has also asked the server to stop. */
		if (!g->withdrawn)
			note_asked(slot, m);
		break;
	case MESSAGE_CHANGED:
		snprintf(why, sizeof why, "module %s was changed", m->text);
		want_reload(g, why);
		break;
	case MESSAGE_FAILED:
		uwsgi_log(UWSGI_ERROR, "%s: %s", slot->name, m->text);
		keep_said(g, m->text);
		rolling_hear(g, slot, m->text);
		break;
	default:
		break; /* nothing that it has to say */
	}
}

static void on_slot_channel(struct watch *w)
{
	struct generation *g = w->data;
	struct slot *slot = &g->roster.slots[w - g->slot_channel];
	struct message m;

	for (int i = 0; i < MESSAGES_A_TURN && channel_next(w, g->host->loop, &m, NULL); i++)
		on_message(g, slot, &m);
	g->host->wake(g->host->data);
}

/* ---- ends ---- */

/* What becomes of the place of a process that has ended or is killed. */
static const char *sequel(const struct generation *g, const struct slot *slot, bool replaced)
{
	if (replaced)
		return "";
	if (!generation_can_fork(g) && !roster_is_gateway(&g->roster, slot))
		return "; no worker can be started until the application is imported again";
	return "; restarting";
}

/* exit_code: 0 for any but an exit. */
static void on_end(struct generation *g, struct slot *slot, int exit_code, const char *end)
{
	bool starting = slot->state == SLOT_STARTING;
	bool replaced = roster_is_replaced(&g->roster, slot);
	char what[256], delay[64];
	int64_t delay_ms;

	snprintf(what, sizeof what, "%s (pid %ld) ended %s: %s", slot->name, (long)slot->pid,
		 starting ? "while it started" : "unexpectedly", end);
	channel_close(channel_of(g, slot), g->host->loop);
	if (!roster_is_gateway(&g->roster, slot))
		scoreboard_retire(&g->scoreboard, (size_t)(slot - g->roster.slots), slot->place);
	bool told = rolling_lost(g, slot, what);

	if (!roster_died(&g->roster, slot, now_of(g), &delay_ms) || told)
		return;
	if (starting)
		keep_said(g, what);
	if (starting && g->state == GENERATION_STARTING &&
	    (g->is_reload || exit_code == EXIT_FAILED_APP)) {
		fail(g, EXIT_FAILED_APP, g->said);
		return;
	}
	snprintf(delay, sizeof delay, "; it keeps dying, so it is started again in %.1f s",
		 (double)delay_ms / 1000);
	uwsgi_log(UWSGI_ERROR, "%s%s", what,
		  delay_ms && generation_can_fork(g) ? delay : sequel(g, slot, replaced));
}

/* A kill whose sender nobody knows is the kernel's, where it has counted one. */
static void tell_end(const struct generation *g, const siginfo_t *info, char *end, size_t size)
{
	bool killed = info->si_code == CLD_KILLED && info->si_status == SIGKILL;
	struct cgroup *c = g->host->cgroup;
	char cause[80];

	cause_of_end(info, cause, sizeof cause);
	snprintf(end, size, "%s%s", cause,
		 killed && c && cgroup_has_killed(c)
			 ? ", by the kernel for want of memory (oom_kill)"
			 : "");
}

static void on_zygote_end(struct generation *g, const siginfo_t *info)
{
	char end[160], why[256];
	bool has_code = info->si_code == CLD_EXITED && info->si_status;

	tell_end(g, info, end, sizeof end);
	snprintf(why, sizeof why, "the process that %s (pid %ld) ended: %s",
		 g->state == GENERATION_STARTING ? "imports the application"
						 : "workers are forked from",
		 (long)g->zygote, end);
	g->zygote = 0;
	read_zygote(g);
	channel_close(&g->zygote_channel, g->host->loop);
	g->roster.has_zygote = false;
	/* What it was asked for and did not come to do. */
	for (size_t i = 0; i < g->roster.slot_count; i++) {
		struct slot *slot = &g->roster.slots[i];

		if (slot->state == SLOT_VACANT || slot->pid)
			continue;
		channel_close(channel_of(g, slot), g->host->loop);
		slot_move(slot, SLOT_DIED, now_of(g));
	}
	fail(g, has_code ? info->si_status : EXIT_FAILURE, g->said[0] ? g->said : why);
	want_reload(g, why);
}

static struct slot *find(const struct generation *g, pid_t pid)
{
	for (size_t i = 0; i < g->roster.slot_count; i++)
		if (g->roster.slots[i].state != SLOT_VACANT && g->roster.slots[i].pid == pid)
			return &g->roster.slots[i];
	return NULL;
}

/* What it said before its end is read first, and what was said of it. */
bool generation_ended(struct generation *g, const siginfo_t *info)
{
	struct slot *slot;
	struct message m;
	char end[160];

	if (info->si_pid == g->zygote) {
		on_zygote_end(g, info);
		return true;
	}
	slot = find(g, info->si_pid);
	if (!slot) {
		read_zygote(g);
		slot = find(g, info->si_pid);
	}
	if (!slot)
		return false;
	while (channel_next(channel_of(g, slot), g->host->loop, &m, NULL))
		on_message(g, slot, &m);
	tell_end(g, info, end, sizeof end);
	on_end(g, slot, info->si_code == CLD_EXITED ? info->si_status : 0, end);
	return true;
}

/* ---- what is due ---- */

/* The channel is the slot's before anything is forked, so that a child can close it. */
static void start_process(struct generation *g, struct slot *slot)
{
	size_t index = (size_t)(slot - g->roster.slots);
	struct message order = { .kind = MESSAGE_FORK,
				 .slot = (int)index,
				 .worker = slot->place,
				 .value = rolling_is_at(g, slot) };
	struct error e;
	int other = channel_open(channel_of(g, slot), g->host->loop, on_slot_channel, g, &e);

	if (other < 0) {
		note_fork_failed(g, slot, e.text);
		return;
	}
	scoreboard_clear(&g->scoreboard, index);
	if (roster_is_gateway(&g->roster, slot)) {
		pid_t pid = g->host->calls->fork_gateway(g, slot, other);

		if (pid > 0)
			roster_forked(&g->roster, slot, pid);
		else
			note_fork_failed(g, slot, strerror(errno));
	} else if (!channel_send(g->zygote_channel.io.fd, &order, other)) {
		note_fork_failed(g, slot,
				 "the process that workers are forked from takes no order");
	}
	close(other);
}

static void kill_overdue(struct generation *g, const struct roster_action *a)
{
	const struct slot *slot = a->slot;

	if (!slot->pid && !g->zygote_killed) {
		uwsgi_log(UWSGI_ERROR,
			  "%s is not forked after %lld s (reload-timeout): the process that "
			  "workers are forked from (pid %ld) does not answer and is killed",
			  slot->name, g->limits->reload_timeout_s, (long)g->zygote);
		g->zygote_killed = true;
		kill_process(g, g->zygote);
	} else if (slot->pid && a->was == SLOT_STARTING) {
		uwsgi_log(UWSGI_ERROR,
			  "%s (pid %ld) killed: it takes longer than reload-timeout to start%s",
			  slot->name, (long)slot->pid, sequel(g, slot, false));
	} else if (slot->pid) {
		uwsgi_log(UWSGI_WARNING, "%s (pid %ld) killed: it did not finish in time",
			  slot->name, (long)slot->pid);
	}
	kill_process(g, slot->pid);
}

/* How long a connection may be silent while the server stops, or falls asleep.  A stop at once, whose
 * mercy is that short, waits for nobody. */
static int64_t end_ms(const struct generation *g, long long mercy_s)
{
	enum { AT_ONCE_MS = 100 };
	int64_t drain_ms = lane_drain_idle_ms(g->config), most_ms = mercy_s * 1000 - AT_ONCE_MS;

	if (mercy_s <= 1)
		return AT_ONCE_MS;
	return drain_ms < 1 ? 1 : drain_ms < most_ms ? drain_ms : most_ms;
}

static void ask_to_leave(const struct generation *g, const struct slot *slot, int64_t now_ms)
{
	/* In a pause, kept connections wait in the queue for whoever serves next. */
	bool ends = g->is_last || (elastic_sleeps(g) && !g->elastic.paused) ||
		    (g->roster.gateways_first && roster_is_gateway(&g->roster, slot));
	int64_t last_ms = g->end_ms ? g->end_ms : end_ms(g, g->limits->worker_mercy_s);
	const struct message m = { .kind = MESSAGE_LEAVE,
				   .slot = g->is_last,
				   .value = ends ? last_ms : 0,
				   .mercy_ms = slot->kill_at_ms - now_ms };

	scoreboard_leave(&g->scoreboard, (size_t)(slot - g->roster.slots));
	channel_send(channel_of(g, slot)->io.fd, &m, -1);
}

static void do_what_is_due(struct generation *g, int64_t now_ms, int64_t *due_ms)
{
	for (;;) {
		const struct roster_action a = roster_next(&g->roster, now_ms);

		switch (a.kind) {
		case ROSTER_FORK:
			start_process(g, a.slot);
			break;
		case ROSTER_ASK:
			ask_to_leave(g, a.slot, now_ms);
			break;
		case ROSTER_KILL:
			kill_overdue(g, &a);
			break;
		case ROSTER_WAIT:
			clock_keep_earlier(due_ms, a.due_ms);
			return;
		}
	}
}

/* A reload has until reload-timeout.  The first generation takes what it takes, since there is
 * nothing to go on with; but it serves with those that accept by then. */
static void check_start(struct generation *g, int64_t now_ms, int64_t *due_ms)
{
	int64_t deadline_ms = g->began_ms + g->limits->reload_timeout_s * 1000;
	char why[sizeof g->why];

	if (g->state != GENERATION_STARTING)
		return;
	if (now_ms < deadline_ms) {
		clock_keep_earlier(due_ms, deadline_ms);
		return;
	}
	if (g->is_reload) {
		snprintf(why, sizeof why, "it is not ready after %lld s (reload-timeout)",
			 g->limits->reload_timeout_s);
		fail(g, EXIT_FAILURE, why);
		return;
	}
	bool serves = roster_serving(&g->roster, false) > 0;
	if (!g->late && !serves)
		uwsgi_log(UWSGI_WARNING,
			  "no worker accepts requests after %lld s (reload-timeout): %s",
			  g->limits->reload_timeout_s,
			  g->roster.open ? "the workers are still starting"
					 : "the application is still being imported");
	g->late = true;
	if (!serves && g->awaited && g->said[0]) {
		snprintf(why, sizeof why, "no worker could start in %lld s (reload-timeout): %s",
			 g->limits->reload_timeout_s, g->said);
		fail(g, EXIT_FAILURE, why);
	}
}

static bool is_ready(const struct generation *g)
{
	const struct roster *r = &g->roster;

	return roster_is_ready(r) || (g->late && roster_serving(r, false) > 0 &&
				      roster_serving(r, true) == r->places - r->workers);
}

/* ---- limits ---- */

static void judge(struct generation *g, struct slot *slot)
{
	struct error why;

	switch (observe_judge(g, slot, &why)) {
	case LIMITS_KILL:
		uwsgi_log(UWSGI_WARNING, "%s (pid %ld) killed: %s%s", slot->name, (long)slot->pid,
			  why.text, sequel(g, slot, roster_is_replaced(&g->roster, slot)));
		slot_move(slot, SLOT_OVERDUE, now_of(g));
		kill_process(g, slot->pid);
		break;
	case LIMITS_REPLACE:
		if (!slot->replace)
			recycle(g, slot, why.text);
		break;
	case LIMITS_STAY:
		break;
	}
}

static void enforce_limits(struct generation *g, int64_t now_ms, int64_t *due_ms)
{
	if (!observe_is_needed(g))
		return;
	if (g->limits_at_ms <= now_ms) {
		g->limits_at_ms = now_ms + 1000;
		for (size_t i = 0; i < g->roster.slot_count; i++) {
			struct slot *slot = &g->roster.slots[i];

			if (!roster_is_gateway(&g->roster, slot) &&
			    (slot->state == SLOT_SERVING || slot->state == SLOT_LEAVING))
				judge(g, slot);
		}
	}
	clock_keep_earlier(due_ms, g->limits_at_ms);
}

/* ---- the end ---- */

static void enter(struct generation *g, enum generation_state state)
{
	g->state = state;
	scoreboard_show(&g->scoreboard,
			state == GENERATION_SERVING ? STAGE_SERVING : STAGE_LEAVING);
}

static void drain(struct generation *g, long long mercy_s, bool gateways_first)
{
	enter(g, GENERATION_DRAINING);
	g->wants_reload = false;
	g->rolling = (struct rolling){ 0 };
	roster_drain(&g->roster, now_of(g) + mercy_s * 1000, gateways_first);
	kill_process(g, g->zygote);
}

/* A reload that failed: what its processes have served is finished.  The others of it are killed. */
static void give_up(struct generation *g)
{
	if (!g->is_reload) {
		generation_kill(g);
		return;
	}
	for (size_t i = 0; i < g->roster.slot_count; i++) {
		struct slot *slot = &g->roster.slots[i];

		if (slot->state == SLOT_STARTING &&
		    slot_move(slot, SLOT_OVERDUE, now_of(g)) == SLOT_KILL)
			kill_process(g, slot->pid);
	}
	drain(g, g->limits->reload_mercy_s, true);
}

/* ---- for the master ---- */

enum generation_news generation_step(struct generation *g, int64_t *due_ms)
{
	int64_t now_ms = now_of(g);

	*due_ms = 0;
	enforce_limits(g, now_ms, due_ms);
	if (!g->is_bare) {
		elastic_step(g, now_ms, due_ms);
		budget_step(g, now_ms, due_ms);
	}
	rolling_step(g);
	check_start(g, now_ms, due_ms);
	if (g->failed) {
		g->failed = false;
		give_up(g);
		return GENERATION_FAILED;
	}
	do_what_is_due(g, now_ms, due_ms);
	if (g->state == GENERATION_STARTING && is_ready(g)) {
		enter(g, GENERATION_SERVING);
		return GENERATION_READY;
	}
	if (g->wants_reload) {
		g->wants_reload = false;
		return GENERATION_WANTS_RELOAD;
	}
	if (g->rolling.ended) {
		g->rolling.ended = false;
		return GENERATION_ROLLED;
	}
	if (g->elastic.idle) {
		g->elastic.idle = false;
		return GENERATION_IDLE;
	}
	return g->state == GENERATION_DRAINING && g->zygote == 0 && roster_is_vacant(&g->roster)
		       ? GENERATION_GONE
		       : GENERATION_QUIET;
}

void generation_drain(struct generation *g, long long mercy_s, const struct generation *next)
{
	g->is_last = !next;
	g->end_ms = end_ms(g, mercy_s);
	drain(g, mercy_s, !next || !listeners_gateway(&next->listeners));
}

void generation_kill(struct generation *g)
{
	enter(g, GENERATION_DRAINING);
	g->wants_reload = false;
	g->roster.open = false;
	kill_process(g, g->zygote);
	for (size_t i = 0; i < g->roster.slot_count; i++)
		if (slot_move(&g->roster.slots[i], SLOT_OVERDUE, now_of(g)) == SLOT_KILL)
			kill_process(g, g->roster.slots[i].pid);
}

void generation_withdraw(struct generation *g)
{
	g->withdrawn = true;
	scoreboard_show(&g->scoreboard, STAGE_LEAVING);
}

bool generation_can_fork(const struct generation *g)
{
	return g->zygote > 0 || g->is_bare;
}

/* ---- the start ---- */

int generation_start(struct generation *g, struct error *e)
{
	if (g->is_bare) {
		g->roster.open = true;
		return 0;
	}
	int other = channel_open(&g->zygote_channel, g->host->loop, on_zygote_channel, g, e);

	if (other < 0)
		return -1;
	pid_t pid = g->host->calls->fork_zygote(g, other);
	int why = errno;

	close(other);
	if (pid < 0)
		return uwsgi_error_set(e, "cannot fork: %s", strerror(why));
	g->zygote = pid;
	return 0;
}

void generation_resume(struct generation *g)
{
	struct ev_loop *loop = g->host->loop;

	watch_begin(&g->zygote_channel, loop, g->zygote_channel.io.fd, on_zygote_channel, g);
	for (size_t i = 0; i < g->roster.slot_count; i++)
		watch_begin(&g->slot_channel[i], loop, g->slot_channel[i].io.fd, on_slot_channel,
			    g);
}
