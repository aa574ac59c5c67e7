/* SPDX-License-Identifier: MIT */
/* epoll.c: the least that a server can do: reads what came, answers a constant.  The floor of
 * what the kernel costs.   usage: epoll HOST PORT keep|close */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
			     "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n%s\r\nHello World\n";
static char text[512];
static int text_n;

static void serve_one(int fd, int keep)
{
	char in[4096];

	if (recv(fd, in, sizeof in, 0) <= 0) {
		close(fd);
		return;
	}
	if (send(fd, text, (size_t)text_n, MSG_NOSIGNAL) < 0 || !keep)
		close(fd);
}

int main(int argc, char **argv)
{
	const int on = 1;
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct epoll_event e = { .events = EPOLLIN }, got[64];

	if (argc != 4)
		return 2;
	int keep = strcmp(argv[3], "keep") == 0;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0);

	text_n = snprintf(text, sizeof text, answer, keep ? "" : "Connection: close\r\n");
	a.sin_port = htons((uint16_t)atoi(argv[2]));
	a.sin_addr.s_addr = inet_addr(argv[1]);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&a, sizeof a) || listen(listener, 1024))
		return 1;
	e.data.fd = listener;
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
	for (;;) {
		int n = epoll_wait(epoll, got, 64, -1);

		for (int i = 0; i < n; i++) {
			int fd = got[i].data.fd;

			if (fd != listener) {
				serve_one(fd, keep);
				continue;
			}
			fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (fd < 0)
				continue;
			if (!keep) {
				serve_one(fd, keep);
				continue;
			}
			e.data.fd = fd;
			epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
		}
	}
}
