/* SPDX-License-Identifier: MIT */
/* services.h: the services of this server, which go on through reloads.  The master's. */
#ifndef UWSGI_SERVICES_H
#define UWSGI_SERVICES_H

#include "base/metrics.h"
#include "process/kept.h"
#include "work/channel.h"
#include "work/loader.h"
#include "work/scoreboard.h"

struct services;

/* One service: a place that one process fills, and its successor when it dies. */
struct service_place {
	struct kept kept; /* made of its options and the sockets */
	struct services *all;
	const struct plugin *plugin;
	struct watch channel[2];
};

struct services {
	struct ev_loop *loop;
	const struct loader *loader;
	/* Forks a process that runs the service with the configuration in force and speaks over
	 * this channel: its pid, or -1 with errno. */
	pid_t (*fork)(void *data, const struct service *, const char *name, int channel);
	/* One of them gives an order to a worker; the descriptor stays the caller's. */
	void (*relay)(void *data, const struct message *, int fd);
	/* services_step() is to be called soon. */
	void (*wake)(void *data);
	void *data;
	/* The scoreboards of all generations there are; NULL: no more than i. */
	const struct scoreboard *(*board)(void *data, size_t i);
	_Atomic int64_t *beat_ms; /* as struct totals' */
	struct service_place places[LOADER_MAX];
	size_t count;
};

/* This configuration is in force, and those sockets and metrics are its generation's.  Services start
 * anew whose options have changed, and all when sockets or metrics have: each has them from its fork. */
void services_use(struct services *, const struct config *, const struct listeners *,
		  const struct metrics *);
/* There is another generation: those that run see its scoreboard, too. */
void services_show(struct services *, const struct scoreboard *);
/* Whether this configuration has any. */
bool services_are_wanted(const struct loader *, const struct config *);
/* Whether one of them may give orders to workers of this configuration. */
bool services_give_orders(const struct loader *, const struct config *);
/* Of how many percent of the requests one of them wants spans. */
int services_want_spans(const struct loader *, const struct config *);
/* All are to leave. */
void services_dismiss(struct services *);
/* Does what is due; when to call it again, 0: when something has happened. */
int64_t services_step(struct services *, int64_t now_ms);
/* Of the process; NULL: it is no service. */
const char *services_name(const struct services *, pid_t);
/* A child has ended.  False: it was no service. */
bool services_ended(struct services *, const siginfo_t *, int64_t now_ms);
/* No process is left. */
bool services_are_gone(const struct services *);
/* To another program, which replaces those that run: they are this one's. */
void services_carry(struct services *, struct carry *);
/* In a child: closes what is the master's. */
void services_enter_child(struct services *);

#endif
