/* SPDX-License-Identifier: MIT */
/* destination.h: an address, whose name is looked up beside the loop. */
#ifndef DESTINATION_H
#define DESTINATION_H

#include <uwsgi/plugin.h>

#include <sys/socket.h>

struct lookup;

struct destination {
	const char *option; /* for the log */
	char text[256];
	struct sockaddr_storage address;
	size_t length;         /* 0: it is not known yet */
	struct lookup *lookup; /* a thread looks; NULL: none does */
	long long again_s;     /* the next time, where it has a name; 0: a number does not change */
	bool unknown;          /* and that is said */
};

/* text ends at n.  It must be valid; the option's name stays the caller's. */
void destination_init(struct destination *, const char *option, const char *text, size_t n);
void destination_fini(struct destination *);
/* Whether the address is known.  What has a name is looked up again once a minute. */
bool destination_find(struct destination *);
/* "host:port" and what else uwsgi_address() takes; a name is not looked up. */
int destination_valid(const char *text, size_t n, struct error *);

#endif
