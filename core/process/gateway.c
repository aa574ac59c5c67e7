/* SPDX-License-Identifier: MIT */
/* gateway.c: the process of a gateway: accepts its clients, reads whole requests and hands them
 * to the plugin, which ends each response when it has one.  Nothing here waits for anybody but
 * in the loop, so one process holds many clients. */
#include "process/gateway.h"

#include "wire/acceptor.h"
#include "work/channel.h"
#include "process/child.h"
#include "work/hooks.h"
#include "work/lane.h"
#include "wire/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Connections taken before anything else is looked at. */
enum { ACCEPTS_A_TURN = 64 };

struct process {
	const struct gateway_start *start;
	const struct gateway *gateway;
	void *state; /* the plugin's */
	struct ev_loop *loop;
	struct clients clients;
	struct header_rules rules;
	struct trust trust;
	struct acceptor acceptor;
	struct watch channel;
	bool leaving;
	bool last_call; /* what waits at the sockets is served, too */
};

/* ---- requests ---- */

static void on_run(void *host, struct exchange *x)
{
	struct process *p = host;

	x->handled = p->gateway->handle(p->state, &x->rq, &x->rs);
}

static void on_gone(void *host, struct exchange *x)
{
	struct process *p = host;

	p->gateway->gone(p->state, x->handled);
}

static void on_said_all(void *host, struct exchange *x)
{
	struct process *p = host;

	if (p->gateway->said_all)
		p->gateway->said_all(p->state, x->handled);
}

static void on_refused(void *host, struct exchange *x)
{
	(void)host;
	request_log_refusal(&x->rq);
}

/* The worker that made the answer has logged it. */
static void on_unsent(void *host, struct exchange *x)
{
	(void)host;
	(void)x;
}

static void on_release(void *host, void *const *owners, size_t count)
{
	struct process *p = host;

	p->gateway->release(p->state, owners, count);
}

static const struct clients_host host_functions = {
	.run = on_run,
	.gone = on_gone,
	.said_all = on_said_all,
	.refused = on_refused,
	.unsent = on_unsent,
	.release = on_release,
};

/* ---- life ---- */

static void on_channel(struct watch *w)
{
	struct process *p = w->data;
	struct message m;
	int got = channel_receive(w->io.fd, &m, NULL);
	int64_t end_ms;

	if (got == 0)
		return;
	if (got < 0)
		watch_stop(w, p->loop);
	p->leaving = true;
	end_ms = got > 0 ? m.value : 1;
	if (end_ms == 0) {
		acceptor_stop(&p->acceptor);
		clients_leave(&p->clients);
		return;
	}
	p->last_call = got > 0 && m.slot;
	if (p->last_call)
		acceptor_last_call(&p->acceptor);
	acceptor_empty(&p->acceptor, ACCEPTOR_LEFT);
	clients_end(&p->clients, (double)end_ms / 1000);
}

/* Where the workers listen for this process, whose name only the kernel knows. */
static void find_workers(const struct listeners *listeners, struct sockaddr_storage *sa,
			 size_t *length)
{
	*length = 0;
	for (size_t i = 0; i < listeners->count; i++) {
		socklen_t n = sizeof *sa;

		if (listeners->items[i].internal &&
		    getsockname(listeners->items[i].fd, (struct sockaddr *)sa, &n) == 0)
			*length = n;
	}
}

static int start_plugin(struct process *p, struct error *e)
{
	struct sockaddr_storage workers;
	struct gateway_setup setup = { .config = p->start->config,
				       .loop = p->loop,
				       .workers = (struct sockaddr *)&workers };

	find_workers(p->start->listeners, &workers, &setup.workers_length);
	return p->gateway->start(&setup, &p->state, e);
}

static void watch(struct process *p)
{
	watch_init(&p->channel, p->start->channel, EV_READ, on_channel, p);
	watch_start(&p->channel, p->loop);
	acceptor_start(&p->acceptor);
}

static int begin(struct process *p, struct error *e)
{
	static const struct option_list none;
	const struct config *cfg = p->start->config;
	const int queues[ACCEPTOR_QUEUES] = {
		[ACCEPTOR_NEIGHBOURS] = -1, [ACCEPTOR_LEFT] = p->start->successors.take
	};
	struct gateway_needs needs = { 0 };
	struct clients_setup clients = { .config = cfg,
					 .rules = &p->rules,
					 .listeners = p->start->listeners,
					 .neighbours = -1,
					 .successors = p->start->successors.give,
					 /* A client, and who answers it. */
					 .room = { .descriptors_each = 2, .lanes = 1 } };

	p->gateway->needs(cfg, &needs);
	lane_limits(cfg, &clients);
	if (needs.buffer_size)
		clients.buffer_size = (size_t)needs.buffer_size;
	if (needs.post_buffering)
		clients.limits.post_buffering = needs.post_buffering;
	p->loop = ev_loop_new(EVFLAG_AUTO);
	if (!p->loop)
		return uwsgi_error_set(e, "cannot make an event loop: %s", strerror(errno));
	/* The workers have applied the others. */
	if (header_rules_init(&p->rules, cfg, e) ||
	    trust_init(&p->trust, cfg, &p->start->totals->untrusted, e))
		return -1;
	clients.limits.trust = &p->trust;
	p->rules.add_count = 0;
	p->rules.remove = &none;
	clients_init(&p->clients, p->loop, &host_functions, p, &clients);
	if (acceptor_init(&p->acceptor, &p->clients, p->gateway, queues, ACCEPTS_A_TURN, e))
		return -1;
	return start_plugin(p, e);
}

static bool is_through(struct process *p)
{
	if (!p->leaving || p->clients.open_count > 0)
		return false;
	return !p->last_call || acceptor_is_through(&p->acceptor);
}

int gateway_run(const struct gateway_start *start)
{
	struct process p = { .start = start, .gateway = start->gateway };
	struct message m = { .kind = MESSAGE_READY };
	struct error e;

	if (child_begin(start->config, start->name, start->master, &e) ||
	    hooks_run(start->config, HOOK_AS_GATEWAY, &e) || begin(&p, &e)) {
		channel_send_failure(start->channel, &e);
		return EXIT_FAILURE;
	}
	watch(&p);
	channel_send(start->channel, &m, -1);
	while (!is_through(&p)) {
		ev_run(p.loop, EVRUN_ONCE);
		if (p.clients.grace_over && !p.last_call)
			acceptor_stop(&p.acceptor);
	}
	return EXIT_SUCCESS;
}
