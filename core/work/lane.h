/* SPDX-License-Identifier: MIT */
/* lane.h: one thread of a worker with its own event loop and its own connections, which runs
 * one request at a time.  Lanes share nothing but the application's lock. */
#ifndef UWSGI_LANE_H
#define UWSGI_LANE_H

#include "exchange/chain.h"
#include "wire/acceptor.h"
#include "work/scoreboard.h"
#include "wire/watch.h"

extern const struct option_table lane_options;

/* With harakiri, the scoreboard's deadlines have to be watched. */
bool lane_has_deadlines(const struct config *);

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
	struct tally *tally;
	pid_t pid;
	int worker_id;
	size_t lanes;
	/* Called on the lane's thread when the worker has answered max-requests of them. */
	void (*exhausted)(void *worker);
	/* Called on a lane's thread when the application was changed on disk. */
	void (*changed)(void *worker, const char *what);
	void *worker;
};

struct lane {
	const struct lane_setup *setup;
	const struct lane_settings *settings;
	int index;
	uint64_t max_requests; /* of the whole worker, with its own share of the delta */
	struct ev_loop *loop;
	struct clients clients;
	struct requestlog log;
	struct header_rules rules;
	struct trust trust;
	struct lane_score *score;
	void *app_state;
	struct chain chain; /* of no handlers: nothing of it is used */
	/* The chain's or, without one, the application's. */
	void (*handle)(void *state, struct request *, struct response *);
	void (*release)(void *state, void *const *owners, size_t count);
	void *handle_state;
	struct acceptor acceptor;
	int idle;         /* an epoll of its own, waited on while there is no connection */
	struct watch wake; /* an eventfd, written to by other threads and signal handlers */
	int64_t left_ms;  /* of the running request's time, while it waits for its client */
	_Atomic int64_t end_ms; /* what lane_ask_to_leave() said last */
	ev_timer look;    /* whether the application was changed; runs in one lane only */
	bool crowded;     /* behind the last connection another one waited */
	unsigned accepted;
	bool leaving;
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
/* From any thread: no more is accepted, what is running is answered.  end_ms: the
 * server ends, and silent connections are closed within that time; 0: others serve on. */
void lane_ask_to_leave(struct lane *, int64_t end_ms);

#endif
