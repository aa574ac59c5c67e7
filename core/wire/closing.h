/* SPDX-License-Identifier: MIT */
/* closing.h: how listening sockets stop taking connections so that none that was taken is lost: first
 * no new handshake begins, then what waits is accepted, then new connections are refused.  It is done
 * to the sockets, for all processes that have them.  Sockets that were passed on go on without this server,
 * and those of services as long as these. */
#ifndef UWSGI_CLOSING_H
#define UWSGI_CLOSING_H

#include "wire/listener.h"

/* How long a handshake that has begun may take to end. */
enum { CLOSING_HANDSHAKE_MS = 100 };

/* All functions are about this list and those behind it. */

/* TCP: connections are there without their first bytes, too.  Those that others have hidden so far
 * (TCP_DEFER_ACCEPT) come within a second. */
void closing_prepare(const struct listeners *);
/* TCP: no handshake begins any more; a client that tries gets no answer yet.  False: there is no such
 * socket. */
bool closing_begin(const struct listeners *);
/* UNIX sockets refuse new connections now.  They stay readable when the queue is empty. */
void closing_refuse(const struct listeners *);
/* TCP sockets whose queue is empty refuse, too, and others may bind their ports.  True: all do. */
bool closing_end(const struct listeners *);

#endif
