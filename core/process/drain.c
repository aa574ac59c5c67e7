/* SPDX-License-Identifier: MIT */
/* drain.c: which step of a stop is due. */
#include "process/drain.h"

#include "base/clock.h"
#include "wire/closing.h"

/* How often queues are looked at while they are emptied. */
enum { LOOK_MS = 20 };

#define AT(member) offsetof(struct drain_settings, member)
static const struct option rows[] = {
	{ .name = "drain-delay",
	  .type = OPT_SECONDS,
	  .offset = AT(delay_s),
	  .initial = "0",
	  .max = 86400,
	  .help = "after TERM, go on accepting connections for this long while /ready says no, so "
		  "that load balancers notice",
	  .differs = "there is no such option",
	  .example = "7" },
	{ .name = "on-ready",
	  .type = OPT_LIST,
	  .offset = AT(on_ready),
	  .text = true,
	  .unit = "COMMAND",
	  .help = "run this command when the server accepts requests for the first time, and tell "
		  "the service manager when it has ended; several run one after the other",
	  .differs = "there is no such option",
	  .example = "/usr/local/bin/register" },
	{ .name = "on-drain",
	  .type = OPT_LIST,
	  .offset = AT(on_drain),
	  .text = true,
	  .unit = "COMMAND",
	  .help = "run this command after TERM, while requests are still served; drain-delay "
		  "begins when it has ended; several run one after the other",
	  .differs = "there is no such option",
	  .example = "/usr/local/bin/deregister" },
	{ .name = "on-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(timeout_s),
	  .initial = "10",
	  .min = 1,
	  .max = 86400,
	  .help = "kill a command of on-ready or on-drain that takes longer",
	  .differs = "there is no such option" },
};
#undef AT

const struct option_table drain_options = {
	.module = "stopping",
	.size = sizeof(struct drain_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

void drain_begin(struct drain *d, int64_t now_ms, int64_t delay_ms, bool tells)
{
	*d = (struct drain){ .stage = DRAIN_TELLING, .delay_ms = delay_ms };
	if (!tells)
		drain_told(d, now_ms);
}

void drain_told(struct drain *d, int64_t now_ms)
{
	if (d->stage != DRAIN_TELLING)
		return;
	d->stage = DRAIN_ACCEPTING;
	d->due_ms = now_ms + d->delay_ms;
}

void drain_hurry(struct drain *d, int64_t now_ms)
{
	*d = (struct drain){ .stage = DRAIN_ACCEPTING, .hurries = true, .due_ms = now_ms };
}

static bool is_due(const struct drain *d, enum drain_stage stage, int64_t now_ms)
{
	return d->stage == stage && d->due_ms <= now_ms;
}

bool drain_step(struct drain *d, const struct listeners *open, int64_t now_ms, int64_t *due_ms)
{
	bool leave = false;

	if (d->stage != DRAIN_NOT && !d->prepared) {
		d->prepared = true;
		closing_prepare(open);
	}
	if (is_due(d, DRAIN_ACCEPTING, now_ms)) {
		d->stage = DRAIN_CLOSING;
		if (closing_begin(open) && !d->hurries)
			d->due_ms = now_ms + CLOSING_HANDSHAKE_MS;
	}
	if (is_due(d, DRAIN_CLOSING, now_ms)) {
		d->stage = DRAIN_EMPTYING;
		closing_refuse(open);
		leave = true;
	}
	if (is_due(d, DRAIN_EMPTYING, now_ms)) {
		bool closed = closing_end(open);

		d->stage = closed ? DRAIN_CLOSED : DRAIN_EMPTYING;
		d->due_ms = closed ? 0 : now_ms + LOOK_MS;
	}
	clock_keep_earlier(due_ms, d->due_ms);
	return leave;
}
