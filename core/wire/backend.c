/* SPDX-License-Identifier: MIT */
/* backend.c: takes a descriptor that other processes have open, too, out of a loop's epoll.  libev
 * leaves that to close(2), which does not do it then: when the file speaks, libev makes a new epoll
 * and adds each of its descriptors again, thousands where there are idle clients. */
#include "wire/backend.h"

#include <uwsgi/plugin.h>

#include <ev.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void on_probe(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)w;
	(void)events;
}

/* The only epoll that knows the probe.  The kernel gives the lowest numbers first: a loop that was
 * just made has a lower one than the probe. */
static int who_knows(int probe)
{
	struct epoll_event none = { 0 };

	for (int fd = probe - 1; fd >= 0; fd--)
		if (epoll_ctl(fd, EPOLL_CTL_MOD, probe, &none) == 0)
			return fd;
	return -1;
}

int backend_find(struct ev_loop *loop)
{
	int probe = ev_backend(loop) == EVBACKEND_EPOLL ? eventfd(0, EFD_CLOEXEC) : -1;
	int found;
	ev_io io;

	if (probe < 0)
		return -1;
	ev_io_init(&io, on_probe, probe, EV_READ);
	ev_io_start(loop, &io);
	ev_run(loop, EVRUN_NOWAIT);
	found = who_knows(probe);
	ev_io_stop(loop, &io);
	close(probe);
	if (found < 0)
		uwsgi_log(UWSGI_WARNING,
			  "the epoll descriptor of an event loop is not found: each "
			  "connection that moves away makes the loop build a new one");
	return found;
}

void backend_forget(int backend, int fd)
{
	struct epoll_event none = { 0 };

	if (backend >= 0)
		epoll_ctl(backend, EPOLL_CTL_DEL, fd, &none);
}
