/* SPDX-License-Identifier: MIT */
/* notify.h: what the service manager is told, by the protocol of sd_notify(3).  Only the master
 * speaks, so that NotifyAccess=main is enough. */
#ifndef UWSGI_NOTIFY_H
#define UWSGI_NOTIFY_H

#include "base/carry.h"

struct notify {
	int fd;            /* -1: nobody listens */
	double watchdog_s; /* it wants to hear so often that the server is well; 0: never */
	/* What was said last: since the last event, and in the last beat after it. */
	char status[512], beat[128];
	char late[1024]; /* the last event, as long as the manager had no room for it; else "" */
};

/* Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, so that no child can speak
 * for the server.  Before the root folder or the user changes. */
void notify_init(struct notify *);
/* To another program in the same process. */
void notify_carry(struct notify *, struct carry *);
/* In a child, or at the end. */
void notify_close(struct notify *);

/* Where the server went to the background, READY also says which process is the main one. */
void notify_ready(struct notify *, bool daemonized, const char *status);
void notify_reloading(struct notify *, const char *status);
/* most_s: after which its processes are killed that are left; 0: there are none. */
void notify_stopping(struct notify *, const char *status, long long most_s);
/* A line for `systemctl status`. */
void notify_status(struct notify *, const char *status);
/* The server is well; what it does now stands behind the last status, and is said where it has changed. */
void notify_beat(struct notify *, const char *now);

#endif
