/* SPDX-License-Identifier: MIT */
/* sending.h: what is pending in an `out` goes to a socket. */
#ifndef UWSGI_SENDING_H
#define UWSGI_SENDING_H

#include "out.h"

enum sent { SENT_ALL, SENT_SOME, SENT_FAILED };

/* As much as the kernel takes, and no more than is fair to other connections.  Failed: the peer is
 * gone, or the stream has a hole. */
enum sent sending_try(int fd, struct out *);

#endif
