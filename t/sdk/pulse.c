/* SPDX-License-Identifier: MIT */
/* pulse.c: a service outside the tree: whoever connects is told what each lane does, a line each. */
#include <uwsgi/plugin.h>

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct settings {
	const char *address, *mood;
};

static int valid(const char *text, struct error *e)
{
	return uwsgi_address(text, NULL, NULL, e);
}

static const struct option rows[] = {
	{ .name = "pulse",
	  .type = OPT_STRING,
	  .offset = offsetof(struct settings, address),
	  .valid = valid,
	  .unit = "ADDRESS",
	  .help = "tell whoever connects here what the workers do",
	  .example = "127.0.0.1:9191" },
	{ .name = "pulse-mood",
	  .type = OPT_STRING,
	  .offset = offsetof(struct settings, mood),
	  .initial = "well",
	  .help = "the first line; with \"ill\" the process ends when it is asked" },
};

static const struct option_table options = {
	.module = "pulse",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

static bool wants(const struct config *cfg)
{
	return ((const struct settings *)uwsgi_options(cfg, &options))->address != NULL;
}

struct pulse {
	const struct settings *settings;
	const struct status *status;
	struct ev_loop *loop;
	ev_io listening;
};

static void on_client(struct ev_loop *loop, ev_io *w, int events)
{
	struct pulse *p = w->data;
	int client = accept(w->fd, NULL, NULL);
	struct lane_status l;
	size_t i = 0;

	(void)loop;
	(void)events;
	if (client < 0)
		return;
	if (!strcmp(p->settings->mood, "ill"))
		abort();
	dprintf(client, "%s %d %ld\n", p->settings->mood, (int)getuid(), (long)getpid());
	while (uwsgi_status_next(p->status, &i, &l))
		dprintf(client, "worker %d lane %d pid %ld requests %llu %s %s %s\n", l.worker,
			l.lane, (long)l.pid, l.requests, l.busy ? "busy" : "idle", l.method, l.uri);
	close(client);
}

static int start(const struct service_setup *setup, void **state, struct error *e)
{
	struct pulse *p = calloc(1, sizeof *p);
	struct sockaddr_storage sa;
	size_t length;
	int fd, on = 1;

	if (!p)
		return uwsgi_error_set(e, "out of memory");
	p->settings = uwsgi_options(setup->config, &options);
	p->status = setup->status;
	p->loop = setup->loop;
	if (uwsgi_address(p->settings->address, (struct sockaddr *)&sa, &length, e))
		return -1;
	fd = socket(sa.ss_family, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&sa, (socklen_t)length) || listen(fd, 8))
		return uwsgi_error_set(e, "pulse = %s: cannot listen", p->settings->address);
	ev_io_init(&p->listening, on_client, fd, EV_READ);
	p->listening.data = p;
	ev_io_start(p->loop, &p->listening);
	*state = p;
	return 0;
}

static void stop(void *state)
{
	struct pulse *p = state;

	ev_io_stop(p->loop, &p->listening);
	close(p->listening.fd);
	uwsgi_log(UWSGI_NOTE, "the pulse stops");
}

static const struct service service = {
	.name = "pulse", .wants = wants, .start = start, .stop = stop
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI, .name = "pulse", .options = &options, .service = &service
};
