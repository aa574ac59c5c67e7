/* SPDX-License-Identifier: MIT */
/* generation.h: one configuration with its sockets and its processes: the zygote, the workers, the
 * gateways.  The master starts one at its start and one for each reload, and learns four things of
 * it: it is ready, it failed, it wants a reload, it is gone. */
#ifndef UWSGI_GENERATION_H
#define UWSGI_GENERATION_H

#include "work/channel.h"
#include "settings/config.h"
#include "process/cells.h"
#include "process/budget.h"
#include "process/elastic.h"
#include "process/limit.h"
#include "work/loader.h"
#include "wire/migrate.h"
#include "process/rolling.h"
#include "process/roster.h"
#include "work/scoreboard.h"
#include "wire/watch.h"

#include <signal.h>

struct generation;

/* The system calls of a generation; a test has others. */
struct generation_calls {
	/* Fork a process that speaks over this end of its channel: its pid, or -1 with errno. */
	pid_t (*fork_zygote)(const struct generation *, int channel);
	pid_t (*fork_gateway)(const struct generation *, const struct slot *, int channel);
	int (*kill)(pid_t, int);
	/* Whether it is a child of this process, alive or not reaped yet. */
	bool (*is_child)(pid_t);
	int64_t (*now_ms)(void);
};

/* What all generations of a master share. */
struct generation_host {
	struct ev_loop *loop;
	const struct generation_calls *calls;
	const struct loader *loader;
	struct totals *totals;
	struct cells *cells;
	struct cgroup *cgroup; /* of the server; NULL: none is looked at */
	/* Connections of whoever leaves, for whoever stays; they outlive a generation. */
	struct migrate_queue workers_left, gateways_left;
	/* A message has come: generation_step() is to be called soon, but not from here. */
	void (*wake)(void *data);
	void *data;
};

enum generation_state {
	GENERATION_STARTING, /* until the application is imported and all its processes accept */
	GENERATION_SERVING,
	GENERATION_DRAINING, /* a newer one serves, it failed, or the server stops */
};

enum generation_news {
	GENERATION_QUIET,
	GENERATION_READY,        /* from now on it serves */
	GENERATION_FAILED,       /* it never will, and is coming to its end.  why, exit_code */
	GENERATION_WANTS_RELOAD, /* its zygote is lost, or the application was changed.  why */
	GENERATION_ROLLED,       /* rolling has ended: see there */
	GENERATION_IDLE,         /* nobody has come for idle, with die-on-idle */
	GENERATION_GONE,         /* no process of it is left */
};

struct generation {
	int number;              /* 1, 2, 3, … since the server started */
	struct generation *next; /* older ones, in the master's list */
	enum generation_state state;
	const struct generation_host *host;
	struct config *config;        /* owned */
	struct listeners listeners;   /* owned; shared descriptors are closed by the last owner */
	struct scoreboard scoreboard; /* owned */
	struct metrics metrics;       /* owned */
	struct migrate_queue neighbours; /* between its lanes, where there are several */
	const struct limits_settings *limits;
	struct roster roster;
	struct elastic elastic;
	struct budget budget;
	struct rolling rolling;
	pid_t zygote; /* 0: none */
	/* The master's ends, the second one [roster.slot_count]; io.fd -1: none. */
	struct watch zygote_channel, *slot_channel;
	int64_t began_ms, limits_at_ms;
	bool is_last;   /* it drains because the server stops */
	bool withdrawn; /* … or will soon */
	int64_t end_ms; /* then, how long a connection may be silent */
	bool is_reload; /* another one serves meanwhile */
	bool is_bare;   /* an emperor's that takes no requests: it has neither zygote nor workers */
	bool awaited;   /* somebody waits for the start: not for ever, where no process can */
	bool late;      /* the first one: reload-timeout is over, and that is said */
	bool zygote_killed;
	bool failed, wants_reload; /* not told yet */
	int exit_code;             /* of a failure */
	char said[512];            /* by a process before it gave up, the first one */
	char why[768];
};

/* Whether a configuration with these sockets has an application to run, or vassals.  Returns -1 with the
 * reason. */
int generation_check(const struct loader *, const struct config *, const struct listeners *,
		     struct error *);
/* Owns config and listeners even when it fails; sockets that no list behind `kept` has are closed
 * then (kept: those of the newest other generation, or NULL).  number: 1 for the first one. */
struct generation *generation_new(const struct generation_host *, struct config *,
				  struct listeners *, const struct listeners *kept, int number,
				  struct error *);
/* To another program, which gets a generation that goes on there.  load: makes the configuration of what was
 * set (struct invocation's `given`), with the plugins that it needs; NULL with the reason.  NULL: it is not
 * whole. */
void generation_carry(struct generation *, struct carry *);
struct generation *generation_receive(const struct generation_host *, struct carry *,
				      struct config *(*load)(void *data, const struct directives *,
							     struct error *),
				      void *data);
/* Hears its processes over the channels that are open. */
void generation_resume(struct generation *);
/* Forks the zygote, which begins to import at once. */
int generation_start(struct generation *, struct error *);
/* Does all that is due.  Returns one piece of news: to be called until it says QUIET or GONE (which
 * it then says again).  *due_ms: when to call it again; 0: when something has happened. */
enum generation_news generation_step(struct generation *, int64_t *due_ms);
/* A child of the master has ended and is not reaped yet.  False: it was none of this generation's. */
bool generation_ended(struct generation *, const siginfo_t *);
/* Asks all to leave within mercy_s.  next: who serves from now on; NULL: the server stops.  Where no
 * gateway comes after those of this generation, its workers go on until none needs them.  Without a
 * next one, what waits at the sockets is served, so nobody new may come there: see closing.h. */
void generation_drain(struct generation *, long long mercy_s, const struct generation *next);
/* It serves on, but services see that it leaves. */
void generation_withdraw(struct generation *);
/* Kills all its processes. */
void generation_kill(struct generation *);
/* All its processes must be gone.  Sockets that no list behind `kept` has are closed; with unlink
 * their paths are removed. */
void generation_free(struct generation *, const struct listeners *kept, bool unlink);

/* Whether a lost worker could be replaced. */
bool generation_can_fork(const struct generation *);
/* In a new child of `own` (NULL: of the master itself): closes what this generation has and `own` does
 * not share. */
void generation_close_in_child(struct generation *, const struct generation *own);

#endif
