/* SPDX-License-Identifier: MIT */
/* packet.h: a request as a uwsgi packet. */
#ifndef HTTP_PACKET_H
#define HTTP_PACKET_H

#include <uwsgi/plugin.h>

/* The last variable of a packet for a worker of this server, which keeps it from the application: since
 * when the router has had the request, in eight bytes, as microseconds since 1970. */
#define PACKET_TAKEN "UWSGI_TAKEN"

/* A header of 4 bytes, then variables, whose size must fit into 16 bits.  To the workers of this
 * server, into 24: the highest 8 stand where modifier2 is, which they do not use. */
enum { PACKET_MAX = 4 + 65535, PACKET_MAX_OWN = 4 + 0xffffff };

/* The other server only knows this one as its peer: what a stranger says of https is answered here, by
 * UWSGI_SCHEME.  False: no memory. */
bool packet_set_scheme(struct request *);

/* Appends a variable at *n; false: it does not fit. */
bool packet_add(char *packet, size_t *n, struct slice name, struct slice value);
/* How long the packet is of the request's variables and `more`, which were written by packet_add()
 * from 0.  0: a variable does not fit into one. */
size_t packet_size(const struct request *, struct slice more);
/* Writes it; last: modifier2, or what its place is used for. */
void packet_write(char *packet, const struct request *, struct slice more, unsigned modifier1,
		  unsigned last);

#endif
