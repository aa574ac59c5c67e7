/* SPDX-License-Identifier: MIT */
/* gather.c: asks workers, and collects what they say until all have said it or the time is over. */
#include "gather.h"
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What all of them may say together, in bytes; and what is read at a time. */
enum { BYTES_MAX = 64 << 20, READ = 65536 };

static struct ev_loop *loop_of(const struct gather *g)
{
	return g->client->server->loop;
}

/* ---- one answer ---- */

static void stop_part(struct part *p)
{
	if (!p->waits)
		return;
	p->waits = false;
	p->all->waiting--;
	ev_io_stop(loop_of(p->all), &p->io);
	close(p->io.fd);
}

static bool make_room(struct part *p)
{
	if (p->room - p->n > READ)
		return true;
	char *bigger = p->all->bytes > BYTES_MAX ? NULL : realloc(p->text, 2 * p->room + READ + 1);
	if (!bigger)
		return false;
	p->text = bigger;
	p->room = 2 * p->room + READ + 1;
	return true;
}

/* Its last line is empty. */
static bool is_whole(const struct part *p)
{
	return (p->n == 1 && p->text[0] == '\n') ||
	       (p->n > 1 && p->text[p->n - 1] == '\n' && p->text[p->n - 2] == '\n');
}

static void on_answer(struct ev_loop *loop, ev_io *w, int events)
{
	struct part *p = w->data;
	struct gather *all = p->all;
	ssize_t n = make_room(p) ? read(w->fd, p->text + p->n, READ) : 0;

	(void)loop;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		p->n += (size_t)n;
		p->text[p->n] = '\0';
		all->bytes += (size_t)n;
		p->whole = is_whole(p);
	}
	/* Not at the last line: a next order would find the worker still at this one. */
	if (n <= 0)
		stop_part(p);
	if (all->waiting == 0)
		all->done(all);
}

static void ask(struct part *p, const struct order *order)
{
	struct client *c = p->all->client;
	struct error e;
	int fd = uwsgi_order(client_status(c), p->pid, order, &e);

	if (fd < 0)
		return;
	p->waits = true;
	p->all->waiting++;
	ev_io_init(&p->io, on_answer, fd, EV_READ);
	p->io.data = p;
	ev_io_start(loop_of(p->all), &p->io);
}

/* ---- all of them ---- */

void gather_end(struct gather *g)
{
	if (g->over)
		g->over(g);
	ev_timer_stop(loop_of(g), &g->deadline);
	for (size_t i = 0; i < g->count; i++) {
		stop_part(&g->parts[i]);
		free(g->parts[i].text);
	}
	free(g->parts);
	free(g);
}

static void on_gone(void *mine)
{
	gather_end(mine);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
	struct gather *g = w->data;

	(void)loop;
	(void)events;
	for (size_t i = 0; i < g->count; i++) {
		g->parts[i].late = g->parts[i].waits && !g->parts[i].whole;
		stop_part(&g->parts[i]);
	}
	g->done(g);
}

/* The processes that have begun to serve, each once.  False: no memory. */
static bool find_workers(struct gather *g, int worker)
{
	const struct status *status = client_status(g->client);
	struct lane_status l;
	size_t i = 0;

	while (uwsgi_status_next(status, &i, &l)) {
		if ((worker && l.worker != worker) ||
		    (g->count && g->parts[g->count - 1].pid == l.pid))
			continue;
		struct part *more = realloc(g->parts, (g->count + 1) * sizeof *more);
		if (!more)
			return false;
		g->parts = more;
		g->parts[g->count++] = (struct part){ .worker = l.worker, .pid = l.pid };
	}
	return true;
}

struct gather *gather_begin(const struct gather *setup, const struct order *order, int worker,
			    double seconds)
{
	struct gather *g = malloc(sizeof *g);

	if (g)
		*g = *setup;
	if (!g || !find_workers(g, worker) || g->count == 0) {
		client_refuse(setup->client, 503, NULL,
			      !g || g->parts ? "out of memory\n" : "no such worker serves now\n");
		if (g)
			free(g->parts);
		free(g);
		return NULL;
	}
	ev_timer_init(&g->deadline, on_deadline, seconds, 0.);
	g->deadline.data = g;
	for (size_t i = 0; i < g->count; i++) {
		g->parts[i].all = g;
		ask(&g->parts[i], order);
	}
	/* Where none could be asked, that is said at once. */
	ev_timer_set(&g->deadline, g->waiting ? seconds : 0., 0.);
	ev_timer_start(loop_of(g), &g->deadline);
	client_wait(g->client, on_gone, g);
	return g;
}

/* ---- queries ---- */

struct slice query_find(struct slice query, struct slice name)
{
	while (query.n > 0) {
		const char *end = memchr(query.p, '&', query.n);
		struct slice one = { query.p, end ? (size_t)(end - query.p) : query.n };

		if (one.n > name.n && one.p[name.n] == '=' && !memcmp(one.p, name.p, name.n))
			return (struct slice){ one.p + name.n + 1, one.n - name.n - 1 };
		query.p += one.n + (end != NULL);
		query.n -= one.n + (end != NULL);
	}
	return (struct slice){ NULL, 0 };
}

bool query_number(struct slice query, struct slice name, long initial, long min, long max,
		  long *value)
{
	struct slice text = query_find(query, name);

	*value = text.p ? uwsgi_number(text) : initial;
	return !text.p || (*value >= min && *value <= max);
}
