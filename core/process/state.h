/* SPDX-License-Identifier: MIT */
/* state.h: what a master hands to the program that takes its place: sockets, children and what is known of
 * them, memory that they share, the log. */
#ifndef UWSGI_STATE_H
#define UWSGI_STATE_H

#include "base/arena.h"
#include "process/alarms.h"
#include "process/balancers.h"
#include "process/chores.h"
#include "process/daemons.h"
#include "process/pidfile.h"
#include "process/services.h"
#include "process/succession.h"
#include "process/vassals.h"
#include "settings/invocation.h"

/* The parts of a master; all are its own. */
struct state {
	const struct invocation *invocation;
	struct pidfiles *pidfiles;
	struct outliving *outliving;
	struct cells *cells;
	struct generation_host *host;
	struct announcer *announcer;
	struct succession *succession;
	struct services *services;
	struct daemons *daemons;
	struct alarms *alarms;
	struct chores *chores;
	struct vassals *vassals;
	struct balancers *balancers;
	struct logmaster *log;
};

/* A hash of the layouts that master, workers and services share. */
uint64_t state_form(void);
/* Whether all that runs can be handed over just now; if not, that will be so soon. */
bool state_is_settled(const struct state *);
/* All of it.  cause: why. */
void state_write(const struct state *, struct cause *cause, struct carry *);

/* ---- read in this order ---- */

/* words: the memory of what invocation then points to. */
void state_carry_start(struct carry *, struct invocation *, struct arena *words, struct logfile *,
		       struct pidfiles *, struct cause *);
/* What generations need. */
void state_carry_common(const struct state *, struct carry *);
/* The reader's parts are initialized, and have nothing yet. */
void state_carry_processes(const struct state *, struct carry *);

#endif
