/* SPDX-License-Identifier: MIT */
/* clients.c: those who ask.  Each gets the report of the moment and has a few seconds to take it;
 * when all places are taken, the one that has had the most time gives way.  So nobody who is slow
 * keeps the others waiting. */
#include "stats.h"
#include "vassals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Seconds: for a request (of stats-http); to take the answer; to close after it.  Clients accepted
 * before anything else is looked at. */
#define ASK_S 1.
#define TAKE_S 5.
#define CLOSE_S 1.
enum { ACCEPTS_A_TURN = 8 };

static void end(struct client *c)
{
	ev_io_stop(c->all->loop, &c->io);
	ev_timer_stop(c->all->loop, &c->deadline);
	close(c->io.fd);
	free(c->text);
	c->text = NULL;
}

static void wait_for(struct client *c, int events, double seconds)
{
	struct ev_loop *loop = c->all->loop;

	ev_io_stop(loop, &c->io);
	ev_io_set(&c->io, c->io.fd, events);
	ev_io_start(loop, &c->io);
	ev_timer_stop(loop, &c->deadline);
	ev_timer_set(&c->deadline, seconds, 0.);
	ev_timer_start(loop, &c->deadline);
}

/* Sends what the kernel takes.  Closing while something of the client is unread would be a reset, which
 * can destroy what it has not read yet: so its own end is waited for. */
static void say(struct client *c)
{
	while (c->sent < c->length) {
		ssize_t n = send(c->io.fd, c->text + c->sent, c->length - c->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			end(c);
			return;
		}
		if (n < 0)
			return;
		c->sent += (size_t)n;
	}
	shutdown(c->io.fd, SHUT_WR);
	wait_for(c, EV_READ, CLOSE_S);
}

static void answer(struct client *c)
{
	c->asked = true;
	wait_for(c, EV_WRITE, TAKE_S);
	say(c);
}

static void on_client(struct ev_loop *loop, ev_io *w, int events)
{
	struct client *c = w->data;
	char ignored[4096];

	(void)loop;
	if (events & EV_WRITE) {
		say(c);
		return;
	}
	ssize_t n = recv(c->io.fd, ignored, sizeof ignored, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		end(c);
	else if (n > 0 && !c->asked)
		answer(c);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
	struct client *c = w->data;

	(void)loop;
	(void)events;
	if (c->asked)
		end(c);
	else
		answer(c);
}

/* ---- new ones ---- */

static struct client *find_place(struct clients *all)
{
	struct client *c;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		c = &all->client[all->next++ % CLIENTS_MAX];
		if (!c->text)
			return c;
	}
	c = &all->client[all->next++ % CLIENTS_MAX];
	end(c);
	return c;
}

/* The whole answer; NULL: no memory. */
static char *compose(const struct clients *all, bool of_emperor)
{
	char *json = of_emperor ? vassals_report(all->settings->form.minified, all->status)
				: report_text(&all->settings->form, all->status);
	char *text = NULL;

	if (!json || !all->settings->http)
		return json;
	if (asprintf(&text,
		     "HTTP/1.0 200 OK\r\nConnection: close\r\nCache-Control: no-store\r\n"
		     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		     strlen(json), json) < 0)
		text = NULL;
	free(json);
	return text;
}

static void begin(struct clients *all, bool of_emperor, int fd)
{
	char *text = compose(all, of_emperor);

	if (!text) {
		close(fd);
		return;
	}
	struct client *c = find_place(all);

	*c = (struct client){ .all = all, .text = text, .length = strlen(text) };
	ev_io_init(&c->io, on_client, fd, EV_READ);
	ev_init(&c->deadline, on_deadline);
	c->io.data = c->deadline.data = c;
	if (all->settings->http)
		wait_for(c, EV_READ, ASK_S);
	else
		answer(c);
}

static void on_listening(struct ev_loop *loop, ev_io *w, int events)
{
	const struct listening *l = (struct listening *)w;

	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		begin(w->data, l->of_emperor, fd);
	}
}

int clients_init(struct clients *all, const struct service_setup *setup,
		 const struct settings *settings, struct error *e)
{
	all->settings = settings;
	all->status = setup->status;
	all->loop = setup->loop;
	all->listening = calloc(setup->socket_count, sizeof *all->listening);
	if (!all->listening)
		return uwsgi_error_set(e, "out of memory");
	for (; all->listening_count < setup->socket_count; all->listening_count++) {
		size_t i = all->listening_count;
		struct listening *l = &all->listening[i];

		l->of_emperor = strncmp(setup->socket_options[i], "emperor-", 8) == 0;
		ev_io_init(&l->io, on_listening, setup->sockets[i], EV_READ);
		l->io.data = all;
		ev_io_start(all->loop, &l->io);
	}
	return 0;
}

/* The sockets are the core's. */
void clients_fini(struct clients *all)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (all->client[i].text)
			end(&all->client[i]);
	for (size_t i = 0; i < all->listening_count; i++)
		ev_io_stop(all->loop, &all->listening[i].io);
	free(all->listening);
}
