/* SPDX-License-Identifier: MIT */
/* backlog.c: asks the kernel how many connections wait: tcp(7) has a socket option for it, UNIX
 * sockets are known to sock_diag(7) alone. */
#include "wire/backlog.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void ask_tcp(int fd, long long *waiting, long long *most)
{
	struct tcp_info info;
	socklen_t n = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n))
		return;
	/* Of a listening socket the two mean this (tcp_diag in the kernel). */
	*waiting = info.tcpi_unacked;
	*most = info.tcpi_sacked;
}

/* The attribute of the one socket that was asked for; NULL: there is none. */
static const struct unix_diag_rqlen *find_length(const struct nlmsghdr *h, size_t n)
{
	if (!NLMSG_OK(h, n) || h->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return NULL;
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	unsigned left = (unsigned)(h->nlmsg_len - NLMSG_LENGTH(sizeof *m));

	for (const struct rtattr *a = (const void *)(m + 1); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == UNIX_DIAG_RQLEN)
			return RTA_DATA(a);
	return NULL;
}

static void ask_unix(int fd, long long *waiting, long long *most)
{
	_Alignas(struct nlmsghdr) char answer[512];
	struct stat st;
	int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (diag < 0 || fstat(fd, &st)) {
		if (diag >= 0)
			close(diag);
		return;
	}
	const struct {
		struct nlmsghdr head;
		struct unix_diag_req what;
	} question = { { .nlmsg_len = sizeof question,
			 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			 .nlmsg_flags = NLM_F_REQUEST },
		       { .sdiag_family = AF_UNIX,
			 .udiag_states = UINT32_MAX,
			 .udiag_ino = (uint32_t)st.st_ino,
			 .udiag_show = UDIAG_SHOW_RQLEN,
			 .udiag_cookie = { UINT32_MAX, UINT32_MAX } } };
	const struct unix_diag_rqlen *length = NULL;
	ssize_t n;

	/* The kernel has answered when send() returns. */
	if (send(diag, &question, sizeof question, 0) > 0 &&
	    (n = recv(diag, answer, sizeof answer, MSG_DONTWAIT)) > 0)
		length = find_length((const struct nlmsghdr *)answer, (size_t)n);
	if (length) {
		*waiting = length->udiag_rqueue;
		*most = length->udiag_wqueue;
	}
	close(diag);
}

void backlog_of(const struct listener *l, long long *waiting, long long *most)
{
	*waiting = *most = -1;
	if (listener_is_tcp(l))
		ask_tcp(l->fd, waiting, most);
	else
		ask_unix(l->fd, waiting, most);
}

long long backlog_waiting(const struct listener *l)
{
	long long waiting, most;

	backlog_of(l, &waiting, &most);
	return waiting > 0 ? waiting : 0;
}

/* Where a connection is only there with its first bytes, the kernel counts the bare ACK of each one
 * among what it has dropped, and the number says nothing. */
static bool is_deferred(int fd)
{
	int seconds = 0;
	socklen_t n = sizeof seconds;

	return !getsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, &n) && seconds > 0;
}

unsigned backlog_overflows(int fd)
{
	unsigned info[SK_MEMINFO_VARS] = { 0 };
	socklen_t n = sizeof info;

	if (is_deferred(fd))
		return 0;
	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &n) ? 0 : info[SK_MEMINFO_DROPS];
}
