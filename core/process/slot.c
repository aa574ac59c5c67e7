/* SPDX-License-Identifier: MIT */
/* slot.c: the table of a process's life.  Pure: no process is touched here. */
#include "process/slot.h"

#include <assert.h>

struct step {
	enum slot_state next;
	enum slot_action action;
};

static const struct step life[SLOT_STATES][SLOT_EVENTS] = {
	[SLOT_VACANT] = {
		[SLOT_WANTED]  = { SLOT_STARTING, SLOT_FORK },
		[SLOT_READY]   = { SLOT_VACANT, SLOT_BUG },
		[SLOT_LEAVE]   = { SLOT_VACANT, SLOT_NOTHING },
		[SLOT_OVERDUE] = { SLOT_VACANT, SLOT_NOTHING },
		[SLOT_DIED]    = { SLOT_VACANT, SLOT_BUG },
	},
	[SLOT_STARTING] = {
		[SLOT_WANTED]  = { SLOT_STARTING, SLOT_NOTHING },
		[SLOT_READY]   = { SLOT_SERVING, SLOT_NOTHING },
		[SLOT_LEAVE]   = { SLOT_LEAVING, SLOT_ASK },
		[SLOT_OVERDUE] = { SLOT_KILLED, SLOT_KILL },
		[SLOT_DIED]    = { SLOT_VACANT, SLOT_REPORT },
	},
	[SLOT_SERVING] = {
		[SLOT_WANTED]  = { SLOT_SERVING, SLOT_NOTHING },
		[SLOT_READY]   = { SLOT_SERVING, SLOT_BUG },
		[SLOT_LEAVE]   = { SLOT_LEAVING, SLOT_ASK },
		[SLOT_OVERDUE] = { SLOT_KILLED, SLOT_KILL },
		[SLOT_DIED]    = { SLOT_VACANT, SLOT_REPORT },
	},
	[SLOT_LEAVING] = {
		[SLOT_WANTED]  = { SLOT_LEAVING, SLOT_NOTHING },
		[SLOT_READY]   = { SLOT_LEAVING, SLOT_NOTHING },
		[SLOT_LEAVE]   = { SLOT_LEAVING, SLOT_NOTHING },
		[SLOT_OVERDUE] = { SLOT_KILLED, SLOT_KILL },
		[SLOT_DIED]    = { SLOT_VACANT, SLOT_NOTHING },
	},
	[SLOT_KILLED] = {
		[SLOT_WANTED]  = { SLOT_KILLED, SLOT_NOTHING },
		[SLOT_READY]   = { SLOT_KILLED, SLOT_NOTHING },
		[SLOT_LEAVE]   = { SLOT_KILLED, SLOT_NOTHING },
		[SLOT_OVERDUE] = { SLOT_KILLED, SLOT_NOTHING },
		[SLOT_DIED]    = { SLOT_VACANT, SLOT_NOTHING },
	},
};

enum slot_state slot_next(enum slot_state state, enum slot_event event, enum slot_action *action)
{
	const struct step *step = &life[state][event];

	*action = step->action;
	return step->next;
}

enum slot_action slot_move(struct slot *slot, enum slot_event event, int64_t now_ms)
{
	enum slot_action action;
	enum slot_state next = slot_next(slot->state, event, &action);

	assert(action != SLOT_BUG);
	if (next != slot->state)
		slot->since_ms = now_ms;
	slot->state = next;
	return action;
}

const char *slot_state_name(enum slot_state state)
{
	static const char *const names[SLOT_STATES] = { "vacant", "starting", "serving", "leaving",
							"killed" };

	return names[state];
}
