/* SPDX-License-Identifier: MIT */
/* sock.h: bytes in and out of a connected socket that does not block, and what the kernel knows of
 * it. */
#ifndef UWSGI_SOCK_H
#define UWSGI_SOCK_H

#include "base/sendbuf.h"

enum sent { SENT_ALL, SENT_SOME, SENT_FAILED };

/* As much as the kernel takes, and no more than is fair to other connections.  Failed: the peer is
 * gone, or the stream has a hole. */
enum sent sock_send(int fd, struct sendbuf *);
/* The same, for what is sent last before a close: over TCP its last packet waits for that, so that the peer
 * learns in one packet that the answer and the connection have ended. */
enum sent sock_send_last(int fd, struct sendbuf *);

/* What became of a file that may come along, when it is no descriptor: there was none, or this
 * process had no descriptor free for it. */
enum { SOCK_NO_FILE = -1, SOCK_LOST_FILE = -2 };

/* recv(), again where a signal interrupts it. */
ssize_t sock_receive(int fd, void *to, size_t n);
/* The same, with the descriptor of a file that another process of this server has sent beside the
 * bytes in *file, which is the caller's to close. */
ssize_t sock_receive_file(int fd, void *to, size_t n, int *file);

/* How many bytes that the peer has sent wait to be read. */
int sock_unread(int fd);
/* What the kernel has taken and the peer has not: bytes of TCP, memory of a UNIX socket. */
int sock_queued(int fd);
/* Microseconds since the last bytes of the peer came, in the kernel's steps of some milliseconds; -1: it
 * does not say, as of a UNIX socket. */
int64_t sock_silent_us(int fd);
/* The close that follows is a reset, which throws away what is queued.  Only TCP has one. */
void sock_reset(int fd);

#endif
