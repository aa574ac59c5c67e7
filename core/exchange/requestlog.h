/* SPDX-License-Identifier: MIT */
/* requestlog.h: which requests leave a line in the log, and what it says. */
#ifndef UWSGI_REQUESTLOG_H
#define UWSGI_REQUESTLOG_H

#include "exchange/logformat.h"

extern const struct option_table requestlog_options;

/* The most that a line may take. */
#define REQUESTLOG_LINE 8192

struct requestlog_settings;

/* What one lane logs with. */
struct requestlog {
	const struct requestlog_settings *settings;
	struct logformat *format;
};

/* Returns -1 with the reason. */
int requestlog_init(struct requestlog *, const struct config *, const struct metrics *,
		    struct error *);
void requestlog_fini(struct requestlog *);
/* Says which variables of log-format are none of the server's. */
void requestlog_warn(const struct config *, const struct metrics *);

/* Whether a request that is done leaves a line. */
bool requestlog_wants(const struct requestlog *, const struct logged *);
/* Whether it does when the response cannot be sent. */
bool requestlog_wants_failures(const struct requestlog *);
/* From how many microseconds on a request is slow: log-slow, or a second. */
uint64_t requestlog_slow_us(const struct config *);
/* Writes the line, newline included, into text; returns its length (at most size). */
size_t requestlog_write(const struct requestlog *, char *text, size_t size, struct logged *);

#endif
