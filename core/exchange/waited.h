/* SPDX-License-Identifier: MIT */
/* waited.h: how long a request had waited when it began to run.  A rule on values: who knows them is
 * the lane. */
#ifndef UWSGI_WAITED_H
#define UWSGI_WAITED_H

#include <uwsgi/plugin.h>

/* Times are microseconds since 1970. */
struct waited_since {
	/* X-Request-Start of a peer that is believed: when the first server took the request; empty:
	 * nobody says. */
	struct slice start;
	/* When another process of this server had all of it; 0: it came from elsewhere. */
	int64_t taken_us;
	/* For how long nothing has come from the client, as the kernel says; -1: it was not asked. */
	int64_t silent_us;
	int64_t woke_us;  /* the lane looked at what had come: later requests are found in its next turn */
	int64_t began_us; /* its own turn */
};

/* In microseconds. */
uint64_t waited_us(const struct waited_since *);

#endif
