/* SPDX-License-Identifier: MIT */
/* lens.c: a service that looks into workers.  A client says "stacks PID" or "profile PID SECONDS HZ", and
 * gets what the worker answers. */
#include <uwsgi/plugin.h>

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct settings {
	struct option_list addresses;
};

static const struct option rows[] = {
	{ .name = "lens",
	  .type = OPT_LIST,
	  .listen = LISTEN_SERVICE,
	  .offset = offsetof(struct settings, addresses),
	  .unit = "ADDRESS",
	  .help = "look into workers for whoever connects here",
	  .example = "127.0.0.1:9192" },
};

static const struct option_table options = {
	.module = "lens",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

struct lens {
	const struct status *status;
	struct ev_loop *loop;
	ev_io listening;
};

struct client {
	struct lens *lens;
	int fd;
	ev_io asks;   /* what it asks; then, its end */
	ev_io answer; /* what the worker answers; not active yet: 0 */
};

static bool wants(const struct config *cfg)
{
	return ((const struct settings *)uwsgi_options(cfg, &options))->addresses.count > 0;
}

static void end(struct client *c)
{
	ev_io_stop(c->lens->loop, &c->asks);
	if (ev_is_active(&c->answer)) {
		ev_io_stop(c->lens->loop, &c->answer);
		close(c->answer.fd);
	}
	close(c->fd);
	free(c);
}

static void on_answer(struct ev_loop *loop, ev_io *w, int events)
{
	struct client *c = w->data;
	char bytes[65536];
	ssize_t n = read(w->fd, bytes, sizeof bytes);

	(void)loop, (void)events;
	if (n <= 0 || send(c->fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)
		end(c);
}

static void on_question(struct ev_loop *loop, ev_io *w, int events)
{
	struct client *c = w->data;
	struct order o = { .kind = ORDER_STACKS };
	struct error e;
	char line[100];
	long pid = 0;
	ssize_t n = read(w->fd, line, sizeof line - 1);

	(void)events;
	if (ev_is_active(&c->answer)) {
		end(c);
		return;
	}
	line[n > 0 ? n : 0] = '\0';
	if (sscanf(line, "profile %ld %d %d", &pid, &o.seconds, &o.hz) == 3)
		o.kind = ORDER_PROFILE;
	else
		sscanf(line, "stacks %ld", &pid);
	int answer = uwsgi_order(c->lens->status, (pid_t)pid, &o, &e);

	if (answer < 0) {
		dprintf(c->fd, "-%s\n", e.text);
		end(c);
		return;
	}
	ev_io_init(&c->answer, on_answer, answer, EV_READ);
	c->answer.data = c;
	ev_io_start(loop, &c->answer);
}

static void on_client(struct ev_loop *loop, ev_io *w, int events)
{
	struct client *c = calloc(1, sizeof *c);

	(void)events;
	c->lens = w->data;
	c->fd = accept(w->fd, NULL, NULL);
	ev_io_init(&c->asks, on_question, c->fd, EV_READ);
	c->asks.data = c;
	ev_io_start(loop, &c->asks);
}

static int start(const struct service_setup *setup, void **state, struct error *e)
{
	struct lens *l = calloc(1, sizeof *l);

	if (!l)
		return uwsgi_error_set(e, "out of memory");
	l->status = setup->status;
	l->loop = setup->loop;
	ev_io_init(&l->listening, on_client, setup->sockets[0], EV_READ);
	l->listening.data = l;
	ev_io_start(l->loop, &l->listening);
	*state = l;
	return 0;
}

static void stop(void *state)
{
	struct lens *l = state;

	ev_io_stop(l->loop, &l->listening);
}

static const struct service service = {
	.name = "lens", .wants = wants, .start = start, .stop = stop, .orders = wants
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI, .name = "lens", .options = &options, .service = &service
};
