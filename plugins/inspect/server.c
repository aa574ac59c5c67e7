/* SPDX-License-Identifier: MIT */
/* server.c: who may connect: where is listened, and the places that there are. */
#include "server.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { ACCEPTS_A_TURN = 8 };

/* A free one, or that of who has said nothing, or closes, for the longest time: there is always one
 * that is not busy. */
static struct client *find_place(struct server *s)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < PLACES; i++) {
		struct client *c = &s->clients[i];

		if (c->phase == CLIENT_FREE)
			return c;
		if (!c->busy && (!oldest || c->since < oldest->since))
			oldest = c;
	}
	client_end(oldest);
	return oldest;
}

static void on_listening(struct ev_loop *loop, ev_io *w, int events)
{
	struct server *s = w->data;

	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		client_begin(find_place(s), s, fd, s->visitor[w - s->listening]);
	}
}

bool is_loopback(const struct sockaddr_storage *at)
{
	const struct sockaddr_in *four = (const void *)at;
	const struct sockaddr_in6 *six = (const void *)at;

	if (at->ss_family == AF_UNIX)
		return true;
	return at->ss_family == AF_INET ? ntohl(four->sin_addr.s_addr) >> 24 == 127
					: IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static enum visitor visitor_of(const char *option, const struct sockaddr_storage *at)
{
	const struct sockaddr_un *un = (const void *)at;

	if (!strcmp(option, "health"))
		return VISITOR_HEALTH;
	return at->ss_family == AF_UNIX && *un->sun_path ? VISITOR_UNIX : VISITOR_ANYBODY;
}

static int listen_on(struct server *s, const struct service_setup *setup, struct error *e)
{
	for (; s->listening_count < setup->socket_count; s->listening_count++) {
		ev_io *io = &s->listening[s->listening_count];
		int fd = setup->sockets[s->listening_count];
		const char *option = setup->socket_options[s->listening_count];
		struct sockaddr_storage at = { 0 };
		socklen_t size = sizeof at;

		if (getsockname(fd, (struct sockaddr *)&at, &size) < 0)
			return uwsgi_error_set(e, "cannot tell where %s listens", option);
		s->visitor[s->listening_count] = visitor_of(option, &at);
		if (s->visitor[s->listening_count] == VISITOR_ANYBODY && !is_loopback(&at) &&
		    !s->settings->password_file)
			return uwsgi_error_set(e, "inspect listens beyond this machine, and there "
						  "is no inspect-password-file");
		ev_io_init(io, on_listening, fd, EV_READ);
		io->data = s;
		ev_io_start(s->loop, io);
	}
	return 0;
}

int server_init(struct server *s, const struct service_setup *setup,
		const struct settings *settings, struct error *e)
{
	s->settings = settings;
	s->status = setup->status;
	s->loop = setup->loop;
	s->clients = calloc(PLACES, sizeof *s->clients);
	s->listening = calloc(setup->socket_count, sizeof *s->listening);
	s->visitor = calloc(setup->socket_count, sizeof *s->visitor);
	s->events = events_new(s->loop, s->status);
	if (!s->events || !s->clients || !s->listening || !s->visitor)
		return uwsgi_error_set(e, "out of memory");
	return listen_on(s, setup, e);
}

/* The sockets are the core's. */
void server_fini(struct server *s)
{
	for (size_t i = 0; i < PLACES; i++)
		if (s->clients[i].phase != CLIENT_FREE)
			client_end(&s->clients[i]);
	for (size_t i = 0; i < s->listening_count; i++)
		ev_io_stop(s->loop, &s->listening[i]);
	events_free(s->events);
	free(s->clients);
	free(s->listening);
	free(s->visitor);
}
