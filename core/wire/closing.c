/* SPDX-License-Identifier: MIT */
/* closing.c: when a TCP socket is closed the kernel resets the connections in its queue, whose clients
 * believe that they are connected.  So a filter drops SYNs first: a client's kernel sends them again
 * after a second, and is refused then.  Of a UNIX socket, connect() looks at shutdown(), which leaves
 * the queue as it is. */
#include "wire/closing.h"

#include "base/log.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

static bool is_to_close(const struct listener *l)
{
	return !l->passed && !l->service && !l->internal;
}

/* The next one to close, of TCP or of UNIX sockets; *i begins as 0.  NULL: there are no more. */
static const struct listener *next(const struct listeners **set, size_t *i, bool tcp)
{
	for (; *set; *set = (*set)->older, *i = 0)
		while (*i < (*set)->count) {
			const struct listener *l = &(*set)->items[(*i)++];

			if (is_to_close(l) && listener_is_tcp(l) == tcp)
				return l;
		}
	return NULL;
}

/* The filter of a TCP socket sees the packet from its TCP header on. */
static int drop_syns(int fd)
{
	enum { FLAGS_AT = 13, DROP = 0, KEEP = 0xffff };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, TH_SYN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, DROP),
		BPF_STMT(BPF_RET | BPF_K, KEEP),
	};
	const struct sock_fprog filter = { sizeof code / sizeof *code, code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

void closing_prepare(const struct listeners *set)
{
	const struct listener *l;
	const int off = 0;

	for (size_t i = 0; (l = next(&set, &i, true));)
		setsockopt(l->fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &off, sizeof off);
}

bool closing_begin(const struct listeners *set)
{
	const struct listener *l;
	bool any = false;

	for (size_t i = 0; (l = next(&set, &i, true));) {
		any = true;
		if (drop_syns(l->fd))
			/* Some kernels let only root do this: no reason for a warning. */
			uwsgi_log(UWSGI_NOTE,
				  "%s: cannot drop SYNs: %s; clients that connect while the "
				  "server stops may be cut off",
				  l->text.address, strerror(errno));
	}
	return any;
}

void closing_refuse(const struct listeners *set)
{
	const struct listener *l;

	for (size_t i = 0; (l = next(&set, &i, false));)
		shutdown(l->fd, SHUT_RD);
}

/* Of a listening socket the number says how many wait (tcp_diag in the kernel). */
static bool is_empty(int fd)
{
	struct tcp_info info;
	socklen_t n = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 &&
	       (info.tcpi_state != TCP_LISTEN || info.tcpi_unacked == 0);
}

bool closing_end(const struct listeners *set)
{
	const struct listener *l;
	bool all = true;

	for (size_t i = 0; (l = next(&set, &i, true));)
		if (is_empty(l->fd))
			shutdown(l->fd, SHUT_RD);
		else
			all = false;
	return all;
}
