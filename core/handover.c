/* SPDX-License-Identifier: MIT */
/* handover.c: descriptors and a little beside them through a socket pair that all workers hold. */
#include "handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

struct parcel {
	size_t listener;
	char state[HANDOVER_STATE_MAX];
};

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

bool handover_give(int queue, int fd, size_t listener, const void *state, size_t state_size)
{
	struct parcel parcel = { .listener = listener };
	union control control = { 0 };
	struct iovec v = { &parcel, sizeof parcel };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = sizeof control.space };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (state_size > sizeof parcel.state)
		return false;
	memcpy(parcel.state, state, state_size);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(queue, &m, MSG_NOSIGNAL) == (ssize_t)sizeof parcel;
}

int handover_take(int queue, size_t *listener, void *state)
{
	struct parcel parcel;
	union control control;
	struct iovec v = { &parcel, sizeof parcel };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = sizeof control.space };
	int fd = -1;

	if (recvmsg(queue, &m, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof parcel)
		return -1;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	*listener = parcel.listener;
	memcpy(state, parcel.state, sizeof parcel.state);
	return fd;
}
