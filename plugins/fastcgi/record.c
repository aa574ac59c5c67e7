/* SPDX-License-Identifier: MIT */
/* record.c: reads and writes record headers and name-value pairs; all numbers are big-endian.
 * Every length is checked against what is there before it is used. */
#include "record.h"

struct record record_read(struct slice in)
{
	const unsigned char *p = (const unsigned char *)in.p;

	return (struct record){
		.version = p[0],
		.type = p[1],
		.id = (uint16_t)(p[2] << 8 | p[3]),
		.content = (size_t)p[4] << 8 | p[5],
		.padding = p[6],
	};
}

void record_write(char to[RECORD_HEADER], enum record_type type, uint16_t id, size_t content)
{
	to[0] = RECORD_VERSION;
	to[1] = (char)type;
	to[2] = (char)(id >> 8);
	to[3] = (char)id;
	to[4] = (char)(content >> 8);
	to[5] = (char)content;
	to[6] = to[7] = 0;
}

/* One byte, or four with the highest bit set. */
static bool read_length(struct slice *rest, size_t *length)
{
	const unsigned char *p = (const unsigned char *)rest->p;
	size_t n = rest->n > 0 && p[0] >> 7 ? 4 : 1;

	if (rest->n < n)
		return false;
	*length = n == 1 ? p[0]
			 : (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 |
				   p[3];
	rest->p += n;
	rest->n -= n;
	return true;
}

int record_next_pair(struct slice *rest, struct slice *name, struct slice *value)
{
	size_t names, values;

	if (rest->n == 0)
		return 0;
	if (!read_length(rest, &names) || !read_length(rest, &values) || names > rest->n ||
	    values > rest->n - names)
		return -1;
	*name = (struct slice){ rest->p, names };
	*value = (struct slice){ rest->p + names, values };
	rest->p += names + values;
	rest->n -= names + values;
	return 1;
}
