/* SPDX-License-Identifier: MIT */
/* slot.h: one process of a generation, a worker or a gateway, and its life as a table.  Who is
 * overdue or has to leave is decided in roster.c; generation.c turns actions into fork and kill. */
#ifndef UWSGI_SLOT_H
#define UWSGI_SLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum slot_state {
	SLOT_VACANT,
	SLOT_STARTING, /* wanted or forked, not accepting yet */
	SLOT_SERVING,
	SLOT_LEAVING, /* asked to finish and end */
	SLOT_KILLED,  /* SIGKILL is sent, the process is not reaped yet */
	SLOT_STATES
};

enum slot_event {
	SLOT_WANTED,
	SLOT_READY,   /* its lanes accept */
	SLOT_LEAVE,   /* it is to finish and end */
	SLOT_OVERDUE, /* it had its time */
	SLOT_DIED,    /* reaped, or never forked */
	SLOT_EVENTS
};

enum slot_action {
	SLOT_NOTHING,
	SLOT_FORK,
	SLOT_ASK, /* tell it to leave */
	SLOT_KILL,
	SLOT_REPORT, /* it ended though nobody asked it to */
	SLOT_BUG,    /* the caller must not let this happen */
};

struct slot {
	enum slot_state state;
	int place;          /* 1..: whose work it does, see roster.h; 0: none yet */
	char name[80];      /* "worker 1", "http 1"; for people */
	bool replace;       /* leaves as soon as another process serves in its place */
	bool goes_first;    /* … or at once: its successor is started when it is gone */
	bool exhausted;     /* it asked to be replaced when that was not possible yet */
	int64_t since_ms;   /* when the state began */
	int64_t kill_at_ms; /* LEAVING: the end of its mercy */
	pid_t pid;          /* 0: not forked yet */
};

/* The next state; *action says what the caller must do. */
enum slot_state slot_next(enum slot_state, enum slot_event, enum slot_action *action);
/* The same for a slot.  An event that cannot happen in its state is the caller's fault. */
enum slot_action slot_move(struct slot *, enum slot_event, int64_t now_ms);
const char *slot_state_name(enum slot_state);

#endif
