/* SPDX-License-Identifier: MIT */
/* sender.c: sends a text over a TCP connection of its own, within a deadline, and tries again a few
 * times when that fails. */
#include "push.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void begin(struct sender *);

static void hang_up(struct sender *s)
{
	ev_io_stop(s->loop, &s->io);
	ev_timer_stop(s->loop, &s->deadline);
	if (s->io.fd >= 0)
		close(s->io.fd);
	s->io.fd = -1;
}

static void end(struct sender *s)
{
	hang_up(s);
	free(s->text);
	s->text = NULL;
}

static void set_timer(struct sender *s, long long seconds)
{
	ev_timer_stop(s->loop, &s->deadline);
	ev_timer_set(&s->deadline, (double)seconds, 0.);
	ev_timer_start(s->loop, &s->deadline);
}

static void fail(struct sender *s, const char *why)
{
	hang_up(s);
	if (!s->failed)
		uwsgi_log(UWSGI_WARNING, "carbon %s: %s; this is said once", s->to.text, why);
	s->failed = true;
	s->waits = s->retries_left-- > 0;
	if (s->waits)
		set_timer(s, s->retry_s);
	else
		end(s);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
	struct sender *s = w->data;

	(void)loop;
	(void)events;
	if (s->waits)
		begin(s);
	else
		fail(s, s->connected ? "it does not take what is sent" : "it does not answer");
}

/* Whether the connection that was begun is there. */
static bool finish_connecting(struct sender *s)
{
	int why = 0;
	socklen_t n = sizeof why;

	getsockopt(s->io.fd, SOL_SOCKET, SO_ERROR, &why, &n);
	if (why)
		fail(s, strerror(why));
	s->connected = !why;
	return s->connected;
}

static void on_writable(struct ev_loop *loop, ev_io *w, int events)
{
	struct sender *s = w->data;

	(void)loop;
	(void)events;
	if (!s->connected && !finish_connecting(s))
		return;
	while (s->sent < s->length) {
		ssize_t n = send(s->io.fd, s->text + s->sent, s->length - s->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != EINTR) {
			fail(s, strerror(errno));
			return;
		}
		s->sent += n > 0 ? (size_t)n : 0;
	}
	s->failed = false;
	end(s);
}

static void begin(struct sender *s)
{
	s->sent = 0;
	s->connected = s->waits = false;
	if (!destination_find(&s->to)) {
		/* Its name is looked up: soon it may be known. */
		s->waits = true;
		set_timer(s, 1);
		return;
	}
	int fd = socket(s->to.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	s->io.fd = fd;
	if (fd < 0 || (connect(fd, (struct sockaddr *)&s->to.address, (socklen_t)s->to.length) &&
		       errno != EINPROGRESS)) {
		fail(s, strerror(errno));
		return;
	}
	ev_io_set(&s->io, fd, EV_WRITE);
	ev_io_start(s->loop, &s->io);
	set_timer(s, s->timeout_s);
}

void sender_init(struct sender *s, struct ev_loop *loop, const char *address,
		 const struct push_settings *settings)
{
	*s = (struct sender){ .loop = loop,
			      .timeout_s = settings->carbon_timeout_s,
			      .retries = settings->carbon_retries,
			      .retry_s = settings->carbon_retry_s };
	destination_init(&s->to, "stats-push", address, strlen(address));
	ev_io_init(&s->io, on_writable, -1, EV_WRITE);
	ev_init(&s->deadline, on_deadline);
	s->io.data = s->deadline.data = s;
}

void sender_fini(struct sender *s)
{
	end(s);
	destination_fini(&s->to);
}

/* A name that is still looked up keeps the newest. */
void sender_send(struct sender *s, char *text)
{
	if (s->text && s->io.fd >= 0) {
		free(text);
		return;
	}
	end(s);
	s->text = text;
	s->length = strlen(text);
	s->retries_left = s->retries;
	begin(s);
}
