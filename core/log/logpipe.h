/* SPDX-License-Identifier: MIT */
/* logpipe.h: the way of the master's own lines to the log, which must not make it wait; with
 * log-master that of all lines: the other processes have a pipe as their standard output and
 * standard error, and the master writes what comes out of it. */
#ifndef UWSGI_LOGPIPE_H
#define UWSGI_LOGPIPE_H

#include "log/logfile.h"
#include "log/logstream.h"

#include <ev.h>

/* Zeroed it is closed: every function but logpipe_open() does nothing then. */
struct logpipe {
	struct ev_loop *loop;
	struct logfile *file;
	int ends[2]; /* -1: there is no pipe */
	ev_io readable, writable;
	ev_timer pause; /* lines that come meanwhile are written at once */
	char *buffer;   /* [begin, end) is still to write */
	size_t begin, end, size;
	struct logstream *stream; /* what lines go through first; NULL: nothing */
	char *unsplit;            /* with a stream: what has come of a line that is not whole */
	size_t unsplit_n, capacity;
	struct text passed;
	bool cut;         /* the buffer was filled: its last line may go on in the pipe */
	struct text own;  /* lines of the master itself, behind what is in the pipe */
	int own_waits;    /* for so many portions of the pipe */
	bool writing;     /* own lines that are said meanwhile have to wait */
	bool inside_line; /* the last byte written was no newline */
	bool broken;      /* and the rest of that line is lost */
	uint64_t lost;    /* bytes that could not be written */
	int why_lost;     /* errno */
};

/* Without a pipe.  Returns -1 with the reason. */
int logpipe_open(struct logpipe *, struct ev_loop *, struct logfile *, struct error *);
/* For the processes that are forked from now on; nothing happens when there is one.  capacity: how
 * much is taken out of it at once. */
int logpipe_open_pipe(struct logpipe *, size_t capacity, struct error *);
/* The master's own lines go through it from now on, too. */
void logpipe_take_own(struct logpipe *);
/* The stream is the caller's; NULL: lines are written as they are. */
void logpipe_use(struct logpipe *, struct logstream *);
/* In a new child of the master: standard output and standard error are the pipe if there is one, or
 * the lines of requests go into it. */
void logpipe_enter_child(struct logpipe *);
void logpipe_enter_child_for_requests(struct logpipe *);
/* Writes what has come; does not wait. */
void logpipe_drain(struct logpipe *);
/* Writes the rest, and waits a moment for that; lines go to standard error again. */
void logpipe_close(struct logpipe *);

#endif
