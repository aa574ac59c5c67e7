/* SPDX-License-Identifier: MIT */
/* slot.h: the life of a worker process as a table.  Who says overdue or leave is decided
 * elsewhere; the master turns actions into fork and kill. */
#ifndef UWSGI_SLOT_H
#define UWSGI_SLOT_H

enum slot_state {
	SLOT_VACANT,
	SLOT_STARTING, /* forked, not accepting yet */
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
	SLOT_DIED,    /* reaped */
	SLOT_EVENTS
};

enum slot_action {
	SLOT_NOTHING,
	SLOT_FORK,
	SLOT_ASK, /* tell it to leave */
	SLOT_KILL,
	SLOT_REPORT, /* it ended though nobody asked it to */
	SLOT_BUG,    /* cannot happen */
};

/* The next state; *action says what the caller must do. */
enum slot_state slot_next(enum slot_state, enum slot_event, enum slot_action *action);
const char *slot_state_name(enum slot_state);

#endif
