/* SPDX-License-Identifier: MIT */
/* service.c: the process of a service: its loop, and what the master tells it.  It was forked before
 * later generations were made, so the master sends it the scoreboard of the one that serves. */
#include "process/service.h"

#include "base/clock.h"
#include "process/child.h"
#include "work/channel.h"
#include "work/scoreboard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct status {
	struct scoreboard board; /* of no slots: none has come yet */
};

struct process {
	const struct service_start *start;
	struct ev_loop *loop;
	struct watch channel;
	struct status status;
	void *state; /* the plugin's */
	bool leaving;
};

/* ---- what can be seen ---- */

static void copy(char *to, size_t size, const char *from)
{
	memcpy(to, from, size);
	to[size - 1] = '\0';
}

bool uwsgi_status_next(const struct status *status, size_t *i, struct lane_status *l)
{
	const struct scoreboard *b = &status->board;

	for (; *i < b->slots * b->lanes; ++*i) {
		struct slot_score *slot = &b->slot[*i / b->lanes];
		struct lane_score *lane = &b->lane[*i];
		pid_t pid = atomic_load(&slot->pid);

		if (!pid)
			continue;
		bool busy = atomic_load(&lane->busy);
		int64_t ran_ms = clock_monotonic_ms() - atomic_load(&lane->began_ms);

		*l = (struct lane_status){ .worker = atomic_load(&slot->worker),
					   .lane = (int)(*i % b->lanes),
					   .pid = pid,
					   .requests = atomic_load(&lane->requests),
					   .busy = busy,
					   .running_ms = busy && ran_ms > 0 ? ran_ms : 0 };
		copy(l->method, sizeof l->method, lane->method);
		copy(l->uri, sizeof l->uri, lane->uri);
		++*i;
		return true;
	}
	return false;
}

/* ---- what the master says ---- */

static void look_at(struct process *p, const struct message *m, int fd)
{
	struct scoreboard board;

	if (fd < 0 || m->value < 1 || m->worker < 1 ||
	    scoreboard_view(&board, fd, (size_t)m->value, (size_t)m->worker))
		return;
	scoreboard_fini(&p->status.board);
	p->status.board = board;
}

static void on_channel(struct watch *w)
{
	struct process *p = w->data;
	struct message m;
	int fd, got;

	while ((got = channel_receive(w->io.fd, &m, &fd)) > 0) {
		if (m.kind == MESSAGE_SCOREBOARD)
			look_at(p, &m, fd);
		else
			p->leaving = true;
		if (fd >= 0)
			close(fd);
	}
	p->leaving = p->leaving || got < 0;
	if (got < 0)
		watch_stop(w, p->loop);
}

/* ---- life ---- */

static int begin(struct process *p, struct error *e)
{
	const struct config *cfg = p->start->config;

	p->loop = ev_loop_new(EVFLAG_AUTO);
	if (!p->loop)
		return uwsgi_error_set(e, "cannot make an event loop: %s", strerror(errno));
	const struct service_setup setup = { cfg, p->loop, &p->status };

	return p->start->service->start(&setup, &p->state, e);
}

int service_run(const struct service_start *start)
{
	struct process p = { .start = start };
	struct message m = { .kind = MESSAGE_READY };
	struct error e;

	if (child_begin(start->config, start->name, start->master, &e) || begin(&p, &e)) {
		channel_send_failure(start->channel, &e);
		return EXIT_FAILURE;
	}
	watch_init(&p.channel, start->channel, EV_READ, on_channel, &p);
	watch_start(&p.channel, p.loop);
	channel_send(start->channel, &m, -1);
	while (!p.leaving)
		ev_run(p.loop, EVRUN_ONCE);
	start->service->stop(p.state);
	return EXIT_SUCCESS;
}
