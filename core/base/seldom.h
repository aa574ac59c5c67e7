/* SPDX-License-Identifier: MIT */
/* seldom.h: what can happen a thousand times a second, and is logged once a minute. */
#ifndef UWSGI_SELDOM_H
#define UWSGI_SELDOM_H

#include <uwsgi/plugin.h>
#include <stdatomic.h>

/* One for each thing to say; zeroed at first.  Threads and processes may share one. */
struct seldom {
	atomic_int_fast64_t said_ms; /* 0: never */
	atomic_uint since;           /* how often it has happened and was not said */
};

/* It happened now, on a clock that never is 0.  0: it was said less than a minute ago.  Otherwise it
 * is to be said, and this is how often it has happened since the last time, this one included. */
unsigned seldom_happened(struct seldom *, int64_t now_ms);
/* Logs it if it is to be said, and how often it happened meanwhile. */
void seldom_log(struct seldom *, enum severity, const char *fmt, ...) UWSGI_PRINTF(3, 4);

#endif
