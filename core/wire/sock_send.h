/* SPDX-License-Identifier: MIT */
/* sock_send.h: what is pending in an `out` goes to a socket. */
#ifndef UWSGI_SOCK_SEND_H
#define UWSGI_SOCK_SEND_H

#include "base/sendbuf.h"

enum sent { SENT_ALL, SENT_SOME, SENT_FAILED };

/* As much as the kernel takes, and no more than is fair to other connections.  Failed: the peer is
 * gone, or the stream has a hole. */
enum sent sock_send(int fd, struct sendbuf *);
/* What the kernel has taken and the peer has not: bytes of TCP, memory of a UNIX socket. */
int sock_queued(int fd);
/* The close that follows is a reset, which throws away what is queued.  Only TCP has one. */
void sock_reset(int fd);

/* How many bytes that the peer has sent wait to be read. */
int sock_unread(int fd);

#endif
