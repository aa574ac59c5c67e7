/* SPDX-License-Identifier: MIT */
/* passing.c: fills in and reads the control part of a message. */
#include "base/passing.h"

#include <string.h>

void passing_expect(struct msghdr *m, union passing *p)
{
	m->msg_control = p->space;
	m->msg_controllen = sizeof p->space;
}

void passing_add(struct msghdr *m, union passing *p, int fd)
{
	passing_expect(m, p);
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
}

int passing_take(struct msghdr *m)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}
