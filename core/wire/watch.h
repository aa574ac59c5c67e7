/* SPDX-License-Identifier: MIT */
/* watch.h: a descriptor that a process must go on hearing of: signals, the other end of a channel,
 * the log.  libev gives a watcher up for good when the kernel cannot watch the descriptor just now
 * (no memory, or fs.epoll.max_user_watches); this one is tried again until it can. */
#ifndef UWSGI_WATCH_H
#define UWSGI_WATCH_H

#include <ev.h>
#include <stdbool.h>

struct watch {
	ev_io io;
	ev_timer again;
	bool failed; /* it could not be watched, and is not yet */
	void (*ready)(struct watch *);
	void *data; /* the caller's */
};

/* Not active yet; fd may be -1 as long as it is not started.  events: EV_READ or EV_WRITE. */
void watch_init(struct watch *, int fd, int events, void (*ready)(struct watch *), void *data);
void watch_start(struct watch *, struct ev_loop *);
/* Hears of what comes from fd, from now on; -1: of nothing. */
void watch_begin(struct watch *, struct ev_loop *, int fd, void (*ready)(struct watch *),
		 void *data);
void watch_stop(struct watch *, struct ev_loop *);

#endif
