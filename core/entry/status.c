/* SPDX-License-Identifier: MIT */
/* status.c: --status and --top: asks the master of a pidfile, and has a plugin show what it says.  The
 * server needs no option for that. */
#include "entry/status.h"

#include "base/clock.h"
#include "process/pidfile.h"
#include "process/view.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A second signal that comes before the first was seen is merged with it, and its ticket is lost. */
enum { ASK_AGAIN_MS = 250, ASKS = 8 };

struct looking {
	struct found_master master;
	struct view view;
};

static int say_nothing_came(const struct looking *l, bool ended, struct error *e)
{
	if (ended)
		return uwsgi_error_set(e, "the server has ended");
	return uwsgi_error_set(
		e,
		"process %ld says nothing: it is stopped, of an older version, or in "
		"another container, where this program can ask it",
		(long)l->master.pid);
}

/* Returns -1 with the reason. */
static int ask(struct looking *l, int fd, uint64_t ticket, struct error *e)
{
	struct pollfd what[] = { { .fd = fd, .events = POLLIN },
				 { .fd = l->master.pidfd, .events = POLLIN } };

	for (int i = 0; i < ASKS && !what[1].revents; i++) {
		int64_t until_ms = clock_monotonic_ms() + ASK_AGAIN_MS, left_ms;

		if (pidfile_signal(&l->master, SIGUSR1, ticket, e))
			return -1;
		while (!what[1].revents && (left_ms = until_ms - clock_monotonic_ms()) > 0) {
			if (poll(what, 2, (int)left_ms) <= 0 || !what[0].revents)
				continue;
			int got = view_receive(&l->view, fd, e);

			if (got)
				return got > 0 ? 0 : -1;
		}
	}
	return say_nothing_came(l, what[1].revents, e);
}

static const struct status *look(void *data, struct error *e)
{
	struct looking *l = data;
	uint64_t ticket;
	int fd = view_listen(&ticket, e);

	if (fd < 0)
		return NULL;
	int failed = ask(l, fd, ticket, e);

	close(fd);
	return failed ? NULL : &l->view.status;
}

static const struct service *find_service(struct loader *ld, struct error *e)
{
	if (loader_load(ld, "inspect", e))
		return NULL;
	for (size_t i = 0; i < ld->plugins.count; i++)
		if (ld->plugins.items[i]->service && ld->plugins.items[i]->service->show)
			return ld->plugins.items[i]->service;
	uwsgi_error_set(e, "the plugin inspect cannot show it");
	return NULL;
}

static int show_master(struct looking *l, const struct service *service, enum show_form form,
		       struct error *e)
{
	const struct show show = { .form = form, .look = look, .data = l };
	int exit_code = -1;

	if (view_init(&l->view, l->master.pid, e) == 0)
		exit_code = service->show(&show);
	view_fini(&l->view);
	close(l->master.pidfd);
	return exit_code;
}

int status_show(struct loader *ld, const char *pidfile, enum show_form form)
{
	const char *name = form == SHOW_TOP ? "--top" : "--status";
	const struct service *service = NULL;
	struct looking l;
	struct error e;
	int exit_code = -1;

	if (!pidfile)
		uwsgi_error_set(&e, "which pidfile? %s PIDFILE", name);
	else if ((service = find_service(ld, &e)) &&
		 pidfile_find_master(pidfile, &l.master, &e) == 0)
		exit_code = show_master(&l, service, form, &e);
	if (exit_code >= 0)
		return exit_code;
	fprintf(stderr, "%s: %s\n", name, e.text);
	return EXIT_FAILURE;
}
