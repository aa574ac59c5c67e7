/* SPDX-License-Identifier: MIT */
/* outcome.h: how a reload went, told by the master to the commands that asked for it.  A command
 * sends its signal with a random ticket, and listens on an abstract UNIX socket named after that. */
#ifndef UWSGI_OUTCOME_H
#define UWSGI_OUTCOME_H

#include "base/carry.h"

enum outcome_kind {
	OUTCOME_NONE,      /* nothing there, or nothing from the master */
	OUTCOME_UNDER_WAY, /* the signal has come */
	OUTCOME_DONE,
	OUTCOME_FAILED,
};

struct sockaddr_un;

/* The abstract name that belongs to a ticket; returns its length. */
unsigned outcome_name(uint64_t ticket, struct sockaddr_un *);
/* A random one, never 0.  False: not possible. */
bool outcome_draw(uint64_t *ticket);

/* ---- the master's side: never blocks ---- */

/* More commands than these are not answered; they then go by what the log says. */
enum { OUTCOME_ASKERS = 32 };

struct outcomes {
	struct asker {
		uint64_t ticket;
		bool begun; /* its reload is the one under way */
	} askers[OUTCOME_ASKERS];
	size_t count;
	uint64_t told[OUTCOME_ASKERS]; /* tickets of those told last, in a circle */
	size_t told_at;
};

/* A signal has come that asks for a reload, with a ticket, or 0: nobody wants to know.  Says
 * that it has come.  False: the same was asked for already, be it done or not. */
bool outcome_ask(struct outcomes *, uint64_t ticket);
/* A reload begins: it is that of all who have asked so far. */
void outcome_begin(struct outcomes *);
/* It has ended; text is one sentence: why it failed, or a remark about how it was done; "": none. */
void outcome_end(struct outcomes *, enum outcome_kind, const char *text);
/* There will be no more reloads, and why. */
void outcome_end_all(struct outcomes *, enum outcome_kind, const char *text);

/* To another program. */
void outcomes_carry(struct outcomes *, struct carry *);

/* ---- the command's side ---- */

/* A socket to poll for reading, the caller's to close, and its ticket; or -1. */
int outcome_listen(uint64_t *ticket, struct error *);
/* Does not wait.  Only words of this process count, which the kernel vouches for. */
enum outcome_kind outcome_read(int fd, pid_t master, struct error *text);

#endif
