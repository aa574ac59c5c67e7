/* SPDX-License-Identifier: MIT */
/* reign.c: the shell around one generation: forks its zygote and its gateways, orders workers
 * from the zygote, carries messages, and does to processes what the tables say.  It decides nothing. */
#include "reign.h"

#include "clock.h"
#include "gateway.h"
#include "handover.h"
#include "worker.h"
#include "zygote.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- messages ---- */

static void read_zygote(struct reign *r)
{
	struct message m;
	int got;

	while (r->zygote_channel >= 0 &&
	       (got = channel_receive(r->zygote_channel, &m, NULL)) != 0) {
		if (got > 0) {
			r->host->message(r->host->data, r, NULL, &m);
			continue;
		}
		ev_io_stop(r->host->loop, &r->zygote_io);
		close(r->zygote_channel);
		r->zygote_channel = -1;
	}
}

static void read_worker(struct reign *r, struct slot *slot)
{
	struct message m;
	int got;

	while (slot->channel >= 0 && (got = channel_receive(slot->channel, &m, NULL)) != 0) {
		if (got > 0) {
			r->host->message(r->host->data, r, slot, &m);
			continue;
		}
		ev_io_stop(r->host->loop, &r->slot_io[slot - r->gen.slots]);
		close(slot->channel);
		slot->channel = -1;
	}
}

void reign_read_messages(struct reign *r)
{
	read_zygote(r);
	for (size_t i = 0; i < r->gen.slot_count; i++)
		read_worker(r, &r->gen.slots[i]);
}

static void on_zygote(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	read_zygote(w->data);
}

static void on_worker(struct ev_loop *loop, ev_io *w, int events)
{
	struct reign *r = w->data;

	(void)loop;
	(void)events;
	read_worker(r, &r->gen.slots[w - r->slot_io]);
}

/* ---- life ---- */

struct reign *reign_new(const struct reign_host *host, const struct reign_setup *setup,
			struct config *cfg, struct listeners *listeners, int number,
			const struct reign *heir, struct error *e)
{
	const struct worker_settings *s = uwsgi_options(cfg, &worker_options);
	const struct gateway *gateway = listeners_gateway(listeners);
	struct gateway_needs needs = { 0 };
	struct reign *r = calloc(1, sizeof *r);

	if (!r) {
		listeners_close(listeners, heir ? &heir->listeners : NULL, true);
		config_free(cfg);
		uwsgi_error_set(e, "out of memory");
		return NULL;
	}
	*r = (struct reign){
		.host = host,
		.setup = setup,
		.config = cfg,
		.listeners = *listeners,
		.limits = uwsgi_options(cfg, &limits_options),
		.handover = { -1, -1 },
		.zygote_channel = -1,
		.began_ms = clock_monotonic_ms(),
		.is_reload = number > 1,
	};
	*listeners = (struct listeners){ 0 };
	if (gateway)
		gateway->needs(cfg, &needs);
	if (generation_init(&r->gen, number, (int)s->processes, needs.processes,
			    gateway ? gateway->name : NULL, e) ||
	    scoreboard_init(&r->scoreboard, r->gen.slot_count, (size_t)s->threads, e) ||
	    (s->processes * s->threads > 1 && handover_open(r->handover, e)) ||
	    !(r->slot_io = calloc(r->gen.slot_count, sizeof *r->slot_io))) {
		if (!r->slot_io && r->scoreboard.slot)
			uwsgi_error_set(e, "out of memory");
		reign_free(r, heir, true);
		return NULL;
	}
	return r;
}

static void close_handover(const struct reign *r)
{
	for (int i = 0; i < 2; i++)
		if (r->handover[i] >= 0)
			close(r->handover[i]);
}

void reign_free(struct reign *r, const struct reign *heir, bool unlink_paths)
{
	if (r->zygote_channel >= 0) {
		ev_io_stop(r->host->loop, &r->zygote_io);
		close(r->zygote_channel);
	}
	close_handover(r);
	listeners_close(&r->listeners, heir ? &heir->listeners : NULL, unlink_paths);
	generation_fini(&r->gen);
	scoreboard_fini(&r->scoreboard);
	config_free(r->config);
	free(r->slot_io);
	free(r);
}

void reign_close_channels(struct reign *r)
{
	if (r->zygote_channel >= 0)
		close(r->zygote_channel);
	for (size_t i = 0; i < r->gen.slot_count; i++)
		if (r->gen.slots[i].channel >= 0)
			close(r->gen.slots[i].channel);
}

void reign_close_sockets(struct reign *r, const struct reign *kept)
{
	close_handover(r);
	listeners_close(&r->listeners, &kept->listeners, false);
}

static _Noreturn void become_zygote(struct reign *r, pid_t master, int channel)
{
	const struct reign_setup *setup = r->setup;
	const struct worker_settings *s = uwsgi_options(r->config, &worker_options);
	const struct zygote_setup zygote = {
		.worker = {
			.config = r->config,
			.listeners = &r->listeners,
			.handover = { r->handover[0], r->handover[1] },
			.app = setup->loader->app,
			.scoreboard = &r->scoreboard,
			.tally = setup->tally,
			.info = {
				.processes = (int)s->processes,
				.threads = (int)s->threads,
				.master = master,
				.reloaded = r->is_reload,
			},
		},
		.start_folder = setup->start_folder,
		.channel = channel,
	};

	setup->forked(setup->data, r);
	zygote_run(&zygote);
}

int reign_start(struct reign *r, struct error *e)
{
	int ends[2];
	pid_t master = getpid();

	if (channel_pair(ends, e))
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		become_zygote(r, master, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return uwsgi_error_set(e, "cannot fork: %s", strerror(errno));
	}
	r->zygote = pid;
	r->zygote_channel = ends[0];
	ev_io_init(&r->zygote_io, on_zygote, ends[0], EV_READ);
	r->zygote_io.data = r;
	ev_io_start(r->host->loop, &r->zygote_io);
	return 0;
}

/* ---- what the tables ask for ---- */

static bool order_worker(struct reign *r, struct slot *slot, int channel)
{
	struct message m = { .kind = MESSAGE_FORK,
			     .slot = (int)(slot - r->gen.slots),
			     .worker = slot->post };

	return r->zygote_channel >= 0 && channel_send(r->zygote_channel, &m, channel);
}

static bool fork_gateway(struct reign *r, struct slot *slot, const int ends[2])
{
	pid_t master = getpid(), pid = fork();

	if (pid == 0) {
		const struct gateway_start start = {
			.config = r->config,
			.listeners = &r->listeners,
			.gateway = listeners_gateway(&r->listeners),
			.name = slot->name,
			.channel = ends[1],
			.master = master,
		};

		close(ends[0]);
		r->setup->forked(r->setup->data, r);
		_exit(gateway_run(&start));
	}
	if (pid < 0)
		uwsgi_log(UWSGI_ERROR, "cannot fork %s: %s", slot->name, strerror(errno));
	else
		slot->pid = pid;
	return pid > 0;
}

static bool order_fork(struct reign *r, struct slot *slot)
{
	size_t index = (size_t)(slot - r->gen.slots);
	struct error e;
	int ends[2];

	if (channel_pair(ends, &e)) {
		uwsgi_log(UWSGI_ERROR, "cannot start %s: %s", slot->name, e.text);
		return false;
	}
	scoreboard_clear(&r->scoreboard, index);
	bool ordered = generation_is_gateway(&r->gen, slot) ? fork_gateway(r, slot, ends)
							    : order_worker(r, slot, ends[1]);
	close(ends[1]);
	if (!ordered) {
		close(ends[0]);
		return false;
	}
	slot->channel = ends[0];
	ev_io_init(&r->slot_io[index], on_worker, ends[0], EV_READ);
	r->slot_io[index].data = r;
	ev_io_start(r->host->loop, &r->slot_io[index]);
	return true;
}

enum slot_action reign_apply(struct reign *r, struct slot *slot, enum slot_event event)
{
	int64_t now_ms = clock_monotonic_ms();
	enum slot_action action = generation_step(slot, event, now_ms);
	struct message leave = { .kind = MESSAGE_LEAVE, .value = r->is_last };

	switch (action) {
	case SLOT_FORK:
		if (!order_fork(r, slot)) {
			/* As if it had died young: the delay keeps this from becoming a loop. */
			generation_note_death(&r->gen, slot, now_ms);
			generation_step(slot, SLOT_DIED, now_ms);
		}
		break;
	case SLOT_ASK:
		slot->kill_at_ms = now_ms + r->limits->worker_mercy_s * 1000;
		if (slot->channel >= 0)
			channel_send(slot->channel, &leave, -1);
		break;
	case SLOT_KILL:
		if (slot->pid > 0)
			kill(slot->pid, SIGKILL);
		break;
	case SLOT_NOTHING:
	case SLOT_REPORT:
	case SLOT_BUG:
		break;
	}
	return action;
}

static void ask_to_leave(struct reign *r)
{
	bool workers_stay = r->is_last && !generation_has_no_gateway(&r->gen);

	for (size_t i = 0; i < r->gen.slot_count; i++) {
		struct slot *slot = &r->gen.slots[i];

		if (workers_stay && !generation_is_gateway(&r->gen, slot))
			continue;
		reign_apply(r, slot, SLOT_LEAVE);
		if (slot->state == SLOT_LEAVING)
			slot->kill_at_ms = r->drained_by_ms;
	}
}

void reign_drain(struct reign *r, long long mercy_s, bool is_last)
{
	r->drained_by_ms = clock_monotonic_ms() + mercy_s * 1000;
	r->is_last = is_last;
	ask_to_leave(r);
}

void reign_kill(struct reign *r)
{
	if (r->zygote > 0)
		kill(r->zygote, SIGKILL);
	for (size_t i = 0; i < r->gen.slot_count; i++)
		reign_apply(r, &r->gen.slots[i], SLOT_OVERDUE);
}

struct slot *reign_find(struct reign *r, pid_t pid)
{
	for (size_t i = 0; i < r->gen.slot_count; i++)
		if (r->gen.slots[i].state != SLOT_VACANT && r->gen.slots[i].pid == pid)
			return &r->gen.slots[i];
	return NULL;
}

enum slot_action reign_bury(struct reign *r, struct slot *slot)
{
	if (slot->channel >= 0) {
		ev_io_stop(r->host->loop, &r->slot_io[slot - r->gen.slots]);
		close(slot->channel);
		slot->channel = -1;
	}
	slot->pid = 0;
	enum slot_action action = reign_apply(r, slot, SLOT_DIED);

	if (r->drained_by_ms && generation_is_gateway(&r->gen, slot))
		ask_to_leave(r);
	return action;
}

/* ---- news ---- */

void reign_note_failure(struct reign *r, const char *why)
{
	if (!r->failure[0])
		snprintf(r->failure, sizeof r->failure, "%s", why);
}

void reign_note_imported(struct reign *r, const struct message *msg)
{
	const struct worker_settings *s = uwsgi_options(r->config, &worker_options);

	r->gen.imported = true;
	if (msg->text[0])
		uwsgi_log(UWSGI_ERROR, "%s; every request is answered with 500", msg->text);
	else if (s->lazy_apps)
		uwsgi_log(UWSGI_NOTE,
			  "interpreter ready in %lld ms (pid %ld); each worker imports "
			  "the application itself",
			  (long long)msg->value, (long)r->zygote);
	else
		uwsgi_log(UWSGI_NOTE, "application imported in %lld ms (pid %ld)",
			  (long long)msg->value, (long)r->zygote);
}

void reign_note_forked(struct reign *r, const struct message *msg)
{
	if (msg->slot < 0 || (size_t)msg->slot >= r->gen.slot_count)
		return;
	struct slot *slot = &r->gen.slots[msg->slot];

	if (msg->value > 0) {
		if (slot->state == SLOT_KILLED || slot->state == SLOT_VACANT)
			kill((pid_t)msg->value, SIGKILL);
		if (slot->state != SLOT_VACANT)
			slot->pid = (pid_t)msg->value;
		return;
	}
	uwsgi_log(UWSGI_ERROR, "cannot fork %s: %s", slot->name,
		  strerror((int)-msg->value));
	generation_note_death(&r->gen, slot, clock_monotonic_ms());
	reign_bury(r, slot);
}

void reign_bury_unborn(struct reign *r)
{
	for (size_t i = 0; i < r->gen.slot_count; i++)
		if (r->gen.slots[i].state != SLOT_VACANT && r->gen.slots[i].pid == 0)
			reign_bury(r, &r->gen.slots[i]);
}

void reign_print_status(const struct reign *r)
{
	for (size_t i = 0; i < r->gen.slot_count; i++) {
		const struct slot *slot = &r->gen.slots[i];
		unsigned long long requests = atomic_load(&r->scoreboard.slot[i].requests);
		char served[32] = "";

		if (slot->state == SLOT_VACANT)
			continue;
		if (!generation_is_gateway(&r->gen, slot))
			snprintf(served, sizeof served, ", %llu requests", requests);
		uwsgi_log(UWSGI_NOTE, "generation %d %s (pid %ld): %s%s", r->gen.number,
			  slot->name, (long)slot->pid, slot_state_name(slot->state), served);
	}
}

/* ---- limits ---- */

static void find_overdue(const struct reign *r, size_t index, struct observed *o)
{
	int64_t now_ms = clock_monotonic_ms();

	for (size_t i = 0; i < r->scoreboard.lanes; i++) {
		struct lane_score *score = scoreboard_lane(&r->scoreboard, index, i);
		int64_t deadline_ms =
			atomic_load_explicit(&score->deadline_ms, memory_order_acquire);

		if (deadline_ms == 0 || now_ms - deadline_ms <= o->overdue_ms)
			continue;
		o->overdue_ms = now_ms - deadline_ms;
		o->ran_ms = now_ms - atomic_load_explicit(&score->began_ms, memory_order_relaxed);
		o->method = score->method;
		o->uri = score->uri;
	}
}

/* One line of a file of /proc about the worker; root may be needed to see more than "0". */
static void log_proc(const struct slot *slot, const char *name)
{
	char path[64], text[256] = "";

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)slot->pid, name);
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(text, sizeof text, f))
		uwsgi_log(UWSGI_NOTE, "%s (pid %ld): %s: %.*s", slot->name, (long)slot->pid, name,
			  (int)strcspn(text, "\n"), text);
	fclose(f);
}

static void judge(struct reign *r, struct slot *slot)
{
	size_t index = (size_t)(slot - r->gen.slots);
	struct observed o = { .worker = slot->post,
			      .age_ms = clock_monotonic_ms() - slot->since_ms,
			      .exhausted = slot->exhausted,
			      .requests = atomic_load(&r->scoreboard.slot[index].requests) };
	struct error why;

	find_overdue(r, index, &o);
	if (limits_need_memory(r->limits) && slot->state == SLOT_SERVING)
		o.memory = memory_of(slot->pid);
	if (limits_need_shares(r->limits) && slot->state == SLOT_SERVING)
		memory_add_shares(&o.memory, slot->pid);
	switch (limits_judge(r->limits, &o, &why)) {
	case LIMITS_KILL:
		if (r->limits->harakiri_verbose) {
			log_proc(slot, "wchan");
			log_proc(slot, "syscall");
		}
		uwsgi_log(UWSGI_WARNING, "%s (pid %ld) killed: %s; restarting", slot->name,
			  (long)slot->pid, why.text);
		reign_apply(r, slot, SLOT_OVERDUE);
		break;
	case LIMITS_REPLACE:
		if (slot->state == SLOT_SERVING && !slot->replace) {
			uwsgi_log(UWSGI_NOTE, "%s (pid %ld) is replaced: %s", slot->name,
				  (long)slot->pid, why.text);
			slot->replace = true;
		}
		break;
	case LIMITS_STAY:
		break;
	}
}

void reign_enforce_limits(struct reign *r)
{
	for (size_t i = 0; i < r->gen.slot_count; i++) {
		struct slot *slot = &r->gen.slots[i];

		if (slot->pid > 0 && !generation_is_gateway(&r->gen, slot) &&
		    (slot->state == SLOT_SERVING || slot->state == SLOT_LEAVING))
			judge(r, slot);
	}
}

bool reign_has_limits(const struct reign *r)
{
	return lane_has_deadlines(r->config) || limits_need_memory(r->limits) ||
	       limits_need_age(r->limits);
}
