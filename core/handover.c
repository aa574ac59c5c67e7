/* SPDX-License-Identifier: MIT */
/* handover.c: descriptors and a little beside them through a socket pair that all workers hold. */
#include "handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

int handover_open(int ends[2], struct error *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		return uwsgi_error_set(e, "socketpair: %s", strerror(errno));
	return 0;
}

bool handover_give(int queue, int fd, const struct parcel *parcel)
{
	union control control = { 0 };
	struct iovec v = { (void *)(uintptr_t)parcel, sizeof *parcel };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = sizeof control.space };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(queue, &m, MSG_NOSIGNAL) == (ssize_t)sizeof *parcel;
}

int handover_take(int queue, struct parcel *parcel)
{
	union control control;
	struct iovec v = { parcel, sizeof *parcel };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = sizeof control.space };
	int fd = -1;

	if (recvmsg(queue, &m, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof *parcel)
		return -1;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}
