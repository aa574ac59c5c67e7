/* SPDX-License-Identifier: MIT */
/* trace.h: which trace a request belongs to (W3C Trace Context, level 1). */
#ifndef UWSGI_TRACE_H
#define UWSGI_TRACE_H

#include "exchange/request.h"

extern const struct option_table trace_options;

/* What a field traceparent says; slices of it. */
struct trace {
	struct slice id, parent; /* 32 and 16 hexadecimal digits, in small letters */
	bool is_sampled;
};

/* False: the field is not as sections 3.2.2 and 3.2.3 have it, and is to be taken for absent. */
bool trace_parse(struct slice field, struct trace *);

/* A request as a part of a trace. */
struct span {
	bool is_recorded;
	unsigned char trace[16], id[8], parent[8]; /* parent: zeroes where it begins the trace */
};

/* What a lane makes identifiers with. */
struct trace_source {
	bool is_wanted; /* anything of what follows */
	bool makes_ids; /* trace-ids */
	int percent;    /* of the requests without a trace that are recorded */
	uint64_t state[4];
};

/* percent: 0: spans are not recorded at all. */
void trace_source_init(struct trace_source *, const struct config *, int percent);
/* Where it is wanted.  A request that belongs to no trace begins one, with trace-ids or if it is to be
 * recorded.  One that is recorded is a span of its own, which the application sees as its parent. */
struct span trace_begin(struct trace_source *, struct request *);

#endif
