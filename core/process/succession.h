/* SPDX-License-Identifier: MIT */
/* succession.h: the generations of a server: one that serves, one that starts, older ones that
 * drain; and how one follows the other.  A reload never touches what serves before the new one
 * accepts. */
#ifndef UWSGI_SUCCESSION_H
#define UWSGI_SUCCESSION_H

#include "process/announce.h"
#include "process/drain.h"
#include "process/logmaster.h"

/* What a reload begins with; all are the caller's. */
struct succession_setup {
	const struct invocation *invocation; /* read again for each reload */
	struct loader *loader;
	/* As struct master_setup's. */
	struct config *(*load)(const struct invocation *, struct loader *, struct report *);
	struct logmaster *log;
	struct announcer *announcer;
	/* This configuration is in force from now on, or will be when its application is imported;
	 * NULL: none any more. */
	void (*in_force)(void *data, const struct config *);
	/* Requests are accepted with this configuration, for the first time or again. */
	void (*serves)(void *data, const struct config *);
	/* TERM: others serve from now on.  True: succession_told() is called when they know. */
	bool (*drains)(void *data, const struct config *);
	/* There is one more generation. */
	void (*begun)(void *data, const struct generation *);
	/* A reload is to begin.  True: the program itself has changed, and it will be known later
	 * whether it is executed: succession_go_on(). */
	bool (*replace)(void *data, const struct cause *);
	void *data;
};

struct succession {
	const struct succession_setup *setup;
	struct generation_host *host;
	struct generation *generations; /* newest first */
	/* Among them, or NULL.  A first one that nobody waits for any more, because a reload was
	 * asked for, is the serving one, as far as it serves. */
	struct generation *serving, *starting;
	int count; /* of generations so far */
	bool reload_wanted, stopping;
	bool paused;  /* no worker runs; new connections wait */
	bool at_once; /* stopping: what is running has a second */
	struct drain drain;
	bool tells;           /* stopping: on-drain runs */
	int64_t resume_by_ms; /* stopping: workers come again first, at most until then */
	bool waits; /* for the answer of `replace`, as if a reload were under way */
	struct cause wanted_by;
	unsigned failed_repairs; /* in a row: imports for a lost zygote */
	int64_t repair_at_ms;
	int64_t mercy_ms; /* stopping: what processes have that are left */
	int exit_code;    /* of the server, when no generation is left */
};

void succession_init(struct succession *, const struct succession_setup *,
		     struct generation_host *);
/* The first generation.  Owns config and listeners even when it fails. */
int succession_begin(struct succession *, struct config *, struct listeners *, struct error *);
/* At once, or when the one that is under way has ended. */
void succession_reload(struct succession *, const struct cause *);
/* The same, but with lazy-apps the workers are replaced one after the other, with the configuration they
 * have. */
void succession_chain_reload(struct succession *, const struct cause *);
/* The program stays the same; the reload that waited for it begins. */
void succession_go_on(struct succession *, const struct cause *);
/* To another program; there succession_resume() follows. */
void succession_carry(struct succession *, struct carry *);
/* What was carried goes on, and the reload begins because of which the program was replaced. */
void succession_resume(struct succession *, const struct cause *);
/* Whether a reload could begin, as far as that can be told without beginning it.  -1 with the reason. */
int succession_rehearse(struct succession *, struct error *);
/* now: what is running has a second.  A second time ends all at once. */
void succession_stop(struct succession *, const struct cause *, bool now);
/* After drains(): now drain-delay begins. */
void succession_told(struct succession *);
/* Does all that is due.  Returns when to call it again; 0: when something has happened.  The server
 * has ended when no generation is left. */
int64_t succession_step(struct succession *);
/* A child has ended and is not reaped yet. */
void succession_ended(struct succession *, const siginfo_t *);
/* Of the process; NULL: it is none of theirs. */
const char *succession_name(const struct succession *, pid_t);
/* That of the serving generation, or of the one that will serve; NULL: none is left. */
const struct config *succession_config(const struct succession *);
/* Of all generations, the newest first; NULL: there are no more than i. */
const struct scoreboard *succession_scoreboard(const struct succession *, size_t i);
/* Of the generation with that configuration. */
const struct listeners *succession_listeners(const struct succession *);
const struct metrics *succession_metrics(const struct succession *);
/* So many workers more or fewer. */
void succession_resize(struct succession *, int by, const struct cause *);
/* No worker until a client connects. */
void succession_sleep(struct succession *, const struct cause *);
/* No worker until this is said again. */
void succession_pause(struct succession *, const struct cause *);
/* A line for each process. */
void succession_print_status(const struct succession *);
/* In a new child of `own`: closes what that does not have. */
void succession_enter_child(struct succession *, const struct generation *own);

#endif
