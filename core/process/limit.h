/* SPDX-License-Identifier: MIT */
/* limit.h: who must go, and why.  Pure: judges values that the master has observed. */
#ifndef UWSGI_LIMIT_H
#define UWSGI_LIMIT_H

#include "base/memory.h"

extern const struct option_table limits_options;

struct limits_settings {
	long long reload_on_as_mb, reload_on_rss_mb, reload_on_uss_mb, reload_on_pss_mb;
	long long evil_reload_on_as_mb, evil_reload_on_rss_mb;
	long long max_lifetime_s, max_lifetime_delta_s, min_lifetime_s;
	long long reload_mercy_s, worker_mercy_s, reload_timeout_s;
};

/* What the master knows of a worker. */
struct observed {
	int worker;           /* 1..processes */
	int64_t age_ms;       /* since it serves */
	bool exhausted;       /* it has asked to be replaced */
	uint64_t requests;    /* that it has answered */
	struct memory memory; /* all zero: not measured */
	/* Of the request that is longest past its deadline; overdue_ms 0: none is. */
	int64_t overdue_ms, ran_ms;
	struct slice method, uri;
};

enum limits_verdict {
	LIMITS_STAY,
	LIMITS_REPLACE, /* a successor first, then it leaves */
	LIMITS_KILL,
};

/* why: filled for any verdict but STAY. */
enum limits_verdict limits_judge(const struct limits_settings *, const struct observed *,
				 struct error *why);
/* Too young to be replaced for anything (min-worker-lifetime). */
bool limits_is_young(const struct limits_settings *, int64_t age_ms);
/* Whether memory has to be measured at all, and how closely. */
bool limits_need_memory(const struct limits_settings *);
bool limits_need_shares(const struct limits_settings *);
/* Whether the age of workers has to be looked at. */
bool limits_need_age(const struct limits_settings *);

#endif
