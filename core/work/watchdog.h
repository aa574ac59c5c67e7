/* SPDX-License-Identifier: MIT */
/* watchdog.h: a thread beside the lanes of a worker, which gives up requests that run for too long. */
#ifndef UWSGI_WATCHDOG_H
#define UWSGI_WATCHDOG_H

#include "work/strike.h"

struct watchdog_setup {
	const struct lane_setup *lane_setup;
	struct lane *lanes;
	size_t count;
	int channel; /* to the master */
	int slot;
	/* Reads a message of the channel, if there is one; false: the master is gone. */
	bool (*hear)(void *worker);
	/* Whether the worker is to end. */
	bool (*leaves)(void *worker);
	void *worker;
};

/* What it has done about the request of a lane, which is known by its beginning. */
struct watched {
	int64_t began_ms, not_before_ms;
	bool asked, spared;
	bool stuck; /* it was given up, and its lane has not come back */
};

struct watchdog {
	struct watchdog_setup setup;
	const struct harakiri_settings *settings;
	struct striker striker;
	struct watched *watched; /* [count] */
	atomic_int poke;         /* an eventfd; -1: not yet */
	atomic_bool started;
	_Atomic int64_t wakes_at_ms; /* it sleeps until then */
	bool hears;
};

/* Starts nothing yet. */
void watchdog_init(struct watchdog *, const struct watchdog_setup *);
/* Where it does not run yet, it is started: needed where requests have deadlines from the start. */
void watchdog_start(struct watchdog *);
/* From any lane, as struct deadline's sooner. */
void watchdog_expect(struct watchdog *, int64_t at_ms);

#endif
