/* SPDX-License-Identifier: MIT */
/* sock.c: sends with one system call for many pieces of memory, and one for each stretch of a file;
 * receives with one, whether or not a file may come along. */
#include "base/sock.h"

#include "base/passing.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEND_A_TURN = 1 << 20 };

static ssize_t send_front(int fd, const struct sendbuf *out, bool more_comes)
{
	const struct sendbuf_segment *file = sendbuf_front_file(out);
	struct iovec v[64];
	struct msghdr m = { .msg_iov = v };

	if (file) {
		off_t at = file->at;
		size_t n = file->length < SEND_A_TURN ? (size_t)file->length : SEND_A_TURN;
		ssize_t sent = sendfile(fd, file->fd, &at, n);

		if (sent == 0)
			errno = EIO; /* the file became shorter than was promised */
		return sent ? sent : -1;
	}
	m.msg_iovlen = sendbuf_vector(out, v, sizeof v / sizeof *v);
	/* A head that left before its file would wake the peer for nothing. */
	int flags = MSG_NOSIGNAL | (more_comes || sendbuf_has_file(out) ? MSG_MORE : 0);

	if (m.msg_iovlen == 1)
		return send(fd, v[0].iov_base, v[0].iov_len, flags);
	return sendmsg(fd, &m, flags);
}

static enum sent send_some(int fd, struct sendbuf *out, bool more_comes)
{
	int64_t left = SEND_A_TURN;

	while (out->pending > 0 && left > 0) {
		ssize_t n = send_front(fd, out, more_comes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? SENT_SOME : SENT_FAILED;
		sendbuf_advance(out, n);
		left -= n;
	}
	if (out->failed)
		return SENT_FAILED;
	return out->pending > 0 ? SENT_SOME : SENT_ALL;
}

enum sent sock_send(int fd, struct sendbuf *out)
{
	return send_some(fd, out, false);
}

enum sent sock_send_last(int fd, struct sendbuf *out)
{
	return send_some(fd, out, true);
}

ssize_t sock_receive(int fd, void *to, size_t n)
{
	return TEMP_FAILURE_RETRY(recv(fd, to, n, 0));
}

ssize_t sock_receive_file(int fd, void *to, size_t n, int *file)
{
	union passing control;
	struct iovec v = { to, n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	passing_expect(&m, &control);
	ssize_t got = TEMP_FAILURE_RETRY(recvmsg(fd, &m, MSG_CMSG_CLOEXEC));
	int passed = got > 0 ? passing_take(&m) : -1;

	*file = SOCK_NO_FILE;
	if (passed >= 0)
		*file = passed;
	else if (got > 0 && m.msg_flags & MSG_CTRUNC)
		*file = SOCK_LOST_FILE;
	return got;
}

int sock_queued(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCOUTQ, &n) ? 0 : n;
}

int sock_unread(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) ? 0 : n;
}

int64_t sock_silent_us(int fd)
{
	struct tcp_info info;
	socklen_t n = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n)
		       ? -1
		       : (int64_t)info.tcpi_last_data_recv * 1000;
}

void sock_reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}
