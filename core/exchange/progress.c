/* SPDX-License-Identifier: MIT */
/* progress.c: judges from two numbers, so that it needs no bytes of its own to count: what was
 * given to the kernel, and what the kernel still has.  The kernel says that a socket can be written
 * to only when a third of a buffer of megabytes is free again (a UNIX socket: three quarters); a
 * slow peer that takes all the time must not be held to that. */
#include "exchange/progress.h"

/* In a timeout. */
enum { LOOKS = 4 };

void progress_begin(struct progress *p, int64_t now_ms, int64_t sent)
{
	*p = (struct progress){ .looked_ms = now_ms, .sent = sent, .queued = -1 };
}

int64_t progress_look_ms(int64_t timeout_ms)
{
	return timeout_ms / LOOKS;
}

/* Of the window that is over.  How little a UNIX socket's peer took is not known in bytes: there, to
 * take is enough. */
static bool took_enough(const struct progress *p, bool tcp)
{
	return !tcp || p->taken * 1000 >= PROGRESS_LEAST * p->window_ms;
}

/* A look that comes late, because an application kept the thread, says nothing of the time before. */
static int64_t time_passed_ms(const struct progress *p, int64_t now_ms, int64_t look_ms)
{
	int64_t passed_ms = now_ms - p->looked_ms;

	return passed_ms < look_ms ? passed_ms : look_ms;
}

bool progress_goes_on(struct progress *p, const struct progress_view *v, int64_t timeout_ms)
{
	int64_t look_ms = progress_look_ms(timeout_ms), most_ms = timeout_ms - look_ms / 2;
	int64_t passed_ms = time_passed_ms(p, v->now_ms, look_ms);
	/* Before the first look, what was queued is not known. */
	bool unknown = p->queued < 0, enough = true;
	int fell = unknown ? 0 : p->queued - v->queued;
	int64_t taken = v->sent - p->sent + (v->tcp ? fell : 0);

	p->looked_ms = v->now_ms;
	p->sent = v->sent;
	p->queued = v->queued;
	p->taken += taken;
	p->window_ms += passed_ms;
	/* With nothing queued it is not the peer who keeps us waiting. */
	p->still_ms = taken > 0 || fell > 0 || v->queued == 0 ? 0 : p->still_ms + passed_ms;
	if (unknown || v->queued == 0 || p->window_ms >= most_ms) {
		enough = unknown || v->queued == 0 || took_enough(p, v->tcp);
		p->window_ms = 0;
		p->taken = 0;
	}
	return enough && p->still_ms < most_ms;
}
