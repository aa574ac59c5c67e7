/* SPDX-License-Identifier: MIT */
/* worker.h: a worker process, from its fork to its end. */
#ifndef UWSGI_WORKER_H
#define UWSGI_WORKER_H

#include "work/lane.h"

extern const struct option_table worker_options;

struct worker_settings {
	long long processes, threads, stack_kb;
	bool lazy_apps, need_app;
};

struct worker_setup {
	const struct config *config;
	const struct listeners *listeners;
	struct migrate_queue neighbours, successors; /* as struct lane_setup's */
	const struct app *app;
	const struct handler *const *handlers; /* in their order */
	size_t handler_count;
	bool is_first;     /* of its number in this generation */
	bool takes_orders; /* of services */
	bool is_watched;   /* by services */
	const struct scoreboard *scoreboard;
	struct totals *totals;
	const struct ring *slow, *spans;
	int span_percent; /* of the requests that are recorded as spans; 0: none are */
	size_t slot;
	struct worker_info info;
	int channel; /* to the master */
};

/* Exit codes that process managers of uWSGI know. */
enum { EXIT_FAILED_APP = 22 };

/* Serves until the master says leave or is gone; returns the exit code. */
int worker_run(const struct worker_setup *);

#endif
