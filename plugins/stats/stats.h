/* SPDX-License-Identifier: MIT */
/* stats.h: what the files of this plugin know of one another. */
#ifndef STATS_H
#define STATS_H

#include <uwsgi/plugin.h>

#include "report.h"

#include <ev.h>

struct settings {
	struct option_list addresses, emperor_addresses;
	bool http;
	struct report_form form;
};

/* ---- clients.c ---- */

enum { CLIENTS_MAX = 16 };

struct clients;

/* One that is being told.  text == NULL: the place is free. */
struct client {
	struct clients *all;
	ev_io io;
	ev_timer deadline;
	char *text; /* owned */
	size_t sent, length;
	bool asked; /* it has said something, or had the time to */
};

struct clients {
	const struct settings *settings;
	const struct status *status;
	struct ev_loop *loop;
	struct listening {
		ev_io io;
		bool of_emperor; /* it asks for vassals */
	} * listening;           /* [listening_count] */
	size_t listening_count;
	struct client client[CLIENTS_MAX];
	size_t next; /* whose place is taken when none is free: the oldest one's */
};

int clients_init(struct clients *, const struct service_setup *, const struct settings *,
		 struct error *);
void clients_fini(struct clients *);

#endif
