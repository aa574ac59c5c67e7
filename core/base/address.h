/* SPDX-License-Identifier: MIT */
/* address.h: socket addresses as users write them, and peers' addresses as text. */
#ifndef UWSGI_ADDRESS_H
#define UWSGI_ADDRESS_H

#include <uwsgi/plugin.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage sa;
	socklen_t length;
	bool has_path; /* a UNIX socket in the file system, not an abstract one */
};

/* "host:port", ":port", "[v6]:port", "/path", "path", "@abstract"; a host name is resolved.
 * Returns -1 with what is wrong and what was expected. */
int address_parse(struct address *, const char *text, struct error *);
/* "=0": not an address, but the first shared-socket's. */
bool address_is_shared(const char *text);
bool address_equal(const struct address *, const struct address *);
/* The path of a UNIX socket with one; else NULL.  Points into the address. */
const char *address_path(const struct address *);

/* Text of an address; the endpoint's slices point into the texts. */
struct address_text {
	struct endpoint endpoint;
	char address[108];
	char port[6];
};
void address_to_text(const struct sockaddr *, socklen_t, struct address_text *);

#endif
