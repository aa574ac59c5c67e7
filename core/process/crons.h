/* SPDX-License-Identifier: MIT */
/* crons.h: the commands that run by the clock (cron).  The master's. */
#ifndef UWSGI_CRONS_H
#define UWSGI_CRONS_H

#include "base/ring.h"
#include "process/crontab.h"
#include "process/jobs.h"

struct cron {
	TAILQ_ENTRY(cron) link;
	struct crontab_entry what;
	char *text; /* owned: `what` points into it */
	int number; /* 1.. */
	bool named; /* the configuration in force has it */
	pid_t told; /* the process that it waits for, which the log knows */
	struct cron_status shown;
	uint64_t row; /* what others see of it */
};

TAILQ_HEAD(cron_list, cron);

struct crons {
	struct jobs *jobs;
	struct cron_list list;
	const struct config *used; /* only to be compared */
	struct ring ring;          /* struct cron_status of each */
	int count;                 /* of all so far */
	char *own_zone;            /* TZ as the server was started with; NULL: it had none */
	bool runs;                 /* there was a first look */
	struct crontime_clock clock;
	int64_t looked_ms; /* at the last look, by a clock that nobody can set */
};

struct crons_now {
	int64_t wall_ms; /* since 1970 */
	int64_t boot_ms; /* of a clock that goes on while the machine sleeps */
	int64_t now_ms;  /* monotonic: of jobs and deadlines */
};

/* Memory, shared with services, in which they see the commands. */
size_t crons_memory_size(void);
struct ring crons_ring(void *memory);
void crons_init(struct crons *, struct jobs *, struct ring);
/* This configuration is in force: its entries, and where it sets TZ, that zone.  What runs goes on. */
void crons_use(struct crons *, const struct config *);
/* Runs what is due.  When to call it again; 0: when something has happened.  The first time, what is due in
 * this minute runs, too. */
int64_t crons_step(struct crons *, const struct crons_now *);
/* A job has ended. */
void crons_show(struct crons *);
/* For the program that takes this one's place; behind it, crons_use() finds its entries. */
void crons_carry(struct crons *, struct carry *);
void crons_fini(struct crons *);

#endif
