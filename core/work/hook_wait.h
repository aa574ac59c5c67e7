/* SPDX-License-Identifier: MIT */
/* hook_wait.h: waiting for what others make: files, mounts, network interfaces, sockets. */
#ifndef UWSGI_HOOK_WAIT_H
#define UWSGI_HOOK_WAIT_H

#include <uwsgi/plugin.h>

enum hook_awaited {
	AWAIT_ANY, /* a file of any kind */
	AWAIT_FILE,
	AWAIT_FOLDER,
	AWAIT_MOUNT, /* a folder on which something is mounted */
	AWAIT_INTERFACE,
	AWAIT_SOCKET, /* somebody accepts connections there */
};

/* Returns when it is there; -1, with the reason, when it is not after so many seconds. */
int hook_wait(enum hook_awaited, const char *name, long long seconds, struct error *);

#endif
