/* SPDX-License-Identifier: MIT */
/* harakiri.h: how long a request may run, and what is done when it runs longer. */
#ifndef UWSGI_HARAKIRI_H
#define UWSGI_HARAKIRI_H

#include <uwsgi/plugin.h>

extern const struct option_table harakiri_options;

struct harakiri_settings {
	long long limit_ms, queue_threshold, graceful_ms;
	const char *signal;
	bool verbose, ends_early;
};

/* Requests may have deadlines by this configuration: they have to be watched. */
bool harakiri_is_wanted(const struct config *);
/* Of harakiri-graceful-signal. */
int harakiri_signal(const struct harakiri_settings *);
/* Of harakiri-verbose: a thread of a process, as /proc has it. */
void harakiri_log_kernel(const char *who, pid_t process, pid_t thread);

/* So many milliseconds as a user writes them: "1.5". */
#define HARAKIRI_TEXT 32
const char *harakiri_text(int64_t ms, char text[HARAKIRI_TEXT]);

#endif
