/* SPDX-License-Identifier: MIT */
/* elastic.c: what cheaper.c judges is read here from scoreboard, /proc and sockets, and what it decides
 * is made places of the roster that are wanted or not.  Who is not wanted is asked to leave, and
 * finishes what it runs: nobody is interrupted. */
#include "process/elastic.h"

#include "base/clock.h"
#include "base/counts.h"
#include "base/memory.h"
#include "process/generation.h"
#include "wire/backlog.h"
#include "work/lane.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOK_MS = 1000 };

/* ---- what there is to see ---- */

static bool is_elastic(const struct generation *g)
{
	const struct cheaper_settings *s = g->elastic.settings;

	return s->least && s->least < g->roster.workers;
}

static int busy_lanes(const struct generation *g, const struct slot *slot)
{
	return scoreboard_busy(&g->scoreboard, (size_t)(slot - g->roster.slots));
}

/* What its lanes have run since it started, with what they run now. */
static int64_t ran_us(const struct generation *g, size_t index, int64_t now_ms)
{
	int64_t sum_us = 0;

	for (size_t i = 0; i < g->scoreboard.lanes; i++) {
		const struct lane_score *lane = scoreboard_lane(&g->scoreboard, index, i);
		int64_t ran_ms = now_ms - atomic_load(&lane->began_ms);

		sum_us += (int64_t)counts_get(&lane->counts.run.sum_us);
		sum_us += atomic_load(&lane->busy) && ran_ms > 0 ? ran_ms * 1000 : 0;
	}
	return sum_us;
}

static void add_worker(struct generation *g, const struct slot *slot, int64_t now_ms,
		       struct cheaper_view *v)
{
	const struct cheaper_settings *s = g->elastic.settings;
	size_t index = (size_t)(slot - g->roster.slots);
	int64_t ran = ran_us(g, index, now_ms), *before = &g->elastic.ran_us[index];
	int busy = busy_lanes(g, slot);

	v->lanes += (int)g->scoreboard.lanes;
	v->free += (int)g->scoreboard.lanes - busy;
	v->idle += busy == 0;
	/* Less than before: that was another worker in this slot. */
	v->ran_us += ran >= *before ? ran - *before : ran;
	*before = ran;
	if (s->rss_soft || s->rss_hard)
		v->resident += memory_of(slot->pid).resident;
}

/* Where workers take connections themselves. */
static bool is_theirs(const struct listener *l)
{
	return !l->service && !l->gateway && l->fd >= 0;
}

static long long count_waiting(const struct generation *g)
{
	long long sum = 0;

	for (size_t i = 0; i < g->listeners.count; i++)
		if (is_theirs(&g->listeners.items[i]))
			sum += backlog_waiting(&g->listeners.items[i]);
	return sum;
}

static bool is_worker(const struct generation *g, const struct slot *slot, enum slot_state state)
{
	return slot->state == state && !roster_is_gateway(&g->roster, slot);
}

static struct cheaper_view look(struct generation *g, int64_t now_ms)
{
	struct elastic *el = &g->elastic;
	int algo = el->settings->algo;
	struct cheaper_view v = { .most = g->roster.workers,
				  .workers = roster_wanted(&g->roster),
				  .serving = roster_serving(&g->roster, false),
				  .elapsed_us = (now_ms - el->looked_ms) * 1000 };

	for (size_t i = 0; i < g->roster.slot_count; i++)
		if (is_worker(g, &g->roster.slots[i], SLOT_SERVING))
			add_worker(g, &g->roster.slots[i], now_ms, &v);
	if (algo == CHEAPER_BACKLOG || algo == CHEAPER_BACKLOG2 || algo == CHEAPER_BUSYNESS)
		v.waiting = count_waiting(g);
	el->looked_ms = now_ms;
	return v;
}

/* ---- more and fewer ---- */

static void show(struct generation *g)
{
	atomic_store(&g->scoreboard.board->wanted, roster_wanted(&g->roster));
	atomic_store(&g->scoreboard.board->paused, g->elastic.paused);
}

static void add(struct generation *g, int count)
{
	for (int place = 1; place <= g->roster.workers && count > 0; place++) {
		if (!g->roster.place[place - 1].spared)
			continue;
		roster_want(&g->roster, place, true);
		count--;
	}
}

/* The place whose worker runs the least, or does not accept yet; of those the last one, so that the
 * first places stay the same workers.  0: there is none. */
static int find_least_busy(const struct generation *g)
{
	int found = 0, least = 0;

	for (int place = g->roster.workers; place > 0; place--) {
		const struct place *p = &g->roster.place[place - 1];
		int busy = p->serves ? busy_lanes(g, p->serves) : -1;

		if (p->spared || (found && busy >= least))
			continue;
		found = place;
		least = busy;
	}
	return found;
}

static void remove_some(struct generation *g, int count)
{
	int place;

	roster_serving(&g->roster, false); /* finds who serves where */
	while (count-- > 0 && (place = find_least_busy(g)))
		roster_want(&g->roster, place, false);
}

static void change(struct generation *g, int by, const char *why)
{
	int before = roster_wanted(&g->roster), now;

	if (by > 0)
		add(g, by);
	else
		remove_some(g, -by);
	now = roster_wanted(&g->roster);
	show(g);
	if (now != before)
		uwsgi_log(UWSGI_NOTE, "%d worker%s instead of %d: %s", now, now == 1 ? "" : "s",
			  before, why);
}

static void adapt(struct generation *g, int64_t now_ms)
{
	struct elastic *el = &g->elastic;
	const struct cheaper_view v = look(g, now_ms);
	struct error why;
	int by = cheaper_decide(el->settings, &el->memory, &v, &why);

	if (el->settings->verbose && el->memory.told) {
		uwsgi_log(UWSGI_NOTE,
			  "%d worker%s busy for %d %% of the time; %lld connections wait",
			  v.workers, v.workers == 1 ? "" : "s", el->memory.busyness, v.waiting);
		el->memory.told = false;
	}
	if (by)
		change(g, by, why.text);
	else if (why.text[0])
		uwsgi_log(UWSGI_WARNING, "%d worker%s: %s", v.workers, v.workers == 1 ? "" : "s",
			  why.text);
}

/* ---- none ---- */

bool elastic_sleeps(const struct generation *g)
{
	return roster_wanted(&g->roster) == 0;
}

static void stop_watching(struct generation *g)
{
	struct elastic *el = &g->elastic;

	for (size_t i = 0; i < el->socket_count && el->watches; i++)
		watch_stop(&el->sockets[i], g->host->loop);
	el->watches = false;
}

/* The connection stays in the queue of its socket until a worker accepts it. */
static void on_connection(struct watch *w)
{
	struct generation *g = w->data;

	stop_watching(g);
	change(g, cheaper_initial(g->elastic.settings, g->roster.workers),
	       "a client has connected");
	g->elastic.active_ms = g->elastic.looked_ms = g->host->calls->now_ms();
	g->host->wake(g->host->data);
}

static void watch_sockets(struct generation *g)
{
	struct elastic *el = &g->elastic;

	if (el->paused)
		return;
	for (size_t i = 0; i < el->socket_count && !el->watches; i++)
		watch_start(&el->sockets[i], g->host->loop);
	el->watches = true;
}

static bool is_active(const struct generation *g, uint64_t *requests)
{
	bool busy = false;

	*requests = 0;
	for (size_t i = 0; i < g->roster.slot_count; i++) {
		const struct slot *slot = &g->roster.slots[i];

		if (!is_worker(g, slot, SLOT_SERVING) && !is_worker(g, slot, SLOT_STARTING))
			continue;
		busy = busy || slot->state == SLOT_STARTING || busy_lanes(g, slot) > 0;
		*requests += atomic_load(&g->scoreboard.slot[i].requests);
	}
	return busy;
}

/* If a client has just connected, the workers are asked to leave and then started again. */
static void fall_asleep(struct generation *g, int64_t now_ms)
{
	struct elastic *el = &g->elastic;
	char why[64];
	uint64_t requests;

	if (is_active(g, &requests) || requests != el->requests)
		el->active_ms = now_ms;
	el->requests = requests;
	if (now_ms - el->active_ms < el->settings->sleep_s * 1000)
		return;
	el->active_ms = now_ms;
	if (el->settings->die_on_idle) {
		el->idle = true;
		return;
	}
	snprintf(why, sizeof why, "no request for %lld s (idle)", el->settings->sleep_s);
	change(g, -g->roster.workers, why);
}

/* ---- for the generation ---- */

static int prepare_sockets(struct generation *g, struct error *e)
{
	struct elastic *el = &g->elastic;

	el->sockets = calloc(g->listeners.count + 1, sizeof *el->sockets);
	el->ran_us = calloc(g->roster.slot_count, sizeof *el->ran_us);
	if (!el->sockets || !el->ran_us)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < g->listeners.count; i++)
		if (is_theirs(&g->listeners.items[i]))
			watch_init(&el->sockets[el->socket_count++], g->listeners.items[i].fd,
				   EV_READ, on_connection, g);
	return 0;
}

static void want_exactly(struct generation *g, int count)
{
	for (int place = 1; place <= g->roster.workers; place++)
		roster_want(&g->roster, place, place <= count);
	show(g);
}

int elastic_init(struct generation *g, struct error *e)
{
	struct elastic *el = &g->elastic;

	el->settings = uwsgi_options(g->config, &cheaper_options);
	el->active_ms = el->looked_ms = g->began_ms;
	want_exactly(g, el->settings->cheap ? 0 : cheaper_initial(el->settings, g->roster.workers));
	return prepare_sockets(g, e);
}

void elastic_fini(struct generation *g)
{
	stop_watching(g);
	free(g->elastic.sockets);
	free(g->elastic.ran_us);
}

void elastic_follow(struct generation *g, const struct generation *old)
{
	const struct cheaper_settings *s = g->elastic.settings;
	int count = roster_wanted(&old->roster), least = cheaper_initial(s, g->roster.workers);

	if (old->elastic.paused) {
		g->elastic.paused = true;
		g->elastic.before_pause =
			old->elastic.before_pause ? cheaper_initial(s, g->roster.workers) : 0;
		want_exactly(g, 0);
		return;
	}
	if (count == 0 && (s->cheap || s->sleep_s)) {
		want_exactly(g, 0);
		return;
	}
	if (!is_elastic(g) || count < least)
		count = least;
	want_exactly(g, count);
}

static bool has_workers(const struct generation *g)
{
	for (size_t i = 0; i < g->roster.slot_count; i++)
		if (g->roster.slots[i].state != SLOT_VACANT &&
		    !roster_is_gateway(&g->roster, &g->roster.slots[i]))
			return true;
	return false;
}

static void be_patient(struct generation *g, int64_t now_ms)
{
	for (size_t i = 0; i < g->roster.slot_count; i++)
		if (is_worker(g, &g->roster.slots[i], SLOT_LEAVING) &&
		    busy_lanes(g, &g->roster.slots[i]) > 0)
			roster_be_patient(&g->roster, &g->roster.slots[i], now_ms);
}

/* In a pause.  Some keep connections for which the queue had no room, or a client reads its answer slowly. */
static void end_late_leavers(const struct generation *g, int64_t now_ms)
{
	for (size_t i = 0; i < g->roster.slot_count; i++) {
		const struct slot *slot = &g->roster.slots[i];
		const struct message m = { .kind = MESSAGE_LEAVE,
					   .value = 1,
					   .mercy_ms = slot->kill_at_ms - now_ms };

		if (is_worker(g, slot, SLOT_LEAVING) &&
		    now_ms - slot->since_ms >= lane_drain_idle_ms(g->config))
			channel_send(g->slot_channel[i].io.fd, &m, -1);
	}
}

void elastic_step(struct generation *g, int64_t now_ms, int64_t *due_ms)
{
	struct elastic *el = &g->elastic;

	if (g->state != GENERATION_SERVING) {
		stop_watching(g);
		el->active_ms = el->looked_ms = now_ms;
		el->look_at_ms = now_ms + LOOK_MS;
		return;
	}
	if (elastic_sleeps(g))
		watch_sockets(g);
	if ((!is_elastic(g) && !el->settings->sleep_s && !elastic_sleeps(g)) ||
	    (elastic_sleeps(g) && !has_workers(g)))
		return;
	if (el->look_at_ms <= now_ms) {
		el->look_at_ms = now_ms + LOOK_MS;
		be_patient(g, now_ms);
		if (el->paused)
			end_late_leavers(g, now_ms);
		if (is_elastic(g) && !elastic_sleeps(g))
			adapt(g, now_ms);
		if (el->settings->sleep_s && !elastic_sleeps(g))
			fall_asleep(g, now_ms);
		if (elastic_sleeps(g))
			watch_sockets(g);
	}
	clock_keep_earlier(due_ms, el->look_at_ms);
}

void elastic_resize(struct generation *g, int by, const char *who)
{
	const struct cheaper_view v = { .most = g->roster.workers,
					.workers = roster_wanted(&g->roster) };
	int bound = cheaper_bound(g->elastic.settings, &v, by);

	if (g->elastic.paused)
		uwsgi_log(UWSGI_NOTE, "%s: the server is paused", who);
	else if (!is_elastic(g))
		uwsgi_log(UWSGI_NOTE, "%s: all %d workers always run (cheaper is not set)", who,
			  v.workers);
	else if (!bound)
		uwsgi_log(UWSGI_NOTE, "%s: there are as %s workers as may be (%s)", who,
			  by > 0 ? "many" : "few", by > 0 ? "processes" : "cheaper");
	else
		change(g, bound, who);
}

void elastic_sleep(struct generation *g, const char *who)
{
	if (!g->elastic.paused)
		change(g, -g->roster.workers, who);
}

/* Connections that come meanwhile stay in the queues of their sockets. */
void elastic_pause(struct generation *g, bool pause, const char *who)
{
	struct elastic *el = &g->elastic;

	el->paused = pause;
	if (pause) {
		stop_watching(g);
		el->before_pause = roster_wanted(&g->roster);
		change(g, -g->roster.workers, who);
	} else {
		el->active_ms = el->looked_ms = g->host->calls->now_ms();
		change(g, el->before_pause, who);
	}
}
