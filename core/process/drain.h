/* SPDX-License-Identifier: MIT */
/* drain.h: the steps of a stop, from the order to stop until no connection is taken any more.  What the
 * workers then still do is generation.c's. */
#ifndef UWSGI_DRAIN_H
#define UWSGI_DRAIN_H

#include "wire/listener.h"

#include <uwsgi/plugin.h>

extern const struct option_table drain_options;

struct drain_settings {
	long long delay_s, timeout_s;
	struct option_list on_ready, on_drain;
};

enum drain_stage {
	DRAIN_NOT,
	DRAIN_TELLING,   /* on-drain runs, or workers come again; new connections are served */
	DRAIN_ACCEPTING, /* /ready says that it leaves; new connections are served */
	DRAIN_CLOSING,   /* handshakes that have begun may end */
	DRAIN_EMPTYING,  /* no new connections; workers that leave serve what waits */
	DRAIN_CLOSED,
};

struct drain {
	enum drain_stage stage;
	bool hurries;  /* no time for handshakes */
	bool prepared; /* the sockets are */
	int64_t delay_ms;
	int64_t due_ms; /* when its next step is to be taken; 0: never */
};

/* It goes on accepting for so long, from now or (tells) from drain_told() on. */
void drain_begin(struct drain *, int64_t now_ms, int64_t delay_ms, bool tells);
/* on-drain has ended, and workers serve. */
void drain_told(struct drain *, int64_t now_ms);
/* Nobody is told or waited for, not even handshakes. */
void drain_hurry(struct drain *, int64_t now_ms);
/* Does what is due to these sockets and those of the lists behind them; *due_ms becomes earlier where
 * needed.  True: now the processes are to leave. */
bool drain_step(struct drain *, const struct listeners *, int64_t now_ms, int64_t *due_ms);

#endif
