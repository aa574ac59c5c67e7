/* SPDX-License-Identifier: MIT */
/* requestlog.h: the line that a request leaves in the log, in uWSGI's default format, which
 * tools parse. */
#ifndef UWSGI_REQUESTLOG_H
#define UWSGI_REQUESTLOG_H

#include "memory.h"
#include "response.h"

/* What the log knows besides request and response. */
struct requestlog_entry {
	pid_t pid;
	int lane;
	uint64_t worker_requests, server_requests; /* this one included */
	int64_t began_us, ended_us;                /* wall clock, microseconds */
	struct memory memory;                      /* all zero: no memory report */
};

/* Writes the line, newline included, into text; returns its length (at most size). */
size_t requestlog_format(char *text, size_t size, const struct requestlog_entry *,
			 const struct request *, const struct response *);

#endif
