/* SPDX-License-Identifier: MIT */
/* watch.c: a watcher of libev and the timer that starts it again. */
#include "wire/watch.h"

#include <uwsgi/plugin.h>

static const double again_s = 0.1;

/* After a start there is nothing to do: but that the kernel cannot watch a descriptor, libev says
 * only when something else happens. */
static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct watch *w = timer->data;

	(void)events;
	if (!w->failed)
		return;
	/* Set anew, or libev takes it for one that the kernel has. */
	ev_io_set(&w->io, w->io.fd, w->io.events & (EV_READ | EV_WRITE));
	ev_io_start(loop, &w->io);
}

static void start_again(struct watch *w, struct ev_loop *loop, double after_s)
{
	ev_timer_stop(loop, &w->again);
	ev_timer_set(&w->again, after_s, 0.);
	ev_timer_start(loop, &w->again);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct watch *w = io->data;

	if (!(events & EV_ERROR)) {
		w->failed = false;
		w->ready(w);
		return;
	}
	start_again(w, loop, again_s);
	if (!w->failed)
		uwsgi_log(UWSGI_ERROR, "the kernel cannot watch a descriptor (is it out of memory, "
				       "or fs.epoll.max_user_watches reached?); trying again");
	w->failed = true;
}

void watch_init(struct watch *w, int fd, int events, void (*ready)(struct watch *), void *data)
{
	*w = (struct watch){ .ready = ready, .data = data };
	ev_io_init(&w->io, on_io, fd, events);
	ev_init(&w->again, on_again);
	w->io.data = w->again.data = w;
}

void watch_start(struct watch *w, struct ev_loop *loop)
{
	ev_io_start(loop, &w->io);
	start_again(w, loop, 0.);
}

void watch_begin(struct watch *w, struct ev_loop *loop, int fd, void (*ready)(struct watch *),
		 void *data)
{
	watch_init(w, fd, EV_READ, ready, data);
	if (fd >= 0)
		watch_start(w, loop);
}

void watch_stop(struct watch *w, struct ev_loop *loop)
{
	ev_io_stop(loop, &w->io);
	ev_timer_stop(loop, &w->again);
}
