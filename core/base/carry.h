/* SPDX-License-Identifier: MIT */
/* carry.h: the state of a process on its way to the program that takes its place: values, in memory
 * that has a descriptor, and descriptors that stay open.  One function of each noun both writes and
 * reads its part, so that the two cannot differ.  Nothing that is read is believed: values have bounds,
 * and after the first failure all that is read is the least that may be. */
#ifndef UWSGI_CARRY_H
#define UWSGI_CARRY_H

#include "base/arena.h"

struct carry {
	bool reading;
	bool rehearsal; /* reading in a process that only tries whether it could: it changes nothing */
	bool failed;
	struct error error; /* the first failure */
	char *p;            /* owned */
	size_t n, size;     /* reading: at which byte, of how many; writing: how many, room for */
	int *fds;           /* owned, the numbers alone: of what was written */
	size_t fd_count;
};

/* ---- as a whole ---- */

/* To be written. */
void carry_begin(struct carry *);
/* What was written, in memory that nobody can change any more.  form: a hash of the layouts that its
 * reader must have, too.  The descriptor is the caller's; -1 with the reason. */
int carry_send(struct carry *, uint64_t form, struct error *);
/* To be read from that memory, which stays the caller's.  Returns -1 with the reason. */
int carry_receive(struct carry *, int fd, uint64_t form, struct error *);
/* All was read, and nothing failed.  Returns -1 with the reason. */
int carry_end(struct carry *, struct error *);
void carry_fini(struct carry *);
/* Whether the descriptors that were written stay open when this process executes a program. */
void carry_keep_open(const struct carry *, bool);

/* ---- a value: written as it is, or read ---- */

void carry_number(struct carry *, int64_t *, int64_t least, int64_t most);
void carry_int(struct carry *, int *, int least, int most);
void carry_bool(struct carry *, bool *);
/* Any. */
void carry_u64(struct carry *, uint64_t *);
/* A point in time, or a time span; 0 and more. */
void carry_ms(struct carry *, int64_t *);
/* At most `most`; what it counts follows. */
size_t carry_count(struct carry *, size_t count, size_t most);
/* A string in a buffer of its own. */
void carry_text(struct carry *, char *text, size_t size);
/* A string that is not NULL; what is read is in the arena. */
void carry_string(struct carry *, const char **, struct arena *);
void carry_timespec(struct carry *, struct timespec *);
/* Bytes that are the reader's to free, with a zero behind them; p NULL: there are none. */
void carry_bytes(struct carry *, char **p, size_t *n, size_t most);
/* An open descriptor above that of standard error, or -1.  What is read is the reader's, and closed when it
 * executes a program. */
void carry_fd(struct carry *, int *fd);
/* What was carried cannot be right.  The first reason is kept. */
void carry_fail(struct carry *, const char *fmt, ...) UWSGI_PRINTF(2, 3);

#endif
