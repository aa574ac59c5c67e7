/* SPDX-License-Identifier: MIT */
/* drive.c: requests in flight: begun, perhaps for hours, and ended in any order.  harakiri ends one
 * alone, since the others of its lane are well; only a loop that stands still for so long, which
 * nothing in the process could end, is for the master, who ends the worker. */
#include "work/drive.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stray.h"
#include "wire/answering.h"

#include <assert.h>

/* How often the time of those in flight is counted. */
enum { TICK_MS = 250 };

/* ---- harakiri ---- */

static bool has_deadlines(const struct lane *lane)
{
	return lane->harakiri->limit_ms > 0;
}

/* Whoever has it, a handler or the application, ends it. */
static void lose(const struct lane *lane, struct exchange *x)
{
	if (!chain_give_up(&x->rs))
		lane->setup->app->gone(lane->app_state, x->handled);
}

static void cut(struct lane *lane, struct exchange *x)
{
	char method[32], uri[256], limit[HARAKIRI_TEXT];
	size_t before = lane->in_flight;

	uwsgi_escape(method, sizeof method, uwsgi_request_find(&x->rq, SLICE("REQUEST_METHOD")));
	uwsgi_escape(uri, sizeof uri, uwsgi_request_find(&x->rq, SLICE("REQUEST_URI")));
	uwsgi_log(UWSGI_WARNING, "%s %s ran %.1f s (harakiri %s); it is given up, others go on",
		  method, uri, ev_now(lane->loop) - (double)x->began_us / 1e6,
		  harakiri_text(lane->harakiri->limit_ms, limit));
	x->rs.overdue = true;
	lose(lane, x);
	assert(lane->in_flight < before);
}

static struct exchange *find_overdue(const struct lane *lane)
{
	struct exchange *x;

	TAILQ_FOREACH(x, &lane->flights, flight)
		if (x->left_ms <= 0)
			return x;
	return NULL;
}

/* The time that a client takes is not the application's.  Nor is that of a loop that stood still: of
 * whom it was is not known here. */
static void on_tick(struct ev_loop *loop, ev_timer *w, int events)
{
	struct lane *lane = w->data;
	int64_t now_ms = clock_monotonic_coarse_ms(), passed_ms = now_ms - lane->ticked_ms;
	struct exchange *x;

	(void)loop;
	(void)events;
	lane->ticked_ms = now_ms;
	TAILQ_FOREACH(x, &lane->flights, flight)
		if (!answering_waits_for_peer(x->connection))
			x->left_ms -= passed_ms < 2 * TICK_MS ? passed_ms : TICK_MS;
	lane_show_turning(lane);
	while ((x = find_overdue(lane)))
		cut(lane, x);
}

/* ---- requests ---- */

static void on_run(void *host, struct exchange *x)
{
	struct lane *lane = host;

	x->handled = NULL;
	x->began_us = (int64_t)(ev_now(lane->loop) * 1e6);
	TAILQ_INSERT_TAIL(&lane->flights, x, flight);
	if (lane->in_flight++ == 0 && has_deadlines(lane)) {
		lane->ticked_ms = clock_monotonic_coarse_ms();
		ev_timer_again(lane->loop, &lane->tick);
	}
	if (has_deadlines(lane)) {
		x->left_ms =
			lane->harakiri->limit_ms + clock_monotonic_coarse_ms() - lane->ticked_ms;
		lane_show_turning(lane);
	}
	/* After either, x may be somebody else's. */
	if (lane_show_busy(lane, x, x->began_us))
		lane->handle(lane->handle_state, &x->rq, &x->rs);
	else
		lane_refuse(lane, x);
	stray_end();
}

static void on_ended(void *host, struct exchange *x)
{
	struct lane *lane = host;

	TAILQ_REMOVE(&lane->flights, x, flight);
	if (--lane->in_flight == 0) {
		ev_timer_stop(lane->loop, &lane->tick);
		lane_show_idle(lane);
	}
	/* Who was detached has no answer. */
	if (x->rs.ended)
		lane_account(lane, x, x->began_us);
}

static void on_gone(void *host, struct exchange *x)
{
	lose(host, x);
}

/* Applications learn it as an end, as they do of other servers; a handler goes on. */
static void on_said_all(void *host, struct exchange *x)
{
	(void)host;
	if (!chain_waits(&x->rs))
		connection_lose_peer(x->connection);
}

static void on_go_on(void *host, struct exchange *x)
{
	struct lane *lane = host;

	lane->handle(lane->handle_state, &x->rq, &x->rs);
	stray_end();
}

static void on_drained(void *host, struct exchange *x)
{
	struct lane *lane = host;

	/* A handler has its loans back, which tells it as much. */
	if (!chain_waits(&x->rs))
		lane->setup->app->drained(lane->app_state, x->handled);
}

static void on_body(void *host, struct exchange *x)
{
	struct lane *lane = host;

	lane->setup->app->body(lane->app_state, x->handled);
}

const struct clients_host drive_host = {
	.run = on_run,
	.gone = on_gone,
	.said_all = on_said_all,
	.go_on = on_go_on,
	.ended = on_ended,
	.drained = on_drained,
	.body = on_body,
	.refused = lane_on_refused,
	.unsent = lane_on_unsent,
	.sent = lane_on_sent,
	.release = lane_on_release,
};

/* ---- life ---- */

bool drive_is_wanted(const struct app *app, const struct config *cfg)
{
	return app->drives && app->drives(cfg);
}

void drive_init(struct lane *lane)
{
	TAILQ_INIT(&lane->flights);
	ev_init(&lane->tick, on_tick);
	lane->tick.repeat = TICK_MS / 1000.;
	lane->tick.data = lane;
}

static void on_accept(void *data)
{
	struct lane *lane = data;

	if (lane->accepts || lane->leaving)
		return;
	lane->accepts = true;
	acceptor_start(&lane->acceptor);
	lane->setup->accepts(lane->setup->worker);
}

static bool leaves(void *data)
{
	return ((const struct lane *)data)->leaving;
}

static bool is_over(void *data)
{
	struct lane *lane = data;

	/* Until then new connections are served, as others keep the lane anyway. */
	if (lane->clients.grace_over && !lane->last_call)
		acceptor_stop(&lane->acceptor);
	return lane_is_through(lane);
}

void drive_run(struct lane *lane)
{
	const struct drive drive = { lane->loop, on_accept, leaves, is_over, lane };
	struct error e;
	int result = lane->setup->app->drive(lane->app_state, &drive, &e);

	if (result == 0 && !lane->leaving)
		result = uwsgi_error_set(&e, "the application has ended its loop");
	acceptor_stop(&lane->acceptor);
	while (!TAILQ_EMPTY(&lane->flights))
		connection_lose_peer(TAILQ_FIRST(&lane->flights)->connection);
	if (result)
		lane->setup->failed(lane->setup->worker, &e);
}
