/* SPDX-License-Identifier: MIT */
/* service.c: the process of a service: its loop, and what the master tells it.  It was forked before
 * later generations were made, so the master sends it the scoreboard of the one that serves. */
#include "process/service.h"

#include "process/child.h"
#include "process/status.h"
#include "work/channel.h"
#include "work/order.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process {
	const struct service_start *start;
	struct ev_loop *loop;
	struct watch channel;
	struct status status;
	void *state; /* the plugin's */
	bool leaving;
};

/* ---- sockets ---- */

int service_listeners(struct listeners *own, const struct listeners *from, struct error *e)
{
	size_t count = from ? from->count : 0;

	*own = (struct listeners){ .items = calloc(count + 1, sizeof *own->items) };
	if (!own->items)
		return uwsgi_error_set(e, "out of memory");
	for (; own->count < count; own->count++) {
		struct listener *l = &own->items[own->count];

		*l = from->items[own->count];
		l->fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
		if (l->fd < 0)
			return uwsgi_error_set(e, "cannot keep a socket: %s", strerror(errno));
	}
	return 0;
}

/* Those on which the service itself answers, in memory that lives as long as the process. */
static int find_sockets(const struct service_start *start, struct service_setup *setup,
			struct error *e)
{
	const struct listeners *all = &start->listeners;
	int *fds = calloc(all->count + 1, sizeof *fds);
	const char **options = calloc(all->count + 1, sizeof *options);

	setup->sockets = fds;
	setup->socket_options = options;
	if (!fds || !options)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].service != start->service)
			continue;
		fds[setup->socket_count] = all->items[i].fd;
		options[setup->socket_count++] = all->items[i].option;
	}
	return 0;
}

/* ---- what the master says ---- */

/* How many more come at once. */
static int hear(struct process *p, const struct message *m, int fd)
{
	int more = 0;

	if (m->kind != MESSAGE_SCOREBOARD) {
		p->leaving = true;
	} else if (fd >= 0 && m->value >= 0 && m->worker > 0) {
		status_look_at(&p->status, fd, (size_t)m->value, (size_t)m->worker);
		more = m->slot;
	}
	if (fd >= 0)
		close(fd);
	return more;
}

static void hear_all(void *process)
{
	struct process *p = process;
	struct message m;
	int fd, got;

	while ((got = channel_receive(p->start->channel, &m, &fd)) > 0)
		hear(p, &m, fd);
	p->leaving = p->leaving || got < 0;
	if (got < 0)
		watch_stop(&p->channel, p->loop);
}

static void on_channel(struct watch *w)
{
	hear_all(w->data);
}

/* ---- what it asks of workers ---- */

int uwsgi_order(const struct status *status, pid_t worker, const struct order *order,
		struct error *e)
{
	const struct message m = order_message(worker, order);
	struct order checked;
	int ends[2];

	if (!order_read(&m, &checked))
		return uwsgi_error_set(e, "1 to %d seconds, 1 to %d a second", ORDER_SECONDS_MAX,
				       ORDER_HZ_MAX);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends))
		return uwsgi_error_set(e, "socketpair: %s", strerror(errno));
	bool sent = channel_send(status->channel, &m, ends[1]);

	close(ends[1]);
	if (sent)
		return ends[0];
	close(ends[0]);
	return uwsgi_error_set(e, "the master takes no order now");
}

/* ---- life ---- */

/* The master says first which scoreboards there are: before that, not all could be told of the workers. */
static int begin(struct process *p, struct error *e)
{
	const struct config *cfg = p->start->config;
	struct message m;
	int fd, more;

	p->status.metrics = p->start->metrics;
	p->status.vassals = p->start->vassals;
	p->status.crons = p->start->crons;
	do {
		if (channel_wait(p->start->channel, &m, &fd) <= 0)
			return uwsgi_error_set(e, "the master says nothing");
		more = hear(p, &m, fd);
	} while (more > 0);
	fcntl(p->start->channel, F_SETFL, O_NONBLOCK);
	p->status.channel = p->start->channel;
	p->loop = ev_loop_new(EVFLAG_AUTO);
	if (!p->loop)
		return uwsgi_error_set(e, "cannot make an event loop: %s", strerror(errno));
	struct service_setup setup = { .config = cfg, .loop = p->loop, .status = &p->status };

	if (find_sockets(p->start, &setup, e))
		return -1;
	return p->start->service->start(&setup, &p->state, e);
}

int service_run(const struct service_start *start)
{
	struct process p = { .start = start };
	struct message m = { .kind = MESSAGE_READY };
	struct error e;

	if (status_init(&p.status, &start->listeners, start->totals, start->slow, start->warnings,
			start->daemons, &e) ||
	    child_begin(start->config, start->name, start->master, &e) || begin(&p, &e)) {
		channel_send_failure(start->channel, &e);
		return EXIT_FAILURE;
	}
	watch_init(&p.channel, start->channel, EV_READ, on_channel, &p);
	watch_start(&p.channel, p.loop);
	p.status.hear = hear_all;
	p.status.hearer = &p;
	channel_send(start->channel, &m, -1);
	while (!p.leaving)
		ev_run(p.loop, EVRUN_ONCE);
	start->service->stop(p.state);
	return EXIT_SUCCESS;
}
