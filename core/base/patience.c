/* SPDX-License-Identifier: MIT */
/* patience.c: the entry waits with it, never the master. */
#include "base/patience.h"

#include "base/clock.h"

enum { EACH_MS = 10, TELL_AFTER_MS = 500, AT_MOST_MS = 3000 };

bool patience_wait(struct patience *p, const struct error *why)
{
	const struct timespec pause = { 0, EACH_MS * 1000000 };
	int64_t now_ms = clock_monotonic_ms();

	if (p->began_ms == 0)
		p->began_ms = now_ms;
	if (now_ms - p->began_ms >= AT_MOST_MS)
		return false;
	if (!p->told && now_ms - p->began_ms >= TELL_AFTER_MS) {
		uwsgi_log(UWSGI_NOTE, "%s; waiting %d s for it to end", why->text,
			  AT_MOST_MS / 1000);
		p->told = true;
	}
	nanosleep(&pause, NULL);
	return true;
}
