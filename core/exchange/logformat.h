/* SPDX-License-Identifier: MIT */
/* logformat.h: log-format = %(method) %(uri) …, parsed once, then run for each request. */
#ifndef UWSGI_LOGFORMAT_H
#define UWSGI_LOGFORMAT_H

#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "exchange/response.h"

/* What the log knows besides request and response. */
struct logged {
	const struct request *rq;
	const struct response *rs;
	pid_t pid;
	int worker, lane;
	uint64_t worker_requests, server_requests; /* this one included */
	int64_t began_us, ended_us;                /* wall clock, microseconds */
	struct memory memory;                      /* all zero: nobody asked for it */
	bool forwarded_for;                        /* the address is what X-Forwarded-For says */
};

struct logformat;

/* text and metrics (NULL: there are none) must live as long; date is the strftime format of %(ftime),
 * NULL: as %(ltime).  dashes: "-" stands for what is empty, as in log-format and not in the default line.
 * NULL: no memory. */
struct logformat *logformat_new(const char *text, const char *date, const struct metrics *,
				bool dashes);
void logformat_free(struct logformat *);
/* Whether one of its variables is about memory, which costs to ask for. */
bool logformat_wants_memory(const struct logformat *);
/* Without the newline. */
void logformat_write(const struct logformat *, struct logline *, const struct logged *);
/* The next variable that is none of the server's, and so only the application can set; *at
 * starts at text.  False: there is no more. */
bool logformat_next_foreign(const char **at, const struct metrics *, struct slice *name);

#endif
