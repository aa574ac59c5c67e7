/* SPDX-License-Identifier: MIT */
/* packet.c: takes a uwsgi packet apart.  Every length is checked against what is there before it
 * is used; what the variables mean is not known here. */
#include "packet.h"

static size_t read_u16(const char *p)
{
	return (size_t)(unsigned char)p[0] | (size_t)(unsigned char)p[1] << 8;
}

struct packet_header packet_read_header(struct slice in)
{
	return (struct packet_header){
		.modifier1 = (uint8_t)in.p[0],
		.size = read_u16(in.p + 1),
		.modifier2 = (uint8_t)in.p[3],
	};
}

static bool read_string(struct slice *rest, struct slice *s)
{
	if (rest->n < 2)
		return false;
	size_t n = read_u16(rest->p);
	if (n > rest->n - 2)
		return false;
	*s = (struct slice){ rest->p + 2, n };
	rest->p += 2 + n;
	rest->n -= 2 + n;
	return true;
}

int packet_next(struct slice *rest, struct slice *name, struct slice *value)
{
	if (rest->n == 0)
		return 0;
	return read_string(rest, name) && read_string(rest, value) ? 1 : -1;
}
