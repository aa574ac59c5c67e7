/* SPDX-License-Identifier: MIT */
/* gather.h: one order to several workers, and what they answer. */
#ifndef INSPECT_GATHER_H
#define INSPECT_GATHER_H

#include "inspect.h"

#include <ev.h>

/* One worker's answer. */
struct part {
	struct gather *all;
	int worker;
	pid_t pid;
	ev_io io; /* its descriptor as long as `waits` */
	bool waits;
	bool whole; /* all of it came */
	bool late;  /* it had not ended when the time was over */
	char *text; /* owned, ended with a zero; NULL: nothing came */
	size_t n, room;
};

struct gather {
	struct client *client;
	bool known; /* as struct asked's */
	ev_timer deadline;
	struct part *parts;
	size_t count, waiting, bytes;
	/* All have answered, or the time is over: answers the client, which ends the gathering. */
	void (*done)(struct gather *);
	/* The client has left, or was answered; before the memory goes.  NULL: nothing to do. */
	void (*over)(struct gather *);
	void *data;
};

/* Asks all processes of workers, or those of one (0: all), for so many seconds.  NULL: the client was told
 * why that is not possible. */
struct gather *gather_begin(const struct gather *, const struct order *, int worker,
			    double seconds);
/* After the client was answered. */
void gather_end(struct gather *);

/* A number of the request's query; initial: it is not there.  False: it is there, and no number from min
 * to max. */
bool query_number(struct slice query, struct slice name, long initial, long min, long max,
		  long *value);
/* A parameter of the query, as it stands there; {NULL, 0}: it is not there. */
struct slice query_find(struct slice query, struct slice name);

#endif
