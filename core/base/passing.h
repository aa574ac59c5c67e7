/* SPDX-License-Identifier: MIT */
/* passing.h: a descriptor that goes along with the bytes of a message (SCM_RIGHTS, unix(7)). */
#ifndef UWSGI_PASSING_H
#define UWSGI_PASSING_H

#include <sys/socket.h>

/* What the kernel needs beside the bytes; zeroed by who sends. */
union passing {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

/* The message is to carry fd, which stays the caller's own. */
void passing_add(struct msghdr *, union passing *, int fd);
/* The message may bring a descriptor. */
void passing_expect(struct msghdr *, union passing *);
/* The one that it has brought, the caller's from now on; -1: none. */
int passing_take(struct msghdr *);

#endif
