/* SPDX-License-Identifier: MIT */
/* backlog.h: the connections of a listening socket that nobody has accepted yet. */
#ifndef UWSGI_BACKLOG_H
#define UWSGI_BACKLOG_H

#include "wire/listener.h"

/* How many there are and how many there may be; -1: the kernel does not say. */
void backlog_of(const struct listener *, long long *waiting, long long *most);
/* How many there are; 0, too, where the kernel does not say: for sums. */
long long backlog_waiting(const struct listener *);
/* How many the kernel has turned away, for a full queue as a rule; of a UNIX socket it counts none. */
unsigned backlog_overflows(int fd);

#endif
