/* SPDX-License-Identifier: MIT */
/* hook_signal.h: signals that mean something else to the master: hook-master-start = unix_signal:15
 * gracefully_kill_them_all. */
#ifndef UWSGI_HOOK_SIGNAL_H
#define UWSGI_HOOK_SIGNAL_H

#include <uwsgi/plugin.h>

#include <signal.h>

enum signal_meaning {
	SIGNAL_USUAL, /* what it means without a hook */
	SIGNAL_STOPS,
	SIGNAL_STOPS_NOW,
	SIGNAL_RELOADS,
	SIGNAL_PRINTS, /* what the workers do */
	SIGNAL_PAUSES, /* or has workers go on */
};

/* Of each signal. */
struct signal_meanings {
	unsigned char of[65];
};

/* What this configuration says of them. */
void hook_signals_read(struct signal_meanings *, const struct config *);
/* Adds those that mean something else. */
void hook_signals_add(const struct signal_meanings *, sigset_t *);
enum signal_meaning hook_signals_meaning(const struct signal_meanings *, int signal);
/* Warns of functions that are not here, and of signals that cannot be taken. */
void hook_signals_check(const struct config *, struct report *);

#endif
