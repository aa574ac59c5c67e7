/* SPDX-License-Identifier: MIT */
/* tunnel.h: bytes from one connection to another and back, whatever they are. */
#ifndef HTTP_TUNNEL_H
#define HTTP_TUNNEL_H

#include <uwsgi/plugin.h>

/* What a gateway's deadlines are counted on: libev has seconds. */
static inline double gateway_now_s(void)
{
	return (double)uwsgi_now_ms() / 1000;
}

/* What may be on its way in each direction. */
enum { TUNNEL_BUFFER = 131072 };

/* Takes over both connections, which are non-blocking, also when it fails.  `first` is said to the
 * server before anything else; at most TUNNEL_BUFFER bytes.  It ends with either connection, or
 * when nothing was said for timeout_s.  False: no memory. */
bool tunnel_open(struct ev_loop *, int client, int server, struct slice first, double timeout_s);

#endif
