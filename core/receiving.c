/* SPDX-License-Identifier: MIT */
/* receiving.c: one system call, as for bytes alone. */
#include "receiving.h"

#include <string.h>
#include <sys/socket.h>

ssize_t receiving_with_file(int fd, void *to, size_t n, int *file)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { to, n };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = sizeof control.space };
	ssize_t got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = got > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	*file = RECEIVING_NONE;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(file, CMSG_DATA(c), sizeof *file);
	else if (got > 0 && m.msg_flags & MSG_CTRUNC)
		*file = RECEIVING_LOST;
	return got;
}
