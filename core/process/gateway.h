/* SPDX-License-Identifier: MIT */
/* gateway.h: a gateway's process, from its fork to its end. */
#ifndef UWSGI_GATEWAY_H
#define UWSGI_GATEWAY_H

#include "wire/listener.h"
#include "wire/migrate.h"
#include "work/totals.h"

struct gateway_start {
	const struct config *config;
	const struct listeners *listeners;
	const struct gateway *gateway;
	const char *name; /* "http 1" */
	struct totals *totals;
	struct migrate_queue successors; /* the queue of all gateways' connections that move */
	int channel;                     /* to the master */
	pid_t master;
};

/* Accepts on the gateway's sockets until the master says leave or is gone; returns the exit
 * code. */
int gateway_run(const struct gateway_start *);

#endif
