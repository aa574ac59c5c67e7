/* SPDX-License-Identifier: MIT */
/* tunnel.h: bytes from one connection to another and back, whatever they are. */
#ifndef HTTP_TUNNEL_H
#define HTTP_TUNNEL_H

#include <uwsgi/plugin.h>

#include <time.h>

/* Seconds on a clock that nobody sets: what a gateway's deadlines are counted on. */
static inline double gateway_now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What may be on its way in each direction. */
enum { TUNNEL_BUFFER = 131072 };

/* Takes over both connections, which are non-blocking, also when it fails.  `first` is said to the
 * server before anything else; at most TUNNEL_BUFFER bytes.  It ends with either connection, or
 * when nothing was said for timeout_s.  False: no memory. */
bool tunnel_open(struct ev_loop *, int client, int server, struct slice first, double timeout_s);

#endif
