/* SPDX-License-Identifier: MIT */
/* listener.h: the sockets that the server listens on.  The master opens them and never closes
 * one while a process may still be accepting from it. */
#ifndef UWSGI_LISTENER_H
#define UWSGI_LISTENER_H

#include "base/address.h"

extern const struct option_table listener_options;

struct listener {
	const char *option; /* "http-socket": the option that asked for it */
	struct address address;
	struct address_text text;                 /* as bound: a port 0 is the real one */
	const struct listener_settings *settings; /* of its configuration, which outlives it */
	const struct protocol *protocol;          /* NULL: a service's */
	double head_timeout_s, body_timeout_s, idle_timeout_s; /* as struct protocol_timeouts */
	double write_timeout_s; /* a peer may take next to nothing of its response that long */
	const struct gateway *gateway; /* whose processes accept; NULL: the workers do */
	const struct service *service; /* … or this one does, which has no protocol */
	bool internal;                 /* only processes of this server may connect */
	bool passed;                   /* by the service manager, who owns its path: see passed.h */
	int fd;
	ino_t inode; /* of a UNIX socket's path: whose it is to unlink; 0: none */
	/* The same in another generation when its connections are treated alike there: address,
	 * protocol, and how that begins. */
	uint64_t identity;
};

/* Else it is a UNIX socket. */
static inline bool listener_is_tcp(const struct listener *l)
{
	return l->address.sa.ss_family != AF_UNIX;
}

struct listeners {
	struct listener *items;
	size_t count;
	const struct listeners *older; /* of other generations, which are open, too; NULL: none */
};

/* Those that are loaded: their protocols are spoken, and their options name addresses. */
struct plugins {
	const struct plugin *const *items;
	size_t count;
};

/* Opens all sockets that the configuration names.  One that `before` or a list behind it has open
 * is taken over with its descriptor (before: those passed on, at the start).  What was passed on
 * and has no option is a socket= of its own.  At the start it waits some seconds for another server
 * that has an address.  On failure nothing new stays open. */
int listeners_open(struct listeners *, const struct config *, const struct plugins *,
		   const struct listeners *before, struct error *);
/* The set serves from now on, instead of `before`: options of sockets that both have, such as
 * chmod-socket and listen, take effect where they have changed, or a warning says why not. */
void listeners_apply(const struct listeners *, const struct listeners *before);
/* A non-blocking connection and its peer, who has no name on a UNIX socket (length 0); or -1 with
 * errno. */
int listener_accept(const struct listener *, struct sockaddr_storage *peer, socklen_t *length);
/* Whether that errno says that the process can take no connection for a while. */
bool listener_is_out_of_resources(int why);
/* What a new connection's state, zeroed before, begins with. */
void listener_begin(const struct listener *, const struct config *, void *protocol_state);
/* NULL: there is none with this identity. */
const struct listener *listeners_find(const struct listeners *, uint64_t identity);
/* Whose processes listen beside the workers; NULL: nobody's. */
const struct gateway *listeners_gateway(const struct listeners *);
/* Nobody could send a request. */
bool listeners_take_nothing(const struct listeners *);
/* Closes those that neither `kept` nor a list behind it has (kept: NULL, all) and frees the list;
 * with unlink also removes the paths that are still ours. */
void listeners_close(struct listeners *, const struct listeners *kept, bool unlink);

#endif
