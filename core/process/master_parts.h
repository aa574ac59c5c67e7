/* SPDX-License-Identifier: MIT */
/* master_parts.h: what the master is made of; for master.c and forks.c alone. */
#ifndef UWSGI_MASTER_PARTS_H
#define UWSGI_MASTER_PARTS_H

#include "base/cgroup.h"
#include "process/alarms.h"
#include "process/balancers.h"
#include "process/chores.h"
#include "process/daemons.h"
#include "process/hook_signal.h"
#include "process/master.h"
#include "process/outliving.h"
#include "process/pulse.h"
#include "process/relay.h"
#include "process/services.h"
#include "process/succession.h"
#include "process/takeover.h"
#include "process/vassals.h"
#include "work/hooks.h"

struct master {
	struct master_setup *setup;
	struct ev_loop *loop;
	struct generation_host host;
	struct cells cells;
	struct cgroup cgroup;
	/* What the server counts and keeps; it outlives generations. */
	struct outliving outliving;
	struct shared *totals, *slow, *warnings, *beside, *below, *crons;
	struct ring slow_ring, spans_ring;
	struct announcer announcer;
	struct succession_setup succession_setup;
	struct succession succession;
	struct services services;
	struct daemons daemons;
	struct alarms alarms;
	struct chores chores;
	struct vassals vassals;
	struct balancers balancers;
	struct relay relay;
	struct logmaster log;
	struct pulse pulse;
	struct takeover takeover;
	struct watch signals; /* a signalfd */
	struct signal_meanings meanings;
	struct hooks_kept at_exit;
	ev_timer timer; /* the next deadline */
	bool dismissed; /* no generation is left: what is beside them is to end */
};

#endif
