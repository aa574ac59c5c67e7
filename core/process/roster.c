/* SPDX-License-Identifier: MIT */
/* roster.c: decides which process is forked, asked to leave or killed, and when to look again.
 * Both come out of the same walk over the slots, so that whatever cannot be done now has a time or
 * an event that brings it back.  Pure but for its two arrays: it plays any story without a process. */
#include "process/roster.h"

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* A process that lives less than this died young; each young death doubles the delay. */
#define YOUNG_MS 5000
#define FIRST_DELAY_MS 100
#define LONGEST_DELAY_MS 30000
/* Who leaves because it is not needed has at least this, so that there is time to see that it is busy
 * still. */
#define SPARED_MS 5000

int roster_init(struct roster *r, const struct roster_setup *setup, struct error *e)
{
	*r = (struct roster){ .row_count = setup->row_count,
			      .mercy_ms = setup->mercy_ms,
			      .start_ms = setup->start_ms };
	assert(setup->row_count <= ROSTER_ROWS);
	for (size_t i = 0; i < setup->row_count; i++) {
		r->rows[i] = setup->rows[i];
		assert(!r->rows[i].by_zygote || r->workers == r->places);
		r->places += r->rows[i].count;
		r->workers += r->rows[i].by_zygote ? r->rows[i].count : 0;
	}
	r->slot_count = 2 * (size_t)r->places;
	r->slots = calloc(r->slot_count, sizeof *r->slots);
	r->place = calloc((size_t)r->places, sizeof *r->place);
	if (!r->slots || !r->place) {
		roster_fini(r);
		return uwsgi_error_set(e, "out of memory");
	}
	return 0;
}

void roster_fini(struct roster *r)
{
	free(r->slots);
	free(r->place);
	r->slots = NULL;
	r->place = NULL;
}

/* ---- questions ---- */

bool roster_is_gateway(const struct roster *r, const struct slot *slot)
{
	return slot->place > r->workers;
}

/* One that may still need the workers. */
static bool has_gateway(const struct roster *r)
{
	for (size_t i = 0; i < r->slot_count; i++) {
		const struct slot *slot = &r->slots[i];

		if (slot->state != SLOT_VACANT && slot->state != SLOT_KILLED &&
		    roster_is_gateway(r, slot))
			return true;
	}
	return false;
}

bool roster_is_vacant(const struct roster *r)
{
	for (size_t i = 0; i < r->slot_count; i++)
		if (r->slots[i].state != SLOT_VACANT)
			return false;
	return true;
}

/* Of two that serve in one place the younger stays: it was forked because the other one is to be
 * replaced. */
static bool is_younger(const struct slot *a, const struct slot *b)
{
	return a->since_ms != b->since_ms ? a->since_ms > b->since_ms : b->replace;
}

static void look_at_places(const struct roster *r)
{
	for (int i = 0; i < r->places; i++) {
		r->place[i].filled = r->place[i].awaits = false;
		r->place[i].serves = NULL;
	}
	for (size_t i = 0; i < r->slot_count; i++) {
		struct slot *slot = &r->slots[i];
		bool serves = slot->state == SLOT_SERVING;

		if (slot->state != SLOT_VACANT && slot->goes_first)
			r->place[slot->place - 1].awaits = true;
		if (!serves && slot->state != SLOT_STARTING)
			continue;
		struct place *p = &r->place[slot->place - 1];

		p->filled = p->filled || !slot->replace;
		if (serves && (!p->serves || is_younger(slot, p->serves)))
			p->serves = slot;
	}
}

int roster_serving(const struct roster *r, bool gateways)
{
	int count = 0;

	look_at_places(r);
	for (int i = gateways ? r->workers : 0; i < (gateways ? r->places : r->workers); i++)
		count += r->place[i].serves != NULL;
	return count;
}

struct slot *roster_server(const struct roster *r, int place)
{
	assert(place >= 1 && place <= r->workers);
	look_at_places(r);
	return r->place[place - 1].serves;
}

bool roster_is_wanted(const struct roster *r, int place)
{
	return !r->place[place - 1].spared;
}

bool roster_is_ready(const struct roster *r)
{
	look_at_places(r);
	for (int i = 0; i < r->places; i++)
		if (!r->place[i].spared && !r->place[i].serves)
			return false;
	return r->open;
}

int roster_wanted(const struct roster *r)
{
	int count = 0;

	for (int i = 0; i < r->workers; i++)
		count += !r->place[i].spared;
	return count;
}

bool roster_is_replaced(const struct roster *r, const struct slot *slot)
{
	if (r->drained_by_ms || slot->state == SLOT_LEAVING)
		return true;
	look_at_places(r);
	const struct place *p = &r->place[slot->place - 1];
	return p->spared || (p->filled && slot->replace);
}

/* ---- what is due ---- */

/* How long a process may start is known only when one has: an application that each worker
 * imports for itself takes what it takes.  But forking needs no import. */
static int64_t start_deadline(const struct roster *r, const struct slot *slot)
{
	int64_t limit_ms = r->start_ms;

	if (slot->pid && !roster_is_gateway(r, slot)) {
		if (!r->longest_ms)
			return 0;
		if (2 * r->longest_ms > limit_ms)
			limit_ms = 2 * r->longest_ms;
	}
	return slot->since_ms + limit_ms;
}

static int64_t deadline_of(const struct roster *r, const struct slot *slot)
{
	if (slot->state == SLOT_STARTING)
		return start_deadline(r, slot);
	return slot->state == SLOT_LEAVING ? slot->kill_at_ms : 0;
}

static bool act(struct roster_action *a, enum roster_kind kind, struct slot *slot)
{
	*a = (struct roster_action){ .kind = kind, .slot = slot };
	return true;
}

static bool kill_overdue(struct roster *r, int64_t now_ms, struct roster_action *a)
{
	for (size_t i = 0; i < r->slot_count; i++) {
		struct slot *slot = &r->slots[i];
		int64_t deadline_ms = deadline_of(r, slot);

		if (deadline_ms == 0 || deadline_ms > now_ms) {
			clock_keep_earlier(&a->due_ms, deadline_ms);
			continue;
		}
		act(a, ROSTER_KILL, slot);
		a->was = slot->state;
		slot_move(slot, SLOT_OVERDUE, now_ms);
		return true;
	}
	return false;
}

static bool ask(struct slot *slot, int64_t now_ms, int64_t kill_at_ms, struct roster_action *a)
{
	slot_move(slot, SLOT_LEAVE, now_ms);
	slot->kill_at_ms = kill_at_ms;
	return act(a, ROSTER_ASK, slot);
}

static int64_t spared_until(const struct roster *r, int64_t now_ms)
{
	return now_ms + (r->mercy_ms > SPARED_MS ? r->mercy_ms : SPARED_MS);
}

static bool ask_to_leave(struct roster *r, int64_t now_ms, struct roster_action *a)
{
	bool workers_stay = r->gateways_first && has_gateway(r);

	for (size_t i = 0; i < r->slot_count; i++) {
		struct slot *slot = &r->slots[i];

		if (r->drained_by_ms) {
			if ((slot->state == SLOT_STARTING || slot->state == SLOT_SERVING) &&
			    !(workers_stay && !roster_is_gateway(r, slot)))
				return ask(slot, now_ms, r->drained_by_ms, a);
		} else if (slot->state == SLOT_SERVING && r->place[slot->place - 1].spared) {
			return ask(slot, now_ms, spared_until(r, now_ms), a);
		} else if (slot->state == SLOT_SERVING && slot->replace &&
			   (slot->goes_first || r->place[slot->place - 1].serves != slot)) {
			return ask(slot, now_ms, now_ms + r->mercy_ms, a);
		}
	}
	return false;
}

static struct slot *find_vacant(struct roster *r)
{
	for (size_t i = 0; i < r->slot_count; i++)
		if (r->slots[i].state == SLOT_VACANT)
			return &r->slots[i];
	return NULL;
}

static void fill(const struct roster *r, struct slot *slot, int place)
{
	const struct roster_row *row = r->rows;
	int number = place;

	for (; number > row->count; row++)
		number -= row->count;
	*slot = (struct slot){ .place = place };
	snprintf(slot->name, sizeof slot->name, "%s %d", row->name, number);
}

static int orders_under_way(const struct roster *r)
{
	int count = 0;

	for (size_t i = 0; i < r->slot_count; i++)
		count += r->slots[i].state != SLOT_VACANT && r->slots[i].pid == 0;
	return count;
}

/* Without a zygote, with all orders under way or without a vacant slot, an event comes: a death, a
 * new generation, an answer. */
static bool fork_missing(struct roster *r, int64_t now_ms, struct roster_action *a)
{
	struct slot *vacant = find_vacant(r);
	bool can_order = r->has_zygote && orders_under_way(r) < ROSTER_ORDERS;

	if (!r->open || r->drained_by_ms || !vacant)
		return false;
	for (int i = 0; i < r->places; i++) {
		int64_t at_ms = r->place[i].not_before_ms;

		if (r->place[i].spared || r->place[i].filled || r->place[i].awaits ||
		    (i < r->workers && !can_order))
			continue;
		if (at_ms < r->no_fork_before_ms)
			at_ms = r->no_fork_before_ms;
		if (at_ms > now_ms) {
			clock_keep_earlier(&a->due_ms, at_ms);
			continue;
		}
		fill(r, vacant, i + 1);
		slot_move(vacant, SLOT_WANTED, now_ms);
		return act(a, ROSTER_FORK, vacant);
	}
	return false;
}

struct roster_action roster_next(struct roster *r, int64_t now_ms)
{
	struct roster_action a = { 0 };

	look_at_places(r);
	if (!kill_overdue(r, now_ms, &a) && !ask_to_leave(r, now_ms, &a))
		fork_missing(r, now_ms, &a);
	return a;
}

/* ---- what came of it ---- */

static int64_t delay_after(int times)
{
	int64_t delay_ms = (int64_t)FIRST_DELAY_MS << (times < 16 ? times : 16);

	return delay_ms < LONGEST_DELAY_MS ? delay_ms : LONGEST_DELAY_MS;
}

/* What hinders one fork hinders all: the places wait together. */
int64_t roster_fork_failed(struct roster *r, struct slot *slot, int64_t now_ms)
{
	int64_t delay_ms = delay_after(r->failed_forks++);

	r->no_fork_before_ms = now_ms + delay_ms;
	slot->pid = 0;
	slot_move(slot, SLOT_DIED, now_ms);
	return delay_ms;
}

void roster_forked(struct roster *r, struct slot *slot, pid_t pid)
{
	slot->pid = pid;
	r->failed_forks = 0;
}

void roster_ready(struct roster *r, struct slot *slot, int64_t now_ms)
{
	int64_t took_ms = now_ms - slot->since_ms;

	if (!roster_is_gateway(r, slot) && took_ms >= r->longest_ms)
		r->longest_ms = took_ms ? took_ms : 1;
	slot_move(slot, SLOT_READY, now_ms);
}

/* The first one may be an accident: no delay. */
static int64_t note_death(struct place *p, int64_t lived_ms, int64_t now_ms)
{
	int64_t delay_ms = 0;

	if (lived_ms >= YOUNG_MS)
		p->young_deaths = 0;
	else if (p->young_deaths++ > 0)
		delay_ms = delay_after(p->young_deaths - 2);
	p->not_before_ms = now_ms + delay_ms;
	return delay_ms;
}

bool roster_died(struct roster *r, struct slot *slot, int64_t now_ms, int64_t *delay_ms)
{
	int64_t lived_ms = now_ms - slot->since_ms;
	bool unexpected = slot_move(slot, SLOT_DIED, now_ms) == SLOT_REPORT;

	slot->pid = 0;
	*delay_ms = unexpected ? note_death(&r->place[slot->place - 1], lived_ms, now_ms) : 0;
	return unexpected;
}

void roster_want(struct roster *r, int place, bool wanted)
{
	assert(place >= 1 && place <= r->workers);
	r->place[place - 1].spared = !wanted;
}

void roster_be_patient(struct roster *r, struct slot *slot, int64_t now_ms)
{
	if (slot->state == SLOT_LEAVING && r->place[slot->place - 1].spared && !r->drained_by_ms)
		slot->kill_at_ms = spared_until(r, now_ms);
}

void roster_drain(struct roster *r, int64_t by_ms, bool gateways_first)
{
	r->drained_by_ms = by_ms;
	r->gateways_first = gateways_first;
	for (size_t i = 0; i < r->slot_count; i++)
		if (r->slots[i].state == SLOT_LEAVING)
			r->slots[i].kill_at_ms = by_ms;
}

/* ---- to another program ---- */

static void carry_slot(struct slot *slot, int places, struct carry *c)
{
	int state = (int)slot->state;

	carry_int(c, &state, SLOT_VACANT, SLOT_STATES - 1);
	slot->state = (enum slot_state)state;
	carry_int(c, &slot->place, slot->state == SLOT_VACANT ? 0 : 1, places);
	carry_text(c, slot->name, sizeof slot->name);
	carry_bool(c, &slot->replace);
	carry_bool(c, &slot->goes_first);
	carry_bool(c, &slot->exhausted);
	carry_ms(c, &slot->since_ms);
	carry_ms(c, &slot->kill_at_ms);
	carry_int(c, &slot->pid, 0, INT32_MAX);
}

void roster_carry(struct roster *r, struct carry *c)
{
	if (carry_count(c, r->slot_count, r->slot_count) != r->slot_count)
		carry_fail(c, "there are other numbers of processes");
	for (size_t i = 0; i < r->slot_count; i++)
		carry_slot(&r->slots[i], r->places, c);
	for (int i = 0; i < r->places; i++) {
		carry_int(c, &r->place[i].young_deaths, 0, INT32_MAX);
		carry_ms(c, &r->place[i].not_before_ms);
		carry_bool(c, &r->place[i].spared);
	}
	carry_bool(c, &r->open);
	carry_bool(c, &r->has_zygote);
	carry_ms(c, &r->longest_ms);
	carry_int(c, &r->failed_forks, 0, INT32_MAX);
	carry_ms(c, &r->no_fork_before_ms);
	carry_ms(c, &r->drained_by_ms);
	carry_bool(c, &r->gateways_first);
}
