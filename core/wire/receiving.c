/* SPDX-License-Identifier: MIT */
/* receiving.c: one system call, as for bytes alone. */
#include "wire/receiving.h"

#include "base/passing.h"

#include <sys/socket.h>

ssize_t receiving_with_file(int fd, void *to, size_t n, int *file)
{
	union passing control;
	struct iovec v = { to, n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	passing_expect(&m, &control);
	ssize_t got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	int passed = got > 0 ? passing_take(&m) : -1;

	*file = RECEIVING_NONE;
	if (passed >= 0)
		*file = passed;
	else if (got > 0 && m.msg_flags & MSG_CTRUNC)
		*file = RECEIVING_LOST;
	return got;
}
