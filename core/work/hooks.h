/* SPDX-License-Identifier: MIT */
/* hooks.h: what the configuration wants done at certain points of the server's life (hook-*, exec-*,
 * mount-*, umount-*), and what it waits for (wait-for-*). */
#ifndef UWSGI_HOOKS_H
#define UWSGI_HOOKS_H

#include "base/arena.h"
#include "work/hook_action.h"

extern const struct option_table hooks_options;

/* In the order of their coming. */
enum hook_phase {
	/* in the process that becomes the master, at the start of the server */
	HOOK_ASAP,
	HOOK_PRE_JAIL,
	HOOK_POST_JAIL,
	HOOK_IN_JAIL,
	HOOK_AS_ROOT,
	HOOK_AS_USER, /* or in the zygote, where that gives up root */
	HOOK_MASTER_START,
	/* in the zygote, or in each worker where that imports the application */
	HOOK_PRE_APP,
	HOOK_POST_APP,
	/* in each worker */
	HOOK_POST_FORK,
	HOOK_ACCEPTING,
	HOOK_ACCEPTING_ONCE,
	HOOK_ACCEPTING1,
	HOOK_ACCEPTING1_ONCE,
	HOOK_AS_GATEWAY, /* in each */
	HOOK_AT_EXIT,    /* in the master, the last thing */
	HOOK_PHASES
};

/* Whether something is done, or waited for, before the server opens any file: there may be other folders then. */
bool hooks_come_first(const struct config *);
/* All of a phase, one after the other.  -1, with the reason, when one fails: the others are left out;
 * 1 and more: as hook_action_run(). */
int hooks_run(const struct config *, enum hook_phase, struct error *);
/* In a worker that accepts.  first: of its number in this generation. */
int hooks_run_accepting(const struct config *, int worker, bool first, struct error *);

/* Until everything is there but sockets; until sockets are.  -1, with the reason, when it takes too
 * long. */
int hooks_wait(const struct config *, struct error *);
int hooks_wait_for_sockets(const struct config *, struct error *);

/* What is to be done when the server ends, when no configuration may be left. */
struct hooks_kept {
	struct arena memory;
	struct option_list hooks, commands;
	struct hook_limits limits;
};
/* Copies what this configuration wants done then, in the place of what was there. */
void hooks_keep(struct hooks_kept *, const struct config *);
/* Does it until by_ms, on the monotonic clock; what fails is said, and the others are done. */
void hooks_run_kept(struct hooks_kept *, int64_t by_ms);
void hooks_forget(struct hooks_kept *);

/* What the configuration wants done by the master when a signal comes (unix_signal), one after the other;
 * *i starts at 0, false at the end. */
bool hooks_next_signal(const struct config *, size_t *i, int *signal, const char **function);

#endif
