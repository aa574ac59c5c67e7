/* SPDX-License-Identifier: MIT */
/* patience.h: waits a bounded time for another server to let go of something at the start.  One
 * that was stopped or killed a moment ago has its sockets and its pidfile until its last process is
 * gone. */
#ifndef UWSGI_PATIENCE_H
#define UWSGI_PATIENCE_H

#include <uwsgi/plugin.h>

/* Zeroed it has not waited yet. */
struct patience {
	int64_t began_ms;
	bool told;
};

/* Sleeps a little; why: what another one has, said once when this takes long.  False: that was
 * 3 s in all, so the other one is not about to end. */
bool patience_wait(struct patience *, const struct error *why);

#endif
