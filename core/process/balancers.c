/* SPDX-License-Identifier: MIT */
/* balancers.c: what waits for on-ready and on-drain. */
#include "process/balancers.h"

#include "base/clock.h"
#include "process/drain.h"

void balancers_init(struct balancers *b, struct announcer *announcer, struct succession *succession,
		    pid_t (*fork)(void *data, const char *command, const char *name), void *data)
{
	*b = (struct balancers){ .announcer = announcer, .succession = succession };
	errand_init(&b->on_ready, "on-ready");
	errand_init(&b->on_drain, "on-drain");
	b->on_ready.fork = b->on_drain.fork = fork;
	b->on_ready.data = b->on_drain.data = data;
}

/* False: there is no command. */
static bool begin(struct errand *r, const struct option_list *commands, long long timeout_s)
{
	if (commands->count > 0)
		errand_begin(r, commands, timeout_s * 1000);
	return commands->count > 0;
}

void balancers_serve(struct balancers *b, const struct config *cfg)
{
	const struct drain_settings *s = uwsgi_options(cfg, &drain_options);

	if (!b->was_ready && begin(&b->on_ready, &s->on_ready, s->timeout_s))
		announce_hold(b->announcer);
	b->was_ready = true;
}

bool balancers_drain(struct balancers *b, const struct config *cfg)
{
	const struct drain_settings *s = uwsgi_options(cfg, &drain_options);

	return begin(&b->on_drain, &s->on_drain, s->timeout_s);
}

void balancers_break_off(struct balancers *b)
{
	errand_break_off(&b->on_ready);
	errand_break_off(&b->on_drain);
}

bool balancers_step(struct balancers *b, int64_t *due_ms)
{
	int64_t now_ms = clock_monotonic_ms();

	if (errand_step(&b->on_ready, now_ms, due_ms))
		announce_release(b->announcer);
	if (!errand_step(&b->on_drain, now_ms, due_ms))
		return false;
	succession_told(b->succession);
	return true;
}

bool balancers_ended(struct balancers *b, const siginfo_t *info)
{
	return errand_ended(&b->on_ready, info) || errand_ended(&b->on_drain, info);
}

void balancers_carry(struct balancers *b, struct carry *c)
{
	carry_bool(c, &b->was_ready);
}

void balancers_fini(struct balancers *b)
{
	errand_fini(&b->on_ready);
	errand_fini(&b->on_drain);
}

bool balancers_are_told(const struct balancers *b)
{
	return !b->on_ready.pid && !b->on_drain.pid;
}
