/* SPDX-License-Identifier: MIT */
/* socketoption.h: what the configuration says of listening sockets, and those of it that are the
 * kernel's options of a socket. */
#ifndef UWSGI_SOCKETOPTION_H
#define UWSGI_SOCKETOPTION_H

#include "base/address.h"

struct listener_settings {
	struct option_list sockets, shared;
	long long backlog, timeout_s, write_timeout_s, fast_open, send_buffer, receive_buffer;
	const char *mode, *owner;
	bool abstract, reuse_port, keepalive, free_bind, no_defer;
};

/* Before the socket is bound.  peer_begins: who connects says something first. */
void socketoption_set(int fd, bool tcp, bool peer_begins, const struct listener_settings *);
/* As many connections as the kernel lets wait on one socket, and what to say where that is less. */
int socketoption_most_waiting(void);
#define SOCKETOPTION_LESS                                                                          \
	"the kernel allows %d (raise /proc/sys/net/core/somaxconn); going on with that"
/* For listen(); warns where the kernel allows less. */
int socketoption_backlog(const struct listener_settings *);
/* What differs from `before`, on a socket that is listened on; warns where it cannot be changed. */
void socketoption_change(int fd, bool tcp, bool peer_begins, const struct listener_settings *,
			 const struct listener_settings *before, const struct address_text *);

#endif
