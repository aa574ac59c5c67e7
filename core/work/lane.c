/* SPDX-License-Identifier: MIT */
/* lane.c: accepts, has connections read and write, and runs their requests one at a time.  As
 * long as the application runs nothing is accepted here: the kernel's queue hands connections
 * to lanes that are free. */
#include "work/lane.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stray.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

/* Connections that an idle lane takes before it looks at anything else; and how seldom it asks
 * for a second one while no second one was there. */
enum { ACCEPTS_A_TURN = 32, TRY_EACH = 16 };

#define AT(member) offsetof(struct lane_settings, member)
static const struct option rows[] = {
	{ .name = "buffer-size",
	  .letter = 'b',
	  .type = OPT_SIZE,
	  .offset = AT(buffer_size),
	  .initial = "64k",
	  .min = 1,
	  .max = 16 << 20,
	  .help = "the most that the head of a request may take: a request line with its fields "
		  "and the empty line, the variables of a uwsgi packet, the records of FastCGI "
		  "up to the body",
	  .differs = "4k by default, at most 64k, and nothing is answered to what is larger" },
	{ .name = "post-buffering",
	  .type = OPT_SIZE,
	  .offset = AT(post_buffering),
	  .initial = "64k",
	  .bare = "64k", /* whoever writes true has it */
	  .max = 1LL << 40,
	  .help = "request bodies up to this size are held in memory, larger ones in a temporary "
		  "file",
	  .differs = "bodies are not buffered by default" },
	{ .name = "limit-post",
	  .type = OPT_SIZE,
	  .offset = AT(limit_post),
	  .initial = "1g",
	  .max = 1LL << 50,
	  .help = "refuse request bodies larger than this with 413; 0: no limit but the free space "
		  "for temporary files, of which a twentieth (at most 256 MiB) is kept; beyond it "
		  "507",
	  .differs = "no limit by default" },
	{ .name = "body-min-rate",
	  .type = OPT_SIZE,
	  .offset = AT(body_rate),
	  .initial = "500",
	  .max = 1LL << 30,
	  .unit = "BYTES",
	  .help = "refuse a request body that brings fewer bytes a second, averaged over all of "
		  "its time but a first silence of http-timeout or socket-timeout; 0: any rate will do",
	  .differs = "there is no such option" },
	{ .name = "max-connections",
	  .type = OPT_INT,
	  .offset = AT(max_connections),
	  .initial = "0",
	  .max = 1LL << 30,
	  .help = "connections that each process may have open, its threads an equal share; for "
		  "one more, the one is closed that waits longest for its client's next request, or "
		  "for the rest of one; 0: as many as the limit of descriptors leaves room for, at "
		  "most 16384",
	  .differs = "there is no such option: a worker has a connection for each thread",
	  .example = "1000" },
	{ .name = "max-requests",
	  .letter = 'R',
	  .type = OPT_INT,
	  .offset = AT(max_requests),
	  .initial = "0",
	  .max = 1LL << 40,
	  .help = "replace a worker after so many requests; 0: never" },
	{ .name = "max-requests-delta",
	  .type = OPT_INT,
	  .offset = AT(max_requests_delta),
	  .initial = "0",
	  .max = 1LL << 30,
	  .help = "add this, times the worker's number, to max-requests, so that not all are "
		  "replaced at once" },
	{ .name = "drain-idle",
	  .type = OPT_SECONDS,
	  .offset = AT(drain_idle_s),
	  .initial = "5",
	  .max = 86400,
	  .help = "when the server stops, close a kept connection after so long a silence, which "
		  "may have begun before",
	  .differs = "there is no such option" },
	{ .name = "queue-timeout",
	  .type = OPT_SPAN,
	  .offset = AT(queue_timeout_ms),
	  .initial = "0",
	  .max = 86400LL * 1000,
	  .help = "answer a request that has waited longer than this for its turn with 503 and "
		  "Retry-After, without the application: its client is about to give up, and those "
		  "behind it wait less; 0: never",
	  .example = "5",
	  .differs = "there is no such option" },
	{ .name = "response-memory",
	  .type = OPT_SIZE,
	  .offset = AT(response_memory),
	  .initial = "64m",
	  .min = 1 << 20,
	  .max = 1LL << 50,
	  .help = "what answers that their clients have not taken may hold of each process's "
		  "memory; beyond it they go to files, and where those are full the connection "
		  "is reset whose client has taken nothing for the longest time",
	  .differs = "the worker waits for each client" },
	{ .name = "response-file-max",
	  .type = OPT_SIZE,
	  .offset = AT(response_file_max),
	  .initial = "1g",
	  .max = 1LL << 50,
	  .below = "1g",
	  .help = "an answer of which more than 1 MiB is not taken yet goes to a temporary file up "
		  "to this size, beyond which the application waits for its client; 0: no files",
	  .differs = "the worker waits for each client" },
};
#undef AT

const struct option_table lane_options = {
	.module = "requests",
	.size = sizeof(struct lane_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

int64_t lane_drain_idle_ms(const struct config *cfg)
{
	const struct lane_settings *s = uwsgi_options(cfg, &lane_options);

	return s->drain_idle_s * 1000;
}

long long lane_max_connections(const struct config *cfg)
{
	const struct lane_settings *s = uwsgi_options(cfg, &lane_options);

	return s->max_connections;
}

void lane_limits(const struct config *cfg, struct clients_setup *clients)
{
	const struct lane_settings *s = uwsgi_options(cfg, &lane_options);
	struct rlimit descriptors = { .rlim_cur = 0 };

	getrlimit(RLIMIT_NOFILE, &descriptors);
	clients->room.descriptor_limit = descriptors.rlim_cur;
	clients->room.most = s->max_connections;

	clients->idle_s = (double)s->drain_idle_s;
	clients->limits.post_buffering = s->post_buffering;
	clients->limits.limit_post = s->limit_post;
	clients->unread.memory = s->response_memory;
	clients->unread.file = s->response_file_max;
	clients->buffer_size = (size_t)s->buffer_size;
	clients->body_rate = s->body_rate;
}

/* ---- one request ---- */

/* For its turn, not for a handler that has said later. */
static bool is_too_late(struct lane *lane, const struct exchange *x)
{
	int64_t limit_us = lane->settings->queue_timeout_ms * 1000;

	if (limit_us == 0 || x->waited_us <= (uint64_t)limit_us || chain_waits(&x->rs))
		return false;
	seldom_log(&lane->too_late, UWSGI_WARNING,
		   "a request that has waited for %.1f s is answered with 503 (queue-timeout)",
		   (double)x->waited_us / 1e6);
	return true;
}

bool lane_show_busy(struct lane *lane, struct exchange *x, int64_t began_us)
{
	struct lane_score *score = lane->score;

	bool has_method = account_begin(&lane->account, x, lane->clients.queue.turn, began_us);

	if (lane->traces.is_wanted)
		x->span = trace_begin(&lane->traces, &x->rq);
	atomic_store_explicit(&score->began_ms, clock_monotonic_coarse_ms(), memory_order_relaxed);
	atomic_store_explicit(&score->busy, true, memory_order_release);
	return has_method && !is_too_late(lane, x);
}

/* RFC 9110 section 10.2.3: in whole seconds. */
static void refuse_late(const struct lane *lane, struct response *rs)
{
	char seconds[24];
	int n = snprintf(seconds, sizeof seconds, "%lld",
			 (lane->settings->queue_timeout_ms + 999) / 1000);

	uwsgi_response_start(rs, SLICE("503 Service Unavailable"));
	uwsgi_response_header(rs, SLICE("Content-Type"), SLICE("text/plain; charset=utf-8"));
	uwsgi_response_header(rs, SLICE("Retry-After"), (struct slice){ seconds, (size_t)n });
	uwsgi_response_body(rs, SLICE("Service Unavailable\n"), NULL);
	rs->refusal = true;
	uwsgi_response_end(rs);
}

void lane_refuse(const struct lane *lane, struct exchange *x)
{
	if (request_method(&x->rq).n > 0) {
		refuse_late(lane, &x->rs);
		return;
	}
	uwsgi_request_reject(&x->rq, 400,
			     "it has no REQUEST_METHOD: does the web server pass CGI "
			     "variables on (nginx: include uwsgi_params)?");
	request_log_refusal(&x->rq);
	uwsgi_response_refuse(&x->rs, 400, SLICE("The request has no REQUEST_METHOD"));
}

void lane_show_idle(struct lane *lane)
{
	atomic_store_explicit(&lane->score->deadline_ms, 0, memory_order_release);
	atomic_store_explicit(&lane->score->busy, false, memory_order_release);
}

void lane_show_turning(struct lane *lane)
{
	atomic_store_explicit(&lane->score->deadline_ms,
			      clock_monotonic_coarse_ms() + lane->harakiri->limit_ms,
			      memory_order_release);
}

void lane_account(struct lane *lane, struct exchange *x, int64_t began_us)
{
	account_end(&lane->account, x, began_us);
	if (lane->max_requests && x->logged.worker_requests == lane->max_requests)
		lane->setup->exhausted(lane->setup->worker);
}

/* The watchdog took it, and has counted it.  A handler that wanted to answer later gives it up. */
static void note_lost(struct exchange *x)
{
	x->rs.lost = x->rs.broken = true;
	if (!x->rs.ended)
		chain_give_up(&x->rs);
	assert(x->rs.ended);
}

static void on_run(void *host, struct exchange *x)
{
	struct lane *lane = host;
	/* The loop's time: read when it woke, and again after each request. */
	int64_t began_us = (int64_t)(ev_now(lane->loop) * 1e6);

	bool runs = lane_show_busy(lane, x, began_us);
	lane->running = x;
	if (lane->harakiri->limit_ms) /* from here on the watchdog may take it */
		deadline_begin(&lane->deadline, lane->score->began_ms, lane->harakiri->limit_ms);
	if (runs)
		lane->handle(lane->handle_state, &x->rq, &x->rs);
	else
		lane_refuse(lane, x);
	stray_end();
	bool lost = x->rs.lost;
	if (deadline_is_set(&lane->deadline))
		lost = deadline_end(&lane->deadline) || lost;
	atomic_store_explicit(&lane->score->busy, false, memory_order_release);
	if (lost)
		note_lost(x);
	if (!x->rs.ended) {
		x->began_us = began_us;
		return;
	}
	if (!lost)
		lane_account(lane, x, began_us);
	account_held_up(&lane->account, x);
}

/* Only a handler has an answer come later. */
static void on_gone(void *host, struct exchange *x)
{
	(void)host;
	chain_give_up(&x->rs);
}

/* A handler goes on for it. */
static void on_said_all(void *host, struct exchange *x)
{
	(void)host;
	(void)x;
}

static void on_ended(void *host, struct exchange *x)
{
	if (x->rs.ended)
		lane_account(host, x, x->began_us);
}

void lane_on_refused(void *host, struct exchange *x)
{
	request_log_refusal(&x->rq);
	x->waited_us = 0;
	if (x->rq.count > 0)
		lane_account(host, x, clock_wall_us());
}

void lane_on_unsent(void *host, struct exchange *x)
{
	account_unsent(&((struct lane *)host)->account, x);
}

void lane_on_sent(void *host, struct exchange *x, uint64_t us)
{
	account_sent(&((struct lane *)host)->account, x, us);
}

/* The time that a client takes is not the application's. */
static void on_pause(void *host)
{
	struct lane *lane = host;

	deadline_pause(&lane->deadline, clock_monotonic_coarse_ms());
	if (!lane->chain.in_handler)
		lane->setup->app->pause(lane->app_state);
}

static void on_resume(void *host)
{
	struct lane *lane = host;

	if (!lane->chain.in_handler)
		lane->setup->app->resume(lane->app_state);
	deadline_resume(&lane->deadline, clock_monotonic_coarse_ms());
}

void lane_on_release(void *host, void *const *owners, size_t count)
{
	struct lane *lane = host;

	lane->release(lane->handle_state, owners, count);
}

static const struct clients_host host_functions = {
	.run = on_run,
	.gone = on_gone,
	.said_all = on_said_all,
	.ended = on_ended,
	.refused = lane_on_refused,
	.unsent = lane_on_unsent,
	.sent = lane_on_sent,
	.pause = on_pause,
	.resume = on_resume,
	.release = lane_on_release,
};

/* ---- waiting without a connection ---- */

/* What wakes an idle lane: an event of its libev loop, or a connection to accept or to take over. */
enum { LOOP, CONNECTIONS };

/* A new connection must wake one of the idle lanes, not all of them.  libev cannot say
 * EPOLLEXCLUSIVE; but a lane without connections needs nothing of libev to wait. */
static int init_idle(struct lane *lane, struct error *e)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };

	lane->idle = epoll_create1(EPOLL_CLOEXEC);
	if (lane->idle < 0)
		return uwsgi_error_set(e, "epoll_create1: %s", strerror(errno));
	for (size_t i = 0; i < lane->acceptor.count; i++) {
		int fd = acceptor_fd(&lane->acceptor, i);

		event.data.u64 = CONNECTIONS + i;
		if (fd >= 0 && epoll_ctl(lane->idle, EPOLL_CTL_ADD, fd, &event))
			return uwsgi_error_set(e, "lane %d: epoll_ctl: %s", lane->index,
					       strerror(errno));
	}
	return 0;
}

int lane_watch(struct lane *lane, int fd, struct error *e)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = LOOP };

	return epoll_ctl(lane->idle, EPOLL_CTL_ADD, fd, &event)
		       ? uwsgi_error_set(e, "lane %d: epoll_ctl: %s", lane->index, strerror(errno))
		       : 0;
}

static bool is_idle(const struct lane *lane)
{
	return lane->clients.open_count == 0 && !lane->leaving &&
	       !acceptor_is_paused(&lane->acceptor) && !ev_is_active(&lane->look);
}

/* A listener that refuses stays readable, and would wake this lane again and again. */
static void forget_refusing(struct lane *lane, size_t listener)
{
	const struct listeners *all = lane->clients.listeners;

	if (listener < all->count && acceptor_fd(&lane->acceptor, listener) < 0)
		epoll_ctl(lane->idle, EPOLL_CTL_DEL, all->items[listener].fd, NULL);
}

static bool serve_one(struct lane *lane, size_t listener)
{
	account_leave_turn(&lane->account);
	bool accepted = acceptor_take(&lane->acceptor, listener);

	if (!accepted)
		forget_refusing(lane, listener);
	clients_end_turn(&lane->clients);
	return accepted;
}

/* Where more wait, asking for the next one saves the wait for it; where nobody does, asking in
 * vain costs, so it is tried seldom. */
static void accept_some(struct lane *lane, size_t listener)
{
	bool again =
		serve_one(lane, listener) && (lane->crowded || ++lane->accepted % TRY_EACH == 0);

	lane->crowded = false;
	for (int i = 1; again && i < ACCEPTS_A_TURN && is_idle(lane); i++) {
		ev_now_update(lane->loop);
		again = lane->crowded = serve_one(lane, listener);
	}
}

static void wait_idle(struct lane *lane)
{
	struct epoll_event got[8];
	bool others;
	int n = epoll_wait(lane->idle, got, sizeof got / sizeof *got, -1);

	ev_now_update(lane->loop);
	others = n < 0;
	for (int i = 0; i < n; i++) {
		if (got[i].data.u64 >= CONNECTIONS)
			accept_some(lane, got[i].data.u64 - CONNECTIONS);
		else
			others = true;
	}
	if (others)
		ev_run(lane->loop, EVRUN_NOWAIT);
	clients_end_turn(&lane->clients);
}

/* ---- life ---- */

static void on_wake(struct watch *w)
{
	struct lane *lane = w->data;
	int64_t end_ms = atomic_load(&lane->end_ms);
	bool was_leaving = lane->leaving;
	eventfd_t said;

	eventfd_read(w->io.fd, &said);
	lane->leaving = true;
	/* What other lanes gave away must not be lost with the last of them. */
	acceptor_empty(&lane->acceptor, ACCEPTOR_NEIGHBOURS);
	ev_timer_stop(lane->loop, &lane->look);
	if (end_ms > 0) {
		lane->last_call = atomic_load(&lane->empties);
		if (lane->last_call)
			acceptor_last_call(&lane->acceptor);
		/* What it gave away itself in a pause is for the workers that follow. */
		if (lane->last_call || !was_leaving)
			acceptor_empty(&lane->acceptor, ACCEPTOR_LEFT);
		clients_end(&lane->clients, (double)end_ms / 1000);
	} else {
		acceptor_stop(&lane->acceptor);
		clients_leave(&lane->clients);
	}
}

void lane_ask_to_leave(struct lane *lane, int64_t end_ms, bool empties)
{
	atomic_store(&lane->empties, empties);
	atomic_store(&lane->end_ms, end_ms);
	eventfd_write(lane->wake.io.fd, 1);
}

static int init_watchers(struct lane *lane, struct error *e)
{
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	watch_init(&lane->wake, wake, EV_READ, on_wake, lane);
	if (wake < 0)
		return uwsgi_error_set(e, "eventfd: %s", strerror(errno));
	watch_start(&lane->wake, lane->loop);
	return init_idle(lane, e) || lane_watch(lane, wake, e) ? -1 : 0;
}

static void on_look(struct ev_loop *loop, ev_timer *w, int events)
{
	struct lane *lane = w->data;
	char what[128];

	(void)loop;
	(void)events;
	if (lane->setup->app->changed(lane->app_state, what, sizeof what))
		lane->setup->changed(lane->setup->worker, what);
}

/* One lane of the whole server looks. */
static void start_looking(struct lane *lane)
{
	const struct lane_setup *setup = lane->setup;
	double every_s = setup->app->interval_s ? (double)setup->app->interval_s(setup->config) : 0;

	ev_init(&lane->look, on_look);
	lane->look.data = lane;
	if (every_s <= 0 || setup->worker_id != 1 || lane->index != 0)
		return;
	char what[128];
	setup->app->changed(lane->app_state, what, sizeof what); /* from now on */
	ev_timer_set(&lane->look, every_s, every_s);
	ev_timer_start(lane->loop, &lane->look);
}

/* Without handlers, the application is called as directly as if there could be none. */
static int init_chain(struct lane *lane, struct error *e)
{
	const struct lane_setup *setup = lane->setup;
	bool direct = setup->handler_count == 0;

	lane->handle = direct ? setup->app->handle : chain_handle;
	lane->release = direct ? setup->app->release : chain_release;
	lane->handle_state = direct ? lane->app_state : &lane->chain;
	lane->chain.app = setup->app;
	lane->chain.app_state = lane->app_state;
	lane->to_handlers = (struct handler_lane){ setup->config, lane->loop, lane->index };
	return chain_init(&lane->chain, setup->handlers, setup->handler_count, &lane->to_handlers,
			  e);
}

int lane_init(struct lane *lane, const struct lane_setup *setup, int index,
	      struct lane_score *score, struct error *e)
{
	*lane = (struct lane){ .setup = setup, .index = index, .score = score };
	const struct lane_settings *s = uwsgi_options(setup->config, &lane_options);
	struct clients_setup clients = { .config = setup->config,
					 .rules = &lane->rules,
					 .listeners = setup->listeners,
					 .neighbours = setup->neighbours.give,
					 .successors = setup->successors.give,
					 .room = { .descriptors_each = 1, .lanes = setup->lanes } };
	const int queues[ACCEPTOR_QUEUES] = { [ACCEPTOR_NEIGHBOURS] = setup->neighbours.take,
					      [ACCEPTOR_LEFT] = setup->successors.take };
	const struct account_setup account = { .score = score,
					       .slot = setup->slot,
					       .totals = setup->totals,
					       .slow = setup->slow,
					       .spans = setup->spans,
					       .metrics = setup->metrics,
					       .pid = setup->pid,
					       .worker = setup->worker_id,
					       .lane = index,
					       .side_by_side = setup->host != NULL,
					       .asks_always = s->queue_timeout_ms > 0 };
	int most = setup->neighbours.take < 0 ? ACCEPTS_A_TURN : 1;

	lane->settings = s;
	lane->harakiri = uwsgi_options(setup->config, &harakiri_options);
	lane->thread_id = gettid();
	deadline_init(&lane->deadline, &score->deadline_ms);
	lane->deadline.ends_early = lane->harakiri->ends_early;
	lane->deadline.sooner = setup->sooner;
	lane->deadline.data = setup->worker;
	if (!setup->host)
		clients.deadline = &lane->deadline;
	clients.counts = &score->counts;
	lane->chain.counts = &score->counts;
	if (s->max_requests)
		lane->max_requests =
			(uint64_t)(s->max_requests + s->max_requests_delta * setup->worker_id);
	lane->loop = ev_loop_new(EVFLAG_AUTO);
	if (!lane->loop)
		return uwsgi_error_set(e, "lane %d: cannot make an event loop: %s", index,
				       strerror(errno));
	if (account_init(&lane->account, setup->config, &account, e) ||
	    header_rules_init(&lane->rules, setup->config, e) ||
	    trust_init(&lane->trust, setup->config, &setup->totals->untrusted, e) ||
	    setup->app->lane_start(index, &lane->app_state, e) || init_chain(lane, e))
		return -1;
	trace_source_init(&lane->traces, setup->config, setup->span_percent);
	lane_limits(setup->config, &clients);
	clients.limits.trust = &lane->trust;
	clients.unread.memory /= (int64_t)setup->lanes;
	/* Bodies come in portions. */
	if (setup->host)
		clients.limits.post_buffering = INT64_MAX;
	clients_init(&lane->clients, lane->loop, setup->host ? setup->host : &host_functions, lane,
		     &clients);
	/* With other lanes about, one at a time: what waits is for whoever is free. */
	if (acceptor_init(&lane->acceptor, &lane->clients, NULL, queues, most, e))
		return -1;
	start_looking(lane);
	return init_watchers(lane, e);
}

bool lane_is_through(struct lane *lane)
{
	if (!lane->leaving || lane->clients.open_count > 0)
		return false;
	return !lane->last_call || acceptor_is_through(&lane->acceptor);
}

/* New connections are served as long as others keep the lane anyway. */
static void accept_or_not(struct lane *lane)
{
	if (!lane->leaving || lane->last_call)
		acceptor_start(&lane->acceptor);
	else if (lane->clients.grace_over)
		acceptor_stop(&lane->acceptor);
}

void lane_run(struct lane *lane)
{
	while (!lane_is_through(lane)) {
		if (is_idle(lane)) {
			acceptor_stop(&lane->acceptor);
			wait_idle(lane);
			continue;
		}
		accept_or_not(lane);
		ev_run(lane->loop, EVRUN_ONCE);
	}
}

void lane_fini(struct lane *lane)
{
	acceptor_fini(&lane->acceptor);
	clients_fini(&lane->clients);
	chain_fini(&lane->chain);
	lane->setup->app->lane_stop(lane->app_state);
	/* The eventfd stays until the process ends: a signal may still be told to this lane. */
	close(lane->idle);
	ev_loop_destroy(lane->loop);
	account_fini(&lane->account);
	header_rules_fini(&lane->rules);
	trust_fini(&lane->trust);
}
