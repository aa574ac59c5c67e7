/* SPDX-License-Identifier: MIT */
/* reign.h: a generation with the processes and things that belong to it.  The master starts one
 * at its start and one for each reload. */
#ifndef UWSGI_REIGN_H
#define UWSGI_REIGN_H

#include "channel.h"
#include "config.h"
#include "generation.h"
#include "limit.h"
#include "loader.h"
#include "scoreboard.h"

#include <ev.h>

struct reign;

/* What the master wants to know; called while the loop turns. */
struct reign_host {
	/* A message came, its worker's slot or NULL for the zygote. */
	void (*message)(void *host, struct reign *, struct slot *, const struct message *);
	struct ev_loop *loop;
	void *data;
};

struct reign {
	struct generation gen;
	struct reign *next; /* older ones, in the master's list */
	const struct reign_host *host;
	struct config *config;        /* owned */
	struct listeners listeners;   /* owned; shared descriptors are closed by the last owner */
	struct scoreboard scoreboard; /* owned */
	int handover[2]; /* idle connections between lanes; -1: there is one lane only */
	const struct limits_settings *limits;
	const struct reign_setup *setup;
	pid_t zygote; /* 0: none */
	int zygote_channel;
	ev_io zygote_io, *slot_io; /* slot_io: [gen.slot_count] */
	int64_t began_ms;
	int64_t drained_by_ms; /* the end of everyone's mercy; 0: it does not drain */
	bool is_reload, is_last;
	char failure[512]; /* why it failed, once that is known */
};

/* What the children of every reign are given. */
struct reign_setup {
	const struct loader *loader;
	struct tally *tally;
	const char *start_folder;
	/* In a new child, before it is one of this reign: closes what is not its own. */
	void (*forked)(void *data, const struct reign *);
	void *data;
};

/* Takes over config and listeners, also when it fails (then sockets that heir does not have are
 * closed).  number: 1 for the first one. */
struct reign *reign_new(const struct reign_host *, const struct reign_setup *, struct config *,
			struct listeners *, int number, const struct reign *heir, struct error *);
/* Forks the zygote, which begins to import at once. */
int reign_start(struct reign *, struct error *);
/* All its processes must be gone.  Sockets that `heir` does not have are closed; with unlink
 * their paths are removed (heir: NULL, none is kept). */
void reign_free(struct reign *, const struct reign *heir, bool unlink);

/* Moves a slot and does what follows: fork, ask, kill.  Returns the action. */
enum slot_action reign_apply(struct reign *, struct slot *, enum slot_event);
/* Asks all to leave within mercy_s.  is_last: no other generation serves, so workers are asked when
 * no gateway needs them any more. */
void reign_drain(struct reign *, long long mercy_s, bool is_last);
/* Kills zygote and workers. */
void reign_kill(struct reign *);
/* Reads what zygote and workers have sent, before their deaths are looked at. */
void reign_read_messages(struct reign *);
/* The worker with this pid, or NULL. */
struct slot *reign_find(struct reign *, pid_t);
/* Its process is reaped: closes its channel and makes the slot vacant. */
enum slot_action reign_bury(struct reign *, struct slot *);
/* The same for the workers that the zygote was asked for and did not get to fork. */
void reign_bury_unborn(struct reign *);
/* The first reason is kept. */
void reign_note_failure(struct reign *, const char *why);
/* The zygote's news: MESSAGE_IMPORTED, MESSAGE_FORKED. */
void reign_note_imported(struct reign *, const struct message *);
void reign_note_forked(struct reign *, const struct message *);
/* A line for each process. */
void reign_print_status(const struct reign *);
/* Looks at every worker's memory and running requests, and replaces or kills by the limits. */
void reign_enforce_limits(struct reign *);
/* Whether that has to be done at all, once a second. */
bool reign_has_limits(const struct reign *);
/* Closes the master's ends, in a child. */
void reign_close_channels(struct reign *);
/* Closes in a child of `kept` what it does not share with that. */
void reign_close_sockets(struct reign *, const struct reign *kept);

#endif
