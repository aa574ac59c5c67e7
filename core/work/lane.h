/* SPDX-License-Identifier: MIT */
/* lane.h: one thread of a worker with its own event loop and its own connections, which runs
 * one request at a time.  Lanes share nothing but the application's lock. */
#ifndef UWSGI_LANE_H
#define UWSGI_LANE_H

#include "exchange/chain.h"
#include "exchange/trace.h"
#include "wire/acceptor.h"
#include "work/account.h"
#include "work/harakiri.h"
#include "wire/watch.h"

extern const struct option_table lane_options;

struct lane_settings {
	long long buffer_size, post_buffering, limit_post, body_rate;
	long long max_requests, max_requests_delta, drain_idle_s, max_connections;
	long long response_memory, response_file_max, queue_timeout_ms;
};

/* max-connections; 0: as many as descriptors leave room for. */
long long lane_max_connections(const struct config *);

/* drain-idle, in milliseconds. */
int64_t lane_drain_idle_ms(const struct config *);

/* What all lanes of a worker are given; constant while they run. */
struct lane_setup {
	const struct config *config;
	const struct listeners *listeners;
	/* Queues of connections that move: to lanes of the generation that have time, where there
	 * are several, and to those that stay when a worker leaves. */
	struct migrate_queue neighbours, successors;
	const struct app *app;
	const struct handler *const *handlers; /* in their order */
	size_t handler_count;
	struct slot_score *slot;
	struct totals *totals;
	const struct ring *slow, *spans;
	int span_percent; /* as struct worker_setup's */
	const struct metrics *metrics;
	pid_t pid;
	int worker_id;
	size_t lanes;
	/* Called on the lane's thread when the worker has answered max-requests of them. */
	void (*exhausted)(void *worker);
	/* … when something of the application says that it should go; why: for the log. */
	void (*unfit)(void *worker, const char *why);
	/* Called on a lane's thread when the application was changed on disk. */
	void (*changed)(void *worker, const char *what);
	/* As struct deadline's; NULL: there is no watchdog. */
	void (*sooner)(void *worker, int64_t at_ms);
	void *worker;
	/* Of lanes that their application drives (drive.h), else NULL.  accepts() and failed(), it
	 * cannot go on, are called on the lane's thread. */
	const struct clients_host *host;
	void (*accepts)(void *worker);
	void (*failed)(void *worker, const struct error *);
};

TAILQ_HEAD(flights, exchange);

struct lane {
	const struct lane_setup *setup;
	const struct lane_settings *settings;
	int index;
	uint64_t max_requests; /* of the whole worker, with its own share of the delta */
	struct ev_loop *loop;
	struct clients clients;
	struct account account;
	struct header_rules rules;
	struct trust trust;
	struct trace_source traces;
	struct lane_score *score;
	void *app_state;
	struct handler_lane to_handlers;
	struct chain chain; /* of no handlers: nothing of it is used */
	/* The chain's or, without one, the application's. */
	void (*handle)(void *state, struct request *, struct response *);
	void (*release)(void *state, void *const *owners, size_t count);
	void *handle_state;
	struct acceptor acceptor;
	int idle;          /* an epoll of its own, waited on while there is no connection */
	struct watch wake; /* an eventfd, written to by other threads and signal handlers */
	const struct harakiri_settings *harakiri;
	struct deadline deadline;
	struct exchange *running; /* valid for the watchdog when it has struck; or the last one */
	pid_t thread_id;
	atomic_bool over;       /* it has come to its end */
	_Atomic int64_t end_ms; /* what lane_ask_to_leave() said last */
	atomic_bool empties;    /* the same */
	ev_timer look;          /* whether the application was changed; runs in one lane only */
	struct seldom too_late; /* said in the log */
	bool crowded;           /* the last accept left another connection in the queue */
	unsigned accepted;
	bool leaving;
	bool last_call; /* what waits at the sockets is served before it ends */
	/* Of one that its application drives. */
	bool accepts;
	struct flights flights; /* requests that have not ended, in the order they began */
	size_t in_flight;
	ev_timer tick;
	int64_t ticked_ms;
};

/* Fills in what the configuration says of the size of requests. */
void lane_limits(const struct config *, struct clients_setup *);
/* On the lane's own thread: its part of the application, its loop and its watchers.  The lane
 * accepts as soon as lane_run() turns the loop.  Returns -1 with the reason. */
int lane_init(struct lane *, const struct lane_setup *, int index, struct lane_score *,
	      struct error *);
/* Serves until lane_ask_to_leave() and all is answered. */
void lane_run(struct lane *);
void lane_fini(struct lane *);
/* For whoever starts a watcher of fd on the lane's loop: the lane wakes for it when idle, too. */
int lane_watch(struct lane *, int fd, struct error *);
/* From any thread: what is running is answered.  end_ms: the server ends, and silent connections are
 * closed within that time; 0: others serve on.  empties: no new client can connect, and what waits
 * at the sockets is served, too. */
void lane_ask_to_leave(struct lane *, int64_t end_ms, bool empties);
/* It was asked to, and all is done. */
bool lane_is_through(struct lane *);

/* ---- for drive.c ---- */

/* What the lane's row of the scoreboard says: a request runs; the loop turns; nothing runs.  False:
 * it is no request that the application could run, or has waited for too long: it is to be refused. */
bool lane_show_busy(struct lane *, struct exchange *, int64_t began_us);
void lane_show_turning(struct lane *);
void lane_show_idle(struct lane *);
/* Ends the response to one that is not run. */
void lane_refuse(const struct lane *, struct exchange *);
/* Counts the request in, which is then in all counters, and logs it. */
void lane_account(struct lane *, struct exchange *, int64_t began_us);
/* Members of struct clients_host. */
void lane_on_refused(void *lane, struct exchange *);
void lane_on_unsent(void *lane, struct exchange *);
void lane_on_sent(void *lane, struct exchange *, uint64_t us);
void lane_on_release(void *lane, void *const *owners, size_t count);

#endif
