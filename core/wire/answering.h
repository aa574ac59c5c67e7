/* SPDX-License-Identifier: MIT */
/* answering.h: a connection while its response is to come: in a later turn of the loop than the
 * request, which a gateway passed on, or which an application runs beside others. */
#ifndef UWSGI_ANSWERING_H
#define UWSGI_ANSWERING_H

#include "wire/connection.h"

void answering_init(struct clients *);
/* Its request has been run, and is to be answered later. */
void answering_begin(struct connection *);
/* Runs its request for a host with ended(), whatever of the body is there. */
void answering_run(struct connection *);
/* The response has ended. */
void answering_end(struct connection *);
/* Nothing goes on until the peer takes or sends something. */
bool answering_waits_for_peer(const struct connection *);

/* What its io and timer say. */
void answering_on_io(struct connection *, int events);
void answering_on_deadline(struct connection *);
/* There is more to send than the kernel has taken. */
void answering_on_unsent(struct connection *);

#endif
