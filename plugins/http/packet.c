/* SPDX-License-Identifier: MIT */
/* packet.c: what a uwsgi server is sent: bytes from variables. */
#include "packet.h"

static void write_size(char *to, size_t n)
{
	to[0] = (char)(n & 0xff);
	to[1] = (char)(n >> 8 & 0xff);
}

static void put(char *packet, size_t *n, struct slice name, struct slice value)
{
	char *to = packet + *n;

	write_size(to, name.n);
	memcpy(to + 2, name.p, name.n);
	write_size(to + 2 + name.n, value.n);
	if (value.n)
		memcpy(to + 4 + name.n, value.p, value.n);
	*n += 4 + name.n + value.n;
}

bool packet_add(char *packet, size_t *n, struct slice name, struct slice value)
{
	if (name.n > 65535 || value.n > 65535 || name.n + value.n + 4 > PACKET_MAX - *n)
		return false;
	put(packet, n, name, value);
	return true;
}

size_t packet_size(const struct request *rq, struct slice more)
{
	size_t count, n = 4 + more.n;
	const struct var *vars = uwsgi_request_vars(rq, &count);

	for (size_t i = 0; i < count; i++) {
		if (vars[i].name.n > 65535 || vars[i].value.n > 65535)
			return 0;
		n += 4 + vars[i].name.n + vars[i].value.n;
	}
	return n;
}

void packet_write(char *packet, const struct request *rq, struct slice more, unsigned modifier1,
		  unsigned last)
{
	size_t count, n = 4;
	const struct var *vars = uwsgi_request_vars(rq, &count);

	for (size_t i = 0; i < count; i++)
		put(packet, &n, vars[i].name, vars[i].value);
	if (more.n)
		memcpy(packet + n, more.p, more.n);
	n += more.n;
	packet[0] = (char)modifier1;
	write_size(packet + 1, n - 4);
	packet[3] = (char)last;
}

bool packet_set_scheme(struct request *rq)
{
	if ((!uwsgi_request_find(rq, SLICE("HTTP_X_FORWARDED_PROTO")).n &&
	     !uwsgi_request_find(rq, SLICE("HTTP_X_FORWARDED_SSL")).n) ||
	    uwsgi_request_trusts_forwarded(rq))
		return true;
	return uwsgi_request_var(rq, SLICE("UWSGI_SCHEME"), SLICE("http"));
}
