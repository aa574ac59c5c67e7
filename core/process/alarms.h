/* SPDX-License-Identifier: MIT */
/* alarms.h: the alarms of the server: what raises them, and when each does what it is for.  The master's. */
#ifndef UWSGI_ALARMS_H
#define UWSGI_ALARMS_H

#include "base/carry.h"
#include "base/seldom.h"
#include "base/text.h"
#include "process/alarm.h"
#include "wire/listener.h"
#include "wire/watch.h"

#include <signal.h>
#include <sys/queue.h>

struct alarms;

struct alarm {
	TAILQ_ENTRY(alarm) link;
	char *value; /* owned: of the option; `what` points into it */
	struct alarm_what what;
	struct address to; /* of one by UDP */
	bool named;        /* the configuration in force has it */
	/* What was raised and is not told yet, and what was told last; a line each. */
	struct text waiting, told;
	bool raised;
	unsigned left_out;     /* that had no room in `waiting` */
	int64_t not_before_ms; /* it is told again */
	pid_t pid;             /* of its command; 0: it does not run */
	int64_t kill_at_ms;
};

TAILQ_HEAD(alarm_list, alarm);

struct alarms {
	struct ev_loop *loop;
	/* Forks a process that runs the command with the text to be read from input: its pid, or -1
	 * with errno. */
	pid_t (*fork)(void *data, const char *command, const char *name, int input);
	/* alarms_step() is to be called soon. */
	void (*wake)(void *data);
	void *data;
	struct alarm_list list;
	struct alarm_rule *rules; /* of log-alarm and not-log-alarm */
	struct alarm_watch *fds;
	size_t rule_count, fd_count;
	struct alarm_settings settings; /* the numbers of the configuration in force */
	char *segfault, *backlog;       /* names, separated by commas; NULL: none */
	const struct config *used;      /* only to be compared */
	int ends[2];                    /* what other processes raise comes here; -1: closed */
	struct watch heard;
	struct seldom unknown;  /* other processes raise alarms that do not exist */
	int udp[2];             /* sockets for IPv4 and IPv6; -1: none is needed yet */
	bool speaking, hurried; /* it says a line itself; alarm-freq does not count any more */
	int64_t look_at_ms;     /* at the queues of sockets */
	unsigned long long overflows;
};

void alarms_init(struct alarms *);
/* Before a process with this configuration is forked: what it raises will be heard. */
void alarms_expect(struct alarms *, const struct config *);
/* This configuration is in force: alarms that it has, too, go on. */
void alarms_use(struct alarms *, const struct config *);
/* The server stops: nothing waits for alarm-freq any more. */
void alarms_hurry(struct alarms *);
/* Whether lines of the log are to be shown to alarms_see(). */
bool alarms_want_lines(const struct alarms *);
/* A line of the log: alarms whose rules match are raised.  Does nothing else, so any time is right. */
void alarms_see(void *alarms, struct slice line);
/* A process of the server has ended so. */
void alarms_crashed(struct alarms *, const char *name, const siginfo_t *);
/* A child has ended.  False: it was no command of an alarm. */
bool alarms_ended(struct alarms *, const siginfo_t *);
/* Does what is due; sockets: those that serve, or NULL.  When to call it again, 0: when something has
 * happened. */
int64_t alarms_step(struct alarms *, const struct listeners *sockets, int64_t now_ms);
/* To another program, with the configuration in force, which it has then, too. */
void alarms_carry(struct alarms *, const struct config *, struct carry *);
void alarms_enter_child(struct alarms *);
/* Commands that run go on. */
void alarms_fini(struct alarms *);

#endif
