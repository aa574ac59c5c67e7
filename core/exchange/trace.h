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

/* What a lane makes identifiers with. */
struct trace_source {
	bool is_wanted; /* trace-ids */
	uint64_t state[4];
};

void trace_source_init(struct trace_source *, const struct config *);
/* Where it is wanted: a request that belongs to no trace begins one. */
void trace_begin(struct trace_source *, struct request *);

#endif
