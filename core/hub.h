/* SPDX-License-Identifier: MIT */
/* hub.h: the connections of one lane together: new ones, whose turn it is, and the end. */
#ifndef UWSGI_HUB_H
#define UWSGI_HUB_H

#include "connection.h"

/* What the configuration says of connections; borrowed. */
struct hub_setup {
	const struct config *config;
	const struct header_rules *rules;
	struct request_limits limits;
	size_t buffer_size;
	const struct listeners *listeners;
	int handover; /* where idle connections may be given away; -1: nowhere */
};

/* loop and host must outlive the hub.  The loop is kept alive by open connections only. */
void hub_init(struct hub *, struct ev_loop *, const struct hub_host *, void *host_data,
	      const struct hub_setup *);
void hub_fini(struct hub *);
/* Takes over an accepted descriptor; its request runs now, or when this turn ends. */
void hub_accept(struct hub *, const struct listener *, int fd, const struct sockaddr *, socklen_t);
/* The next connection that another hub has given away.  False: there is none. */
bool hub_take_over(struct hub *, int queue);
/* Serves those that wait for the others, and frees what was closed; the loop does it in each of its
 * turns. */
void hub_end_turn(struct hub *);
/* From now on every response closes its connection; idle ones may still send one request and are
 * closed soon: for_good, almost at once, because nobody else will serve them. */
void hub_leave(struct hub *, bool for_good);

#endif
