/* SPDX-License-Identifier: MIT */
/* otlp.h: what the files of this plugin know of one another. */
#ifndef OTLP_H
#define OTLP_H

#include "metrics/destination.h"

#include <ev.h>

struct settings {
	const char *url, *name;
	long long percent, timeout_s;
};

/* Where spans are sent. */
struct target {
	struct destination to;
	char host[256], path[256]; /* of the request */
};

/* "http://127.0.0.1:4318", with a path or without.  target NULL: it is only checked. */
int target_read(const char *url, struct target *, struct error *);

/* ---- spans.c ---- */

/* The spans of one request to the collector, as OTLP's JSON; *count: how many, at most SPANS_AT_ONCE.  The
 * caller frees it.  NULL: there are none, or there is no memory. */
enum { SPANS_AT_ONCE = 512 };
char *spans_text(const struct settings *, const struct status *, uint64_t *number, size_t *count,
		 unsigned long long *lost);

/* ---- post.c ---- */

/* One request at a time, which is never waited for. */
struct post {
	struct ev_loop *loop;
	const struct target *target;
	double seconds; /* that all of it may take */
	ev_io io;
	ev_timer deadline;
	char *text; /* owned; what is to be sent, and then what came; NULL: nothing is under way */
	size_t length, done;
	/* It has ended: the status, or 0 with the reason. */
	void (*ended)(struct post *, int status, const char *why);
	void *data;
};

void post_init(struct post *, struct ev_loop *, const struct target *, double seconds);
/* Owns json. */
void post_begin(struct post *, char *json);
void post_stop(struct post *);

#endif
