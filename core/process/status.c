/* SPDX-License-Identifier: MIT */
/* status.c: reads scoreboards, totals, /proc and the sockets for a service.  What workers have written
 * may be nonsense: it is copied, cut and never used as an index unchecked. */
#include "process/status.h"

#include "base/clock.h"
#include "base/memory.h"
#include "wire/backlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How old a share of memory may be, and how many are kept. */
enum { SHARE_MS = 5000, SHARES = 256 };

int status_init(struct status *s, const struct listeners *listeners, const struct totals *totals,
		void *slow, struct ring warnings, struct ring daemons, struct error *e)
{
	*s = (struct status){ .totals = totals,
			      .slow = slow_ring(slow),
			      .spans = spans_ring(slow),
			      .warnings = warnings,
			      .daemons = daemons,
			      .listeners = listeners,
			      .shares = calloc(SHARES, sizeof *s->shares),
			      .master = getppid() };
	return s->shares ? 0 : uwsgi_error_set(e, "out of memory");
}

/* ---- generations ---- */

static bool is_gone(const struct scoreboard *b)
{
	return atomic_load(&b->board->stage) == STAGE_GONE;
}

static int number_of(const struct scoreboard *b)
{
	return atomic_load(&b->board->generation);
}

static void let_go(struct status *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (is_gone(&s->boards[i]))
			scoreboard_fini(&s->boards[i]);
		else
			s->boards[kept++] = s->boards[i];
	}
	s->count = kept;
}

void status_look_at(struct status *s, int fd, size_t slots, size_t lanes)
{
	struct scoreboard board;
	size_t at = 0;

	let_go(s);
	struct scoreboard *grown = reallocarray(s->boards, s->count + 1, sizeof *grown);

	if (grown)
		s->boards = grown;
	if (!grown || scoreboard_view(&board, fd, slots, lanes))
		return;
	while (at < s->count && number_of(&s->boards[at]) > number_of(&board))
		at++;
	memmove(&s->boards[at + 1], &s->boards[at], (s->count - at) * sizeof *s->boards);
	s->boards[at] = board;
	s->count++;
}

/* While a service was at work for one client, a reload may have begun and ended: the next one is told of
 * the generation that serves now. */
bool uwsgi_status_next_generation(const struct status *s, size_t *i, struct generation_status *g)
{
	if (*i == 0 && s->hear)
		s->hear(s->hearer);
	while (*i < s->count && is_gone(&s->boards[*i]))
		++*i;
	if (*i >= s->count)
		return false;
	const struct scoreboard *b = &s->boards[(*i)++];

	*g = (struct generation_status){ .number = number_of(b),
					 .stage = (enum stage)atomic_load(&b->board->stage),
					 .since_us = atomic_load(&b->board->since_us),
					 .workers = atomic_load(&b->board->workers),
					 .wanted = atomic_load(&b->board->wanted),
					 .paused = atomic_load(&b->board->paused),
					 .lanes = (int)b->lanes,
					 .import_ms = atomic_load(&b->board->import_ms) };
	return true;
}

/* ---- slots: those of all generations, one behind the other ---- */

struct place {
	const struct scoreboard *board;
	size_t slot;
};

/* The next one with a process, from *i on, which stays there. */
static bool find_process(const struct status *s, size_t *i, struct place *place)
{
	size_t before = 0;

	for (size_t k = 0; k < s->count; before += s->boards[k++].slots) {
		const struct scoreboard *b = &s->boards[k];

		if (*i >= before + b->slots)
			continue;
		if (is_gone(b)) {
			*i = before + b->slots;
			continue;
		}
		for (; *i < before + b->slots; ++*i) {
			*place = (struct place){ b, *i - before };
			if (atomic_load(&b->slot[place->slot].pid) > 0)
				return true;
		}
	}
	return false;
}

static enum stage stage_of(const struct slot_score *slot)
{
	int stage = atomic_load(&slot->stage);

	return stage < STAGE_GONE || stage > STAGE_LEAVING ? STAGE_GONE : (enum stage)stage;
}

/* What the process itself says of its shares is all that is known of them, where it says anything. */
static bool says_memory(const struct status *s, pid_t pid, struct memory *m)
{
	struct place at;

	for (size_t i = 0; find_process(s, &i, &at); i++) {
		const struct slot_score *slot = &at.board->slot[at.slot];

		if (atomic_load(&slot->pid) != pid)
			continue;
		m->own = atomic_load(&slot->own);
		m->share = atomic_load(&slot->share);
		if (m->resident > 0)
			continue;
		m->address_space = atomic_load(&slot->address_space);
		m->resident = atomic_load(&slot->resident);
	}
	return m->share > 0;
}

static struct memory look_at_memory(const struct status *s, pid_t pid)
{
	struct memory m = memory_of(pid);

	if (says_memory(s, pid, &m) || !s->shares)
		return m;
	struct share *share = &s->shares[(unsigned)pid % SHARES];
	int64_t now_ms = clock_monotonic_coarse_ms();

	if (share->pid != pid || now_ms - share->at_ms >= SHARE_MS) {
		memory_add_shares(&m, pid);
		*share = (struct share){ pid, now_ms, m.own, m.share };
	}
	m.own = share->own;
	m.share = share->share;
	return m;
}

bool uwsgi_status_next_process(const struct status *s, size_t *i, struct process_status *p)
{
	struct place at;

	if (!find_process(s, i, &at))
		return false;
	++*i;
	const struct slot_score *slot = &at.board->slot[at.slot];
	pid_t pid = atomic_load(&slot->pid);
	const struct memory m = look_at_memory(s, pid);

	*p = (struct process_status){ .worker = atomic_load(&slot->worker),
				      .generation = number_of(at.board),
				      .pid = pid,
				      .stage = stage_of(slot),
				      .since_us = atomic_load(&slot->since_us),
				      .requests = atomic_load(&slot->requests),
				      .busy = scoreboard_busy(at.board, at.slot),
				      .address_space = m.address_space,
				      .resident = m.resident,
				      .own = m.own,
				      .share = m.share };
	return true;
}

/* ---- lanes ---- */

static void copy(char *to, size_t size, const char *from)
{
	memcpy(to, from, size);
	to[size - 1] = '\0';
}

static void tell_lane(const struct place *at, size_t index, struct lane_status *l)
{
	const struct slot_score *slot = &at->board->slot[at->slot];
	const struct lane_score *lane = scoreboard_lane(at->board, at->slot, index);
	const struct counts *counts = &lane->counts;
	bool busy = atomic_load(&lane->busy);
	int64_t ran_ms = clock_monotonic_ms() - atomic_load(&lane->began_ms);

	*l = (struct lane_status){ .worker = atomic_load(&slot->worker),
				   .lane = (int)index,
				   .generation = number_of(at->board),
				   .pid = atomic_load(&slot->pid),
				   .requests = uwsgi_counts_requests(counts),
				   .failed = counts_get(&counts->failed),
				   .unsent = counts_get(&counts->unsent),
				   .unread = counts_get(&counts->unread),
				   .files = counts_get(&counts->files),
				   .routed = counts_get(&counts->routed),
				   .busy = busy,
				   .running_ms = busy && ran_ms > 0 ? ran_ms : 0 };
	copy(l->method, sizeof l->method, lane->method);
	copy(l->uri, sizeof l->uri, lane->uri);
}

/* *i: the slot, and behind it so many of its lanes. */
bool uwsgi_status_next(const struct status *s, size_t *i, struct lane_status *l)
{
	enum { LANES = 1 << 16 };
	size_t slot = *i / LANES, index = *i % LANES, from = slot;
	struct place at;

	while (find_process(s, &slot, &at)) {
		if (slot != from)
			index = 0;
		from = slot;
		if (stage_of(&at.board->slot[at.slot]) != STAGE_STARTING &&
		    index < at.board->lanes) {
			tell_lane(&at, index, l);
			*i = slot * LANES + index + 1;
			return true;
		}
		slot++;
	}
	return false;
}

/* ---- workers ---- */

static bool is_more(enum stage a, enum stage b)
{
	static const int rank[] = {
		[STAGE_GONE] = 0, [STAGE_LEAVING] = 1, [STAGE_STARTING] = 0, [STAGE_SERVING] = 2
	};

	return rank[a] > rank[b];
}

/* What the lanes of one of its processes have done. */
static void add_process(struct worker_status *w, const struct place *at, int64_t *since)
{
	const struct slot_score *slot = &at->board->slot[at->slot];
	int64_t serves_since = atomic_load(&slot->serves_since);
	enum stage stage = stage_of(slot);
	unsigned long long own = 0, average_us = 0;

	for (size_t i = 0; i < at->board->lanes; i++) {
		const struct lane_score *lane = scoreboard_lane(at->board, at->slot, i);
		unsigned long long n = uwsgi_counts_requests(&lane->counts);

		own += n;
		average_us += n * atomic_load(&lane->average_us);
		w->failed += counts_get(&lane->counts.failed);
		w->sent += counts_get(&lane->counts.sent);
		w->running_us += counts_get(&lane->counts.run.sum_us);
	}
	w->requests += own;
	/* It has not served yet, or another one does that came later. */
	if (!serves_since || is_more(w->stage, stage) ||
	    (!is_more(stage, w->stage) && serves_since < *since))
		return;
	*since = serves_since;
	w->pid = atomic_load(&slot->pid);
	w->stage = stage;
	w->own_requests = own;
	w->average_us = own ? average_us / own : 0;
}

static void add_processes(struct worker_status *w, const struct status *s)
{
	struct place at;
	int64_t since = 0;

	for (size_t i = 0; find_process(s, &i, &at); i++)
		if (atomic_load(&at.board->slot[at.slot].worker) == w->worker)
			add_process(w, &at, &since);
}

static void sum_up(struct worker_status *w, const struct status *s)
{
	const struct worker_score *all = &s->totals->worker[w->worker - 1];
	const struct worker_status empty = *w;
	unsigned before;

	do {
		before = totals_read(s->totals);
		*w = empty;
		w->spawns = atomic_load(&all->spawns);
		w->harakiri = atomic_load(&all->harakiri);
		w->since = atomic_load(&all->since);
		w->requests = atomic_load(&all->requests);
		w->failed = atomic_load(&all->failed);
		w->sent = atomic_load(&all->sent);
		w->running_us = atomic_load(&all->running_us);
		add_processes(w, s);
	} while (!totals_is_whole(s->totals, before));
}

/* Workers that the generation in force has places for.  *spared: not all of them are to run, so that
 * some may never have. */
static int places(const struct status *s, bool *spared)
{
	int serving = atomic_load(&s->totals->generation), count = 0;

	*spared = false;
	for (size_t i = 0; i < s->count; i++)
		if (number_of(&s->boards[i]) == serving || count == 0) {
			count = atomic_load(&s->boards[i].board->workers);
			*spared = atomic_load(&s->boards[i].board->wanted) < count;
		}
	return count;
}

bool uwsgi_status_next_worker(const struct status *s, size_t *i, struct worker_status *w)
{
	bool spared;
	size_t count = (size_t)places(s, &spared);

	while (*i < WORKERS_MAX) {
		*w = (struct worker_status){ .worker = (int)++*i };
		if (*i > count && !atomic_load(&s->totals->worker[*i - 1].spawns))
			return false;
		sum_up(w, s);
		if (*i <= count ? w->spawns || spared : w->pid)
			break;
	}
	if (w->worker <= (int)count ? !w->spawns && !spared : !w->pid)
		return false;
	if (w->pid) {
		const struct memory m = look_at_memory(s, w->pid);

		w->address_space = m.address_space;
		w->resident = m.resident;
		w->own = m.own;
		w->share = m.share;
	}
	return true;
}

/* ---- the server ---- */

static void add_living(struct counts *to, const struct status *s)
{
	struct place at;

	for (size_t i = 0; find_process(s, &i, &at); i++)
		for (size_t k = 0; k < at.board->lanes; k++)
			counts_add_all(to, &scoreboard_lane(at.board, at.slot, k)->counts);
}

static int64_t silent_ms(const struct totals *t)
{
	int64_t beat_ms = atomic_load(&t->beat_ms);

	return beat_ms ? clock_monotonic_ms() - beat_ms : 0;
}

void uwsgi_status_server(const struct status *s, struct server_status *server)
{
	const struct totals *t = s->totals;
	unsigned before;

	*server = (struct server_status){ .master = s->master,
					  .generation = atomic_load(&t->generation),
					  .started_us = atomic_load(&t->started_us),
					  .reloads = atomic_load(&t->reloads),
					  .failed_reloads = atomic_load(&t->failed_reloads),
					  .silent_ms = silent_ms(t) };
	do {
		before = totals_read(t);
		server->counts = (struct counts){ 0 };
		counts_add_all(&server->counts, &t->gone);
		add_living(&server->counts, s);
	} while (!totals_is_whole(t, before));
	server->queue_overflows = s->overflows;
	for (size_t i = 0; s->listeners && i < s->listeners->count; i++)
		server->queue_overflows += backlog_overflows(s->listeners->items[i].fd);
}

/* ---- rings ---- */

/* One that is being written is there the next time.  Who has died over it left a gap, which is passed over
 * when many have come behind. */
bool uwsgi_status_next_span(const struct status *s, uint64_t *number, struct span_status *span,
			    unsigned long long *lost)
{
	uint64_t end = ring_end(&s->spans);

	if (*number + SPANS_KEPT < end) {
		*lost += end - SPANS_KEPT - *number;
		*number = end - SPANS_KEPT;
	}
	for (; *number < end && !ring_read(&s->spans, *number, span); ++*number, ++*lost)
		if (end - *number < SPANS_KEPT / 4)
			return false;
	if (*number >= end)
		return false;
	++*number;
	span->method[sizeof span->method - 1] = '\0';
	span->path[sizeof span->path - 1] = '\0';
	span->client[sizeof span->client - 1] = '\0';
	return true;
}

bool uwsgi_status_next_slow(const struct status *s, size_t *i, struct slow_status *slow)
{
	if (!ring_next(&s->slow, i, slow))
		return false;
	slow->method[sizeof slow->method - 1] = '\0';
	slow->uri[sizeof slow->uri - 1] = '\0';
	slow->trace_id[sizeof slow->trace_id - 1] = '\0';
	return true;
}

bool uwsgi_status_next_warning(const struct status *s, size_t *i, struct warning_status *w)
{
	if (!ring_next(&s->warnings, i, w))
		return false;
	w->text[sizeof w->text - 1] = '\0';
	if (w->severity != UWSGI_WARNING)
		w->severity = UWSGI_ERROR;
	return true;
}

bool uwsgi_status_next_daemon(const struct status *s, size_t *i, struct daemon_status *d)
{
	while (ring_next(&s->daemons, i, d)) {
		d->command[sizeof d->command - 1] = '\0';
		if (d->number > 0)
			return true;
	}
	return false;
}

bool uwsgi_status_next_vassal(const struct status *s, size_t *i, struct vassal_status *v)
{
	while (ring_next(&s->vassals, i, v)) {
		v->name[sizeof v->name - 1] = '\0';
		v->folder[sizeof v->folder - 1] = '\0';
		v->inspect[sizeof v->inspect - 1] = '\0';
		v->why[sizeof v->why - 1] = '\0';
		if (v->state < VASSAL_WAITING || v->state > VASSAL_LEAVING)
			v->state = VASSAL_WAITING;
		if (*v->name)
			return true;
	}
	return false;
}

bool uwsgi_status_next_cron(const struct status *s, size_t *i, struct cron_status *c)
{
	while (ring_next(&s->crons, i, c)) {
		c->command[sizeof c->command - 1] = '\0';
		if (c->number > 0)
			return true;
	}
	return false;
}

/* ---- metrics ---- */

const struct metrics *uwsgi_status_metrics(const struct status *s)
{
	return s->metrics;
}

/* ---- sockets ---- */

bool uwsgi_status_next_socket(const struct status *status, size_t *i, struct socket_status *s)
{
	const struct listeners *all = status->listeners;

	if (!all && *i < status->told_count)
		*s = status->told[(*i)++];
	else if (!all)
		return false;
	if (!all)
		return true;
	while (*i < all->count && (all->items[*i].service || all->items[*i].internal))
		++*i;
	if (*i == all->count)
		return false;
	const struct listener *l = &all->items[(*i)++];

	*s = (struct socket_status){ .protocol = l->protocol->name };
	snprintf(s->name, sizeof s->name, "%s%s%s", l->text.address, *l->text.port ? ":" : "",
		 l->text.port);
	backlog_of(l, &s->queue, &s->max_queue);
	return true;
}
