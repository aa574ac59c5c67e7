/* SPDX-License-Identifier: MIT */
/* service.h: a service's process, from its fork to its end. */
#ifndef UWSGI_SERVICE_H
#define UWSGI_SERVICE_H

#include "base/metrics.h"
#include "wire/listener.h"
#include "work/totals.h"

#include <uwsgi/plugin.h>

struct service_start {
	const struct service *service;
	const struct config *config;
	const char *name;           /* "stats 1" */
	struct listeners listeners; /* service_listeners() */
	/* Of the master, as the process has inherited them. */
	const struct totals *totals;
	void *slow;
	struct ring warnings, daemons, vassals, crons;
	const struct metrics *metrics;
	int channel; /* to the master */
	pid_t master;
};

/* In its process: a list with descriptors of its own, which stay when the master's are closed. */
int service_listeners(struct listeners *, const struct listeners *, struct error *);
/* Turns the loop until the master says leave or is gone; returns the exit code. */
int service_run(const struct service_start *);

#endif
