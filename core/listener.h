/* SPDX-License-Identifier: MIT */
/* listener.h: the sockets that the server listens on.  The master opens them and never closes
 * one while a process may still be accepting from it. */
#ifndef UWSGI_LISTENER_H
#define UWSGI_LISTENER_H

#include "address.h"

extern const struct option_table listener_options;

struct listener {
	const char *option; /* "http-socket": the option that asked for it */
	struct address address;
	struct address_text text; /* as bound: a port 0 is the real one */
	const struct protocol *protocol;
	double read_timeout_s;  /* a peer may stay silent that long */
	double write_timeout_s; /* … and take nothing of its response that long */
	int fd;
	ino_t inode; /* of a UNIX socket's path: whose it is to unlink; 0: none */
};

struct listeners {
	struct listener *items;
	size_t count;
};

/* The protocols that are loaded. */
struct protocols {
	const struct protocol *const *items;
	size_t count;
};

/* Opens all sockets that the configuration names.  One that `before` has open is taken over
 * with its descriptor (before: NULL at the start).  On failure nothing new stays open. */
int listeners_open(struct listeners *, const struct config *, const struct protocols *,
		   const struct listeners *before, struct error *);
/* Closes those that `kept` does not have (kept: NULL, all) and frees the list; with unlink
 * also removes the paths that are still ours. */
void listeners_close(struct listeners *, const struct listeners *kept, bool unlink);

#endif
