/* SPDX-License-Identifier: MIT */
/* channel.h: messages between the master and its children, over a socket pair that keeps them
 * whole.  Its end is also how each side learns that the other is gone. */
#ifndef UWSGI_CHANNEL_H
#define UWSGI_CHANNEL_H

#include <uwsgi/plugin.h>

#include "wire/watch.h"

enum message_kind {
	/* master to zygote */
	/* slot, worker; value: 1: it must import the application; with the worker's end of its channel */
	MESSAGE_FORK,
	/* zygote to master */
	MESSAGE_IMPORTED, /* value: milliseconds; text: why there is no application, or "" */
	MESSAGE_FORKED,   /* slot, value: the pid, a child of the master; or -errno */
	/* worker to master */
	MESSAGE_READY,   /* all lanes accept */
	MESSAGE_RECYCLE, /* it wants a successor and to leave then; text: why */
	MESSAGE_STRUCK,  /* it has given a request up, and wants the same; text: which one */
	MESSAGE_ASKED,   /* a signal asks it to leave; value: which one, worker: the sender's pid */
	MESSAGE_CHANGED, /* the application was changed on disk; text: what */
	/* zygote or worker to master, which then ends */
	MESSAGE_FAILED, /* text: why */
	/* master to service */
	/* Of a generation; value: its slots, worker: its lanes, slot: how many more follow at once; with
	 * its memory. */
	MESSAGE_SCOREBOARD,
	/* master to worker, gateway and service */
	/* Finish what is running, then end.  value: the whole server stops, and silent connections are
	 * closed within so many milliseconds; 0: others serve on, and get the connections.
	 * mercy_ms: after that time it is killed.  slot: 1: no new client can connect, and what
	 * waits at the sockets is served, too. */
	MESSAGE_LEAVE,
	/* service to master, master to worker: a struct order, see order.h; with the descriptor to
	 * write the answer to */
	MESSAGE_ORDER,
};

struct message {
	enum message_kind kind;
	int slot, worker;
	int64_t value, mercy_ms;
	char text[512];
};

/* Returns the child's end of a new channel, the caller's to close, or -1.  The master's is watched
 * and called `ready` from the loop.  It never waits: where it cannot send at once, it is as if the
 * other side were gone. */
int channel_open(struct watch *, struct ev_loop *, void (*ready)(struct watch *), void *data,
		 struct error *);
/* True: a message; passed: as channel_receive()'s.  When the other side is gone, the channel is closed:
 * io.fd is -1. */
bool channel_next(struct watch *, struct ev_loop *, struct message *, int *passed);
/* Also one that is closed already, or was never opened and has -1 there. */
void channel_close(struct watch *, struct ev_loop *);
/* pass: a descriptor for the other side, or -1.  False: the other side is gone. */
bool channel_send(int fd, const struct message *, int pass);
/* MESSAGE_FAILED with the reason. */
void channel_send_failure(int fd, const struct error *);
/* 1: a message (*passed: its descriptor, or -1); 0: none there now; -1: the other side is gone.
 * passed may be NULL where none is expected. */
int channel_receive(int fd, struct message *, int *passed);
/* The same, but waits for a message. */
int channel_wait(int fd, struct message *, int *passed);

#endif
