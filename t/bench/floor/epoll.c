/* SPDX-License-Identifier: MIT */
/* epoll.c: the least that a server can do: reads what came, answers a constant: a few bytes, many,
 * or a file.  The floor of what the kernel costs, with as many processes as the server's workers.
 * usage: epoll HOST PORT keep|close WORKERS [BYTES|FILE] */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAX_FD = 65536 };

static char head[512];
static char *body;
static off_t head_n, body_n, sent[MAX_FD]; /* of the present answer, by descriptor */
static int file = -1, keep, poller;

static ssize_t send_some(int fd)
{
	off_t at = sent[fd], in_body = at > head_n ? at - head_n : 0;
	struct iovec v[2] = { { head + at, (size_t)(head_n - at) },
			      { body + in_body, (size_t)(body_n - in_body) } };
	struct msghdr m = { .msg_iov = at < head_n ? v : v + 1, .msg_iovlen = at < head_n ? 2 : 1 };

	if (body_n == 0)
		return send(fd, head + at, (size_t)(head_n - at), MSG_NOSIGNAL);
	if (file < 0)
		return sendmsg(fd, &m, MSG_NOSIGNAL);
	if (at < head_n)
		return send(fd, head + at, (size_t)(head_n - at), MSG_NOSIGNAL | MSG_MORE);
	return sendfile(fd, file, &in_body, (size_t)(body_n - in_body));
}

static void watch(int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	epoll_ctl(poller, EPOLL_CTL_MOD, fd, &e);
}

/* waited: for room to send. */
static void answer(int fd, int waited)
{
	while (sent[fd] < head_n + body_n) {
		ssize_t n = send_some(fd);

		if (n < 0) {
			if (!waited)
				watch(fd, EPOLLOUT);
			return;
		}
		sent[fd] += n;
	}
	if (!keep)
		close(fd);
	else if (waited)
		watch(fd, EPOLLIN);
}

static void serve(int fd, uint32_t events)
{
	char in[4096];

	if (events & EPOLLOUT) {
		answer(fd, 1);
		return;
	}
	if (recv(fd, in, sizeof in, 0) <= 0) {
		close(fd);
		return;
	}
	sent[fd] = 0;
	answer(fd, 0);
}

static void choose_body(const char *what)
{
	struct stat st;

	if (what[0] == '/') {
		file = open(what, O_RDONLY);
		fstat(file, &st);
		body_n = st.st_size;
	} else {
		body_n = atol(what);
		body = malloc((size_t)body_n);
		memset(body, 'x', (size_t)body_n);
	}
}

static void fork_workers(int count)
{
	while (--count > 0)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			return;
		}
}

static int listen_at(const char *host, const char *port)
{
	const int on = 1;
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)),
				 .sin_addr.s_addr = inet_addr(host) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on);
	return bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 1024) ? -1 : fd;
}

int main(int argc, char **argv)
{
	struct epoll_event e = { .events = EPOLLIN }, got[64];

	if (argc < 5)
		return 2;
	if (argc > 5)
		choose_body(argv[5]);
	keep = strcmp(argv[3], "keep") == 0;
	head_n = snprintf(head, sizeof head,
			  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %lld\r\n"
			  "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n%s\r\n%s",
			  body_n ? (long long)body_n : 12, keep ? "" : "Connection: close\r\n",
			  body_n ? "" : "Hello World\n");
	int listener = listen_at(argv[1], argv[2]);

	if (listener < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	fork_workers(atoi(argv[4]));
	poller = epoll_create1(0);
	e.data.fd = listener;
	e.events = EPOLLIN | EPOLLEXCLUSIVE;
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
	e.events = EPOLLIN;
	for (;;) {
		int n = epoll_wait(poller, got, 64, -1);

		for (int i = 0; i < n; i++) {
			int fd = got[i].data.fd;

			if (fd != listener) {
				serve(fd, got[i].events);
				continue;
			}
			fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (fd < 0 || fd >= MAX_FD)
				continue;
			if (!keep) {
				serve(fd, EPOLLIN);
				continue;
			}
			e.data.fd = fd;
			epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
		}
	}
}
