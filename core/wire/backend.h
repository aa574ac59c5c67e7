/* SPDX-License-Identifier: MIT */
/* backend.h: the epoll that a loop of libev waits with. */
#ifndef UWSGI_BACKEND_H
#define UWSGI_BACKEND_H

struct ev_loop;

/* Its descriptor; -1: it waits with something else, or was not found. */
int backend_find(struct ev_loop *);
/* The loop no longer hears of this descriptor, though others have the same file open. */
void backend_forget(int backend, int fd);

#endif
