/* SPDX-License-Identifier: MIT */
/* logpipe.h: lines on their way through the master: its own ones, for which it must not wait, and,
 * with log-master, those of all other processes, whose standard output and standard error are a
 * pipe then. */
#ifndef UWSGI_LOGPIPE_H
#define UWSGI_LOGPIPE_H

#include "log/logfile.h"
#include "log/sink.h"

#include <ev.h>

/* Zeroed it is closed: every function but logpipe_open() and logpipe_carry() does nothing then. */
struct logpipe {
	bool carried; /* from another program; it goes on when it is known with which sinks */
	struct ev_loop *loop;
	struct logfile *file;
	struct sinks *sinks; /* what lines go through first; NULL: nothing */
	/* Each line, with its newline; NULL: nobody.  The master's own are seen while they are said. */
	void (*seen)(void *data, struct slice line);
	void *seen_data;
	int ends[2];         /* -1: there is no pipe */
	ev_io readable, writable;
	ev_timer pause; /* lines that come meanwhile are written at once */
	char *in;       /* from the pipe: the beginning of a line */
	size_t in_n, in_size;
	struct text own; /* lines of the master itself, behind what is in the pipe */
	int own_waits;   /* for so many portions of the pipe */
	struct text out; /* what standard error takes next, from written on */
	size_t written;
	bool working;     /* own lines that are said meanwhile have to wait */
	bool inside_line; /* the last byte written was no newline */
	bool broken;      /* and the rest of that line is lost */
	uint64_t lost;    /* bytes that could not be written */
	int why_lost;     /* errno */
};

/* To another program, where it is not open yet: with what is not written. */
void logpipe_carry(struct logpipe *, struct carry *);
/* Without a pipe, but for one that was carried. */
void logpipe_open(struct logpipe *, struct ev_loop *, struct logfile *);
/* For the processes that are forked from now on; nothing happens when there is one.  portion: how
 * much is taken out of it at once, at most 128 KiB.  Returns -1 with the reason. */
int logpipe_open_pipe(struct logpipe *, size_t portion, struct error *);
/* The master's own lines go through it from now on, too. */
void logpipe_take_own(struct logpipe *);
/* The sinks stay the caller's; NULL: lines are written as they are. */
void logpipe_use(struct logpipe *, struct sinks *);
/* Shows all lines to this function from now on; NULL: to none.  It raises alarms. */
void logpipe_show(struct logpipe *, void (*seen)(void *data, struct slice line), void *data);
/* In a new child of the master: standard output and standard error are the pipe if there is one, or
 * the lines of requests go into it. */
void logpipe_enter_child(struct logpipe *);
void logpipe_enter_child_for_requests(struct logpipe *);
/* Writes what has come; does not wait. */
void logpipe_drain(struct logpipe *);
/* Writes the rest, and waits a moment for that; lines go to standard error again. */
void logpipe_close(struct logpipe *);

#endif
