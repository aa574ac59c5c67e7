/* SPDX-License-Identifier: MIT */
/* post.c: a POST to a collector, on a connection of its own; of the answer only the status counts. */
#include "otlp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the answer: its status line is all that is looked at. */
enum { ANSWER = 512 };

/* ---- where ---- */

int target_read(const char *url, struct target *t, struct error *e)
{
	static const char scheme[] = "http://";
	char host[256];
	size_t n;

	if (strncmp(url, scheme, sizeof scheme - 1) != 0)
		return uwsgi_error_set(e,
				       "%s: expected http://HOST:PORT, such as "
				       "http://127.0.0.1:4318 (a collector speaks TLS for it)",
				       url);
	url += sizeof scheme - 1;
	n = strcspn(url, "/");
	if (n >= sizeof host || strlen(url + n) >= sizeof t->path)
		return uwsgi_error_set(e, "it is too long");
	memcpy(host, url, n);
	host[n] = '\0';
	if (strpbrk(url, " \t\r\n@?#") || n == 0 || *url == ':')
		return uwsgi_error_set(e, "%s is no host and port", host);
	if (destination_valid(host, n, e))
		return -1;
	if (!t)
		return 0;
	destination_init(&t->to, "otlp", host, n);
	memcpy(t->host, host, n + 1);
	snprintf(t->path, sizeof t->path, "%s", url[n] && url[n + 1] ? url + n : "/v1/traces");
	return 0;
}

/* ---- one request ---- */

static void end(struct post *p, int status, const char *why)
{
	ev_io_stop(p->loop, &p->io);
	ev_timer_stop(p->loop, &p->deadline);
	close(p->io.fd);
	free(p->text);
	p->text = NULL;
	if (p->ended)
		p->ended(p, status, why);
}

static void wait_for(struct post *p, int events)
{
	ev_io_stop(p->loop, &p->io);
	ev_io_set(&p->io, p->io.fd, events);
	ev_io_start(p->loop, &p->io);
}

static void send_on(struct post *p)
{
	while (p->done < p->length) {
		ssize_t n = send(p->io.fd, p->text + p->done, p->length - p->done,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			end(p, 0, strerror(errno));
			return;
		}
		p->done += (size_t)n;
	}
	p->done = 0;
	p->length = p->length < ANSWER ? p->length : ANSWER;
	wait_for(p, EV_READ);
}

/* "HTTP/1.1 200 OK". */
static void read_on(struct post *p)
{
	ssize_t n = recv(p->io.fd, p->text + p->done, p->length - p->done, MSG_DONTWAIT);
	int status;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(p, 0, n < 0 ? strerror(errno) : "the collector has closed the connection");
		return;
	}
	p->done += (size_t)n;
	if (!memchr(p->text, '\n', p->done) && p->done < p->length)
		return;
	p->text[p->done - 1] = '\0';
	if (sscanf(p->text, "HTTP/1.%*[01] %3d", &status) == 1)
		end(p, status, "");
	else
		end(p, 0, "the collector speaks no HTTP");
}

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
	struct post *p = w->data;

	(void)loop;
	if (events & EV_WRITE)
		send_on(p);
	else
		read_on(p);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	end(w->data, 0, "the collector does not answer");
}

void post_init(struct post *p, struct ev_loop *loop, const struct target *target, double seconds)
{
	*p = (struct post){ .loop = loop, .target = target, .seconds = seconds };
}

void post_begin(struct post *p, char *json)
{
	const struct target *t = p->target;
	int fd = socket(t->to.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int n = asprintf(&p->text,
			 "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: uwsgi\r\n"
			 "Content-Type: application/json\r\nContent-Length: %zu\r\n"
			 "Connection: close\r\n\r\n%s",
			 t->path, t->host, strlen(json), json);

	free(json);
	p->length = n > 0 ? (size_t)n : 0;
	p->done = 0;
	ev_io_init(&p->io, on_io, fd, EV_WRITE);
	ev_timer_init(&p->deadline, on_deadline, p->seconds, 0.);
	p->io.data = p->deadline.data = p;
	if (n < 0)
		p->text = NULL;
	if (fd < 0 || n < 0 ||
	    (connect(fd, (const struct sockaddr *)&t->to.address, (socklen_t)t->to.length) &&
	     errno != EINPROGRESS)) {
		end(p, 0, strerror(errno));
		return;
	}
	ev_io_start(p->loop, &p->io);
	ev_timer_start(p->loop, &p->deadline);
}

void post_stop(struct post *p)
{
	p->ended = NULL;
	if (p->text)
		end(p, 0, "");
}
