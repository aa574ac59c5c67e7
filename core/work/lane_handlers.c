/* SPDX-License-Identifier: MIT */
/* lane_handlers.c: what the handlers and the application of a lane may ask of it, and tell it. */
#include "base/clock.h"
#include "wire/backlog.h"
#include "work/lane.h"

static struct lane *lane_of(const struct handler_lane *at)
{
	return (struct lane *)((uintptr_t)at - offsetof(struct lane, to_handlers));
}

int uwsgi_lane_worker(const struct handler_lane *at)
{
	return lane_of(at)->setup->worker_id;
}

const struct metrics *uwsgi_lane_metrics(const struct handler_lane *at)
{
	return lane_of(at)->setup->metrics;
}

void uwsgi_lane_harakiri(const struct handler_lane *at, long long seconds)
{
	struct lane *lane = lane_of(at);

	/* Of a lane that its application drives, it is that of the loop. */
	if (!lane->setup->host)
		deadline_set_limit(&lane->deadline, clock_monotonic_coarse_ms(), seconds * 1000);
}

void uwsgi_request_replace_worker(const struct request *rq, const char *why)
{
	const struct lane *lane = exchange_of_request(rq)->connection->clients->host_data;

	if (!uwsgi_is_stray())
		lane->setup->unfit(lane->setup->worker, why);
}

long long uwsgi_lane_backlog(const struct handler_lane *at)
{
	const struct listeners *all = lane_of(at)->setup->listeners;
	long long longest = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct listener *l = &all->items[i];
		long long waiting = l->gateway || l->service ? 0 : backlog_waiting(l);

		if (waiting > longest)
			longest = waiting;
	}
	return longest;
}
