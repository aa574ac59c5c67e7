/* SPDX-License-Identifier: MIT */
/* intake.h: how the requests of a connection come in. */
#ifndef UWSGI_INTAKE_H
#define UWSGI_INTAKE_H

#include "wire/connection.h"

/* Of a new connection bytes may be there: reads them now, or queues it as one of the slow. */
void intake_start(struct connection *);
/* It comes from another lane, where this much was read ahead. */
void intake_resume(struct connection *, struct slice input);
/* Reads what is there, and runs the request if it is whole and not expected to take long. */
void intake_read(struct connection *);
/* Goes on with what was read before. */
void intake_go_on(struct connection *);
/* Runs the request of one that is READY. */
void intake_run(struct connection *);

/* What libev calls for a connection. */
extern const struct connection_events intake_events;

#endif
