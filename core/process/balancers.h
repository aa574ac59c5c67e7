/* SPDX-License-Identifier: MIT */
/* balancers.h: load balancers are told by commands of the configuration that the server serves and
 * that it drains (on-ready, on-drain).  The master's. */
#ifndef UWSGI_BALANCERS_H
#define UWSGI_BALANCERS_H

#include "process/announce.h"
#include "process/errand.h"
#include "process/succession.h"

struct balancers {
	struct announcer *announcer; /* who else is told when they know */
	struct succession *succession;
	struct errand on_ready, on_drain;
	bool was_ready; /* on-ready was run, or there was none */
};

void balancers_init(struct balancers *, struct announcer *, struct succession *,
		    pid_t (*fork)(void *data, const char *command, const char *name), void *data);
/* The server serves with this configuration.  The first time, the service manager hears of it when
 * on-ready has ended. */
void balancers_serve(struct balancers *, const struct config *);
/* It drains.  True: succession_told() is called when on-drain has ended. */
bool balancers_drain(struct balancers *, const struct config *);
/* Nobody is told any more. */
void balancers_break_off(struct balancers *);
/* Does what is due; *due_ms becomes earlier where needed.  True: the succession may go on. */
bool balancers_step(struct balancers *, int64_t *due_ms);
/* A child has ended.  False: it was no command of these. */
bool balancers_ended(struct balancers *, const siginfo_t *);
/* To another program; no command runs. */
void balancers_carry(struct balancers *, struct carry *);
void balancers_fini(struct balancers *);
/* No command runs. */
bool balancers_are_told(const struct balancers *);

#endif
