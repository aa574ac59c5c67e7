/* SPDX-License-Identifier: MIT */
/* jobs.h: commands that the master runs once and does not wait for: cron's, those of touched files. */
#ifndef UWSGI_JOBS_H
#define UWSGI_JOBS_H

#include "base/carry.h"
#include "process/attached.h"

#include <signal.h>
#include <sys/queue.h>
#include <sys/types.h>

struct job {
	TAILQ_ENTRY(job) link;
	struct attached what; /* owns its text */
	char name[24];
	int number; /* the caller's, for jobs_of() */
	pid_t pid;
	int64_t began_ms, kill_at_ms; /* 0: it may take what it takes */
	int64_t limit_ms;             /* why it is killed at kill_at_ms; 0: it was asked to end */
	bool asked, killed;
};

TAILQ_HEAD(job_list, job);

struct jobs {
	/* Forks the process of one with the configuration in force: its pid, or -1 with errno. */
	pid_t (*fork)(void *data, const struct attached *, const char *name);
	void *data;
	struct job_list list;
};

/* What to run, all of it copied. */
struct job_order {
	const char *command, *name; /* name: for the log; "cron 1" */
	bool is_action;             /* the command is one of a hook, "write:/x y" */
	int number;
	int64_t limit_ms; /* it is killed after that time; 0: never */
	const char *why;  /* for the log, or "" */
};

void jobs_init(struct jobs *);
/* Returns its pid; -1: it could not be started, which the log says. */
pid_t jobs_run(struct jobs *, const struct job_order *, int64_t now_ms);
/* The youngest that runs of those with this number; NULL: there is none. */
const struct job *jobs_of(const struct jobs *, int number);
/* Kills those whose time is over.  When to call it again; 0: when something has happened. */
int64_t jobs_step(struct jobs *, int64_t now_ms);
/* A child has ended and is not reaped yet.  False: it was none of these. */
bool jobs_ended(struct jobs *, const siginfo_t *, int64_t now_ms);
/* All are asked to end, and killed at that time, which may be said again. */
void jobs_dismiss(struct jobs *, int64_t kill_at_ms);
bool jobs_are_gone(const struct jobs *);
/* For the program that takes this one's place. */
void jobs_carry(struct jobs *, struct carry *);
void jobs_fini(struct jobs *);

#endif
