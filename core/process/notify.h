/* SPDX-License-Identifier: MIT */
/* notify.h: what the service manager is told, by the protocol of sd_notify(3).  Only the master
 * speaks, so that NotifyAccess=main is enough. */
#ifndef UWSGI_NOTIFY_H
#define UWSGI_NOTIFY_H

#include <uwsgi/plugin.h>

struct notify {
	int fd; /* -1: nobody listens */
};

/* Takes NOTIFY_SOCKET out of the environment, so that no child can speak for the server.  Before
 * the root folder or the user changes. */
void notify_init(struct notify *);
/* In a child, or at the end. */
void notify_close(struct notify *);

/* Where the server went to the background, READY also says which process is the main one. */
void notify_ready(const struct notify *, bool daemonized, const char *status);
void notify_reloading(const struct notify *, const char *status);
/* most_s: after which its processes are killed that are left; 0: there are none. */
void notify_stopping(const struct notify *, const char *status, long long most_s);
/* A line for `systemctl status`. */
void notify_status(const struct notify *, const char *status);

#endif
