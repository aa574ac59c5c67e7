/* SPDX-License-Identifier: MIT */
/* receiving.h: bytes of a peer, and the file that a process of this server may send beside them. */
#ifndef UWSGI_RECEIVING_H
#define UWSGI_RECEIVING_H

#include <sys/types.h>

/* What became of the file, when it is no descriptor. */
enum { RECEIVING_NONE = -1, RECEIVING_LOST = -2 /* no descriptor was free for it */ };

/* recv(), with the descriptor of a file in *file, which is the caller's to close. */
ssize_t receiving_with_file(int fd, void *to, size_t n, int *file);

#endif
