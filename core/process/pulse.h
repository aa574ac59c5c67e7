/* SPDX-License-Identifier: MIT */
/* pulse.h: tells the service manager at intervals that the master is alive (WatchdogSec), and what the
 * server does, for `systemctl status`.  Nothing runs where there is no service manager. */
#ifndef UWSGI_PULSE_H
#define UWSGI_PULSE_H

#include "process/announce.h"
#include "process/succession.h"

struct pulse {
	struct ev_loop *loop;
	ev_timer timer;
	struct notify *notify;
	const struct succession *succession;
	const struct totals *totals;
	uint64_t requests; /* at the last beat */
	int64_t at_ms;
};

/* All must outlive it. */
void pulse_start(struct pulse *, struct ev_loop *, struct notify *, const struct succession *,
		 const struct totals *);
void pulse_stop(struct pulse *);

#endif
