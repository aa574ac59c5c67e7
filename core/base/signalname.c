/* SPDX-License-Identifier: MIT */
/* signalname.c: names of signals, by libc's own list. */
#include "base/signalname.h"

#include <signal.h>
#include <stdlib.h>
#include <strings.h>

int signalname_read(const char *text, int *number, struct error *e)
{
	const char *name = strncasecmp(text, "SIG", 3) ? text : text + 3;
	char *end;
	long n = strtol(text, &end, 10);

	for (int i = 1; i < SIGRTMIN; i++) {
		const char *known = sigabbrev_np(i);

		if (known && !strcasecmp(name, known)) {
			*number = i;
			return 0;
		}
	}
	if (end == text || *end || n < 1 || n > SIGRTMAX)
		return uwsgi_error_set(e, "\"%.64s\" is no signal: write 15 or TERM", text);
	*number = (int)n;
	return 0;
}
