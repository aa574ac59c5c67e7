/* SPDX-License-Identifier: MIT */
/* status.c: reads the scoreboard, /proc and the sockets for a service. */
#include "process/status.h"

#include "base/clock.h"
#include "base/memory.h"
#include "wire/backlog.h"

#include <stdio.h>
#include <string.h>

static uint64_t get(const atomic_uint_fast64_t *from)
{
	return atomic_load_explicit(from, memory_order_relaxed);
}

/* ---- lanes ---- */

static void copy(char *to, size_t size, const char *from)
{
	memcpy(to, from, size);
	to[size - 1] = '\0';
}

bool uwsgi_status_next(const struct status *status, size_t *i, struct lane_status *l)
{
	const struct scoreboard *b = &status->board;

	for (; *i < b->slots * b->lanes; ++*i) {
		struct slot_score *slot = &b->slot[*i / b->lanes];
		struct lane_score *lane = &b->lane[*i];
		pid_t pid = atomic_load(&slot->pid);

		if (!pid)
			continue;
		bool busy = atomic_load(&lane->busy);
		int64_t ran_ms = clock_monotonic_ms() - atomic_load(&lane->began_ms);

		*l = (struct lane_status){ .worker = atomic_load(&slot->worker),
					   .lane = (int)(*i % b->lanes),
					   .pid = pid,
					   .requests = get(&lane->requests),
					   .unsent = get(&lane->unsent),
					   .busy = busy,
					   .running_ms = busy && ran_ms > 0 ? ran_ms : 0 };
		copy(l->method, sizeof l->method, lane->method);
		copy(l->uri, sizeof l->uri, lane->uri);
		++*i;
		return true;
	}
	return false;
}

/* ---- workers ---- */

/* What the lanes of one of its processes have done. */
static void add_lanes(struct worker_status *w, const struct scoreboard *b, size_t slot)
{
	uint64_t average_us = 0;

	w->own_requests = 0;
	for (size_t i = 0; i < b->lanes; i++) {
		const struct lane_score *lane = scoreboard_lane(b, slot, i);

		w->own_requests += get(&lane->requests);
		w->failed += get(&lane->failed);
		w->sent += get(&lane->sent);
		w->running_us += get(&lane->running_us);
		average_us += get(&lane->average_us) * get(&lane->requests);
	}
	w->requests += w->own_requests;
	w->average_us = w->own_requests ? average_us / w->own_requests : 0;
}

/* While one is replaced, two processes have its number: the one that leaves comes first here. */
static void add_slots(struct worker_status *w, const struct scoreboard *b)
{
	int64_t youngest = -1;

	for (size_t i = 0; i < b->slots; i++) {
		const struct slot_score *slot = &b->slot[i];
		pid_t pid = atomic_load(&slot->pid);
		int64_t since = atomic_load(&slot->since);
		struct worker_status before = *w;

		if (!pid || atomic_load(&slot->worker) != w->worker)
			continue;
		add_lanes(w, b, i);
		if (since < youngest) {
			w->own_requests = before.own_requests;
			w->average_us = before.average_us;
			continue;
		}
		youngest = since;
		w->pid = pid;
	}
}

bool uwsgi_status_next_worker(const struct status *status, size_t *i, struct worker_status *w)
{
	const struct scoreboard *b = &status->board;

	while (*i < b->slots && !atomic_load(&b->worker[*i].spawns))
		++*i;
	if (*i == b->slots)
		return false;
	const struct worker_score *all = &b->worker[*i];

	*w = (struct worker_status){ .worker = (int)++*i,
				     .spawns = atomic_load(&all->spawns),
				     .harakiri = atomic_load(&all->harakiri),
				     .since = atomic_load(&all->since),
				     .requests = get(&all->requests),
				     .failed = get(&all->failed),
				     .sent = get(&all->sent),
				     .running_us = get(&all->running_us) };
	add_slots(w, b);
	if (w->pid) {
		const struct memory m = memory_of(w->pid);

		w->address_space = m.address_space;
		w->resident = m.resident;
	}
	return true;
}

/* ---- sockets ---- */

bool uwsgi_status_next_socket(const struct status *status, size_t *i, struct socket_status *s)
{
	const struct listeners *all = status->listeners;

	while (*i < all->count && (all->items[*i].service || all->items[*i].internal))
		++*i;
	if (*i == all->count)
		return false;
	const struct listener *l = &all->items[(*i)++];

	*s = (struct socket_status){ .protocol = l->protocol->name, .queue = -1, .max_queue = -1 };
	snprintf(s->name, sizeof s->name, "%s%s%s", l->text.address, *l->text.port ? ":" : "",
		 l->text.port);
	backlog_of(l->fd, l->address.sa.ss_family != AF_UNIX, &s->queue, &s->max_queue);
	return true;
}
