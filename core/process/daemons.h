/* SPDX-License-Identifier: MIT */
/* daemons.h: the programs that run beside the server (attach-daemon).  The master's. */
#ifndef UWSGI_DAEMONS_H
#define UWSGI_DAEMONS_H

#include "base/ring.h"
#include "process/attached.h"
#include "process/kept.h"
#include "process/touch.h"

#include <sys/queue.h>

struct daemons;

struct daemon {
	TAILQ_ENTRY(daemon) link;
	struct daemons *all;
	struct attached what;
	int number; /* 1.. */
	char name[24];
	bool named;       /* the configuration in force has it */
	struct kept kept; /* one without a pidfile */
	struct touch touch;
	pid_t pid; /* 0: it does not run; with a pidfile: the process that it names, if it is alive */
	unsigned starts;
	uint64_t row;                    /* what others see of it */
	int64_t look_at_ms, start_at_ms; /* of one with a pidfile */
};

TAILQ_HEAD(daemon_list, daemon);

struct daemons {
	struct ev_loop *loop;
	/* Forks the process of one with the configuration in force: its pid, or -1 with errno. */
	pid_t (*fork)(void *data, const struct daemon *);
	/* daemons_step() is to be called soon. */
	void (*wake)(void *data);
	/* The server is to end: one with `control` has. */
	void (*end)(void *data, const char *why);
	void *data;
	struct daemon_list list;
	const struct config *used; /* only to be compared */
	struct ring shown;         /* struct daemon_status of each */
	uint64_t starts;
	int count; /* of all so far */
};

/* Memory, shared with services, where these see what runs. */
size_t daemons_memory_size(void);
struct ring daemons_ring(void *memory);
void daemons_init(struct daemons *, struct ring);
/* This configuration is in force: what it has no more ends, and what it has starts, or starts anew.
 * mercy_ms: how long one may take to end. */
void daemons_use(struct daemons *, const struct config *, int64_t mercy_ms);
/* All are to end, but those with a pidfile. */
void daemons_dismiss(struct daemons *, int64_t mercy_ms);
/* … and at once. */
void daemons_hurry(struct daemons *, int64_t now_ms);
/* Does what is due; when to call it again, 0: when something has happened. */
int64_t daemons_step(struct daemons *, int64_t now_ms);
/* A child has ended.  False: it was none of these. */
bool daemons_ended(struct daemons *, const siginfo_t *, int64_t now_ms);
/* To another program, with the configuration in force.  What runs goes on there. */
void daemons_carry(struct daemons *, const struct config *, struct carry *);
/* Whether none is on its way out. */
bool daemons_are_settled(const struct daemons *);
/* No process is left that is to end with the server. */
bool daemons_are_gone(const struct daemons *);
void daemons_fini(struct daemons *);

#endif
