/* SPDX-License-Identifier: MIT */
/* packet.h: the uwsgi packet: modifier1 u8, size u16, modifier2 u8, then size bytes of
 * variables, each a u16 length and name and a u16 length and value; all numbers little-endian. */
#ifndef PACKET_H
#define PACKET_H

#include <uwsgi/plugin.h>

#define PACKET_HEADER 4u

struct packet_header {
	uint8_t modifier1, modifier2;
	size_t size; /* of the variables */
};

/* in holds at least PACKET_HEADER bytes. */
struct packet_header packet_read_header(struct slice in);

/* The next variable; *rest goes behind it.  1: there is one, 0: the end, -1: a length reaches
 * past the end. */
int packet_next(struct slice *rest, struct slice *name, struct slice *value);

#endif
