/* SPDX-License-Identifier: MIT */
/* logpipe.h: the way of all lines through the master (log-master): the other processes have a
 * pipe as their standard output and standard error, the master writes what comes out of it. */
#ifndef UWSGI_LOGPIPE_H
#define UWSGI_LOGPIPE_H

#include "logfile.h"
#include "text.h"

#include <ev.h>

/* Zeroed it is closed: every function but logpipe_open() does nothing then. */
struct logpipe {
	struct ev_loop *loop;
	struct logfile *file;
	int ends[2];
	ev_io readable, writable;
	char *buffer; /* [begin, end) is still to write */
	size_t begin, end, capacity;
	bool cut;         /* the buffer was filled: its last line may go on in the pipe */
	struct text own;  /* lines of the master itself, behind what is in the pipe */
	int own_waits;    /* for so many portions of the pipe */
	bool writing;     /* own lines that are said meanwhile have to wait */
	bool inside_line; /* the last byte written was no newline */
	uint64_t lost;    /* bytes that could not be written */
	int why_lost;     /* errno */
};

/* From now on the master's own lines go through it, too.  Returns -1 with the reason. */
int logpipe_open(struct logpipe *, struct ev_loop *, struct logfile *, size_t capacity,
		 struct error *);
/* In a new child of the master: standard output and standard error are the pipe. */
void logpipe_enter_child(struct logpipe *);
/* Writes what has come; does not wait. */
void logpipe_drain(struct logpipe *);
/* Writes the rest, and waits a moment for that; lines go to standard error again. */
void logpipe_close(struct logpipe *);

#endif
