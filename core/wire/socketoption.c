/* SPDX-License-Identifier: MIT */
/* socketoption.c: sets the kernel's options of listening sockets; sockets that are accepted inherit
 * them.  listener.c calls it. */
#include "wire/socketoption.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value);
}

static void set_if(int fd, int level, int name, int value)
{
	if (value)
		set(fd, level, name, value);
}

/* ---- those that may change ---- */

static int set_keepalive(int fd, const struct listener_settings *s)
{
	return set(fd, SOL_SOCKET, SO_KEEPALIVE, s->keepalive);
}

static int set_fast_open(int fd, const struct listener_settings *s)
{
	return set(fd, IPPROTO_TCP, TCP_FASTOPEN, (int)s->fast_open);
}

/* A connection is accepted when its request is there (or after this many seconds), by a lane that
 * then runs it: otherwise one lane could accept several while others idle. */
static int set_defer_accept(int fd, const struct listener_settings *s)
{
	return set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, !s->no_defer);
}

/* 0, as the kernel has it, cannot be said to a socket any more. */
static int set_send_buffer(int fd, const struct listener_settings *s)
{
	return s->send_buffer ? set(fd, SOL_SOCKET, SO_SNDBUF, (int)s->send_buffer) : -1;
}

static int set_receive_buffer(int fd, const struct listener_settings *s)
{
	return s->receive_buffer ? set(fd, SOL_SOCKET, SO_RCVBUF, (int)s->receive_buffer) : -1;
}

static int set_backlog(int fd, const struct listener_settings *s)
{
	return listen(fd, socketoption_backlog(s));
}

static int refuse(int fd, const struct listener_settings *s)
{
	(void)fd;
	(void)s;
	return -1;
}

/* ---- all ---- */

void socketoption_set(int fd, bool tcp, bool peer_begins, const struct listener_settings *s)
{
	set_if(fd, SOL_SOCKET, SO_SNDBUF, (int)s->send_buffer);
	set_if(fd, SOL_SOCKET, SO_RCVBUF, (int)s->receive_buffer);
	if (!tcp)
		return;
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set_if(fd, SOL_SOCKET, SO_REUSEPORT, s->reuse_port);
	set_if(fd, IPPROTO_IP, IP_FREEBIND, s->free_bind);
	set_keepalive(fd, s);
	set_fast_open(fd, s);
	if (peer_begins)
		set_defer_accept(fd, s);
	/* Inherited, too, which saves a system call for each connection. */
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

int socketoption_most_waiting(void)
{
	int n = SOMAXCONN;
	FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");

	if (f) {
		if (fscanf(f, "%d", &n) != 1)
			n = SOMAXCONN;
		fclose(f);
	}
	return n;
}

int socketoption_backlog(const struct listener_settings *s)
{
	int most = socketoption_most_waiting();

	if (s->backlog == 0)
		return most;
	if (s->backlog <= most)
		return (int)s->backlog;
	uwsgi_log(UWSGI_WARNING, "listen = %lld: " SOCKETOPTION_LESS, s->backlog, most);
	return most;
}

void socketoption_change(int fd, bool tcp, bool peer_begins, const struct listener_settings *now,
			 const struct listener_settings *before, const struct address_text *text)
{
	const struct {
		const char *option;
		bool differs;
		int (*change)(int fd, const struct listener_settings *);
	} options[] = {
		{ "listen", now->backlog != before->backlog, set_backlog },
		{ "socket-sndbuf", now->send_buffer != before->send_buffer, set_send_buffer },
		{ "socket-rcvbuf", now->receive_buffer != before->receive_buffer,
		  set_receive_buffer },
		{ "so-keepalive", tcp && now->keepalive != before->keepalive, set_keepalive },
		{ "tcp-fast-open", tcp && now->fast_open != before->fast_open, set_fast_open },
		{ "no-defer-accept", tcp && peer_begins && now->no_defer != before->no_defer,
		  set_defer_accept },
		{ "reuse-port", tcp && now->reuse_port != before->reuse_port, refuse },
	};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (options[i].differs && options[i].change(fd, now))
			uwsgi_log(UWSGI_WARNING,
				  "%s: the socket %s%s%s stays as it is until the server is "
				  "started again",
				  options[i].option, text->address, *text->port ? ":" : "",
				  text->port);
}
