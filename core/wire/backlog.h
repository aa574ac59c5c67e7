/* SPDX-License-Identifier: MIT */
/* backlog.h: the connections of a listening socket that nobody has accepted yet. */
#ifndef UWSGI_BACKLOG_H
#define UWSGI_BACKLOG_H

#include <stdbool.h>

/* How many there are and how many there may be, as the kernel says; both are left as they are when it
 * does not. */
void backlog_of(int fd, bool tcp, long long *waiting, long long *most);

#endif
