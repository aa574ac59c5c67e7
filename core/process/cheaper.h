/* SPDX-License-Identifier: MIT */
/* cheaper.h: how many of the workers run.  Pure: judges what the master sees once a second, and knows no
 * process. */
#ifndef UWSGI_CHEAPER_H
#define UWSGI_CHEAPER_H

#include <uwsgi/plugin.h>

extern const struct option_table cheaper_options;

enum cheaper_algo {
	CHEAPER_SPARE,
	CHEAPER_SPARE2,
	CHEAPER_BACKLOG,
	CHEAPER_BUSYNESS,
	CHEAPER_MANUAL,
	CHEAPER_BACKLOG2,
};

struct cheaper_settings {
	long long least; /* 0: all of them run */
	long long initial, step, overload_s, idle_s;
	int algo; /* enum cheaper_algo */
	long long rss_soft, rss_hard;
	/* Of busyness: per cents; windows of overload_s; connections. */
	long long max, min, multiplier, penalty;
	long long alert, alert_multiplier, alert_step, nonzero_s;
	bool verbose;
	/* Without any worker, until a client connects. */
	bool cheap, die_on_idle;
	long long sleep_s;
};

/* What the master sees. */
struct cheaper_view {
	int most;             /* processes */
	int workers, serving; /* that are to run; and of these, those that accept */
	int lanes, free;      /* of those that accept; and of these, those that run no request */
	int idle;             /* workers that accept and run no request at all */
	int64_t elapsed_us;   /* since the last look */
	int64_t ran_us;       /* by all lanes together, since then */
	long long waiting;    /* connections that nobody has accepted yet */
	uint64_t resident;    /* bytes, of all workers together; 0: not measured */
};

/* What it remembers; begins as zeroes. */
struct cheaper {
	int overloaded, idle, waited; /* looks in a row; see the algorithms */
	bool held;                    /* the last one was not added for want of memory */
	/* Of busyness. */
	int looks, low; /* in this window; windows in a row below the least */
	int64_t elapsed_us, ran_us;
	int penalty;       /* windows beside the multiplier */
	int since_removed; /* windows; 0: none was */
	int alerted;       /* workers that were added for connections that waited */
	int busyness;      /* per cent, of the last window */
	bool told;         /* a window has ended with this look */
};

/* How many are to run before the first look, or after sleep. */
int cheaper_initial(const struct cheaper_settings *, int most);
/* How many more are to run, or fewer (below zero), within cheaper and processes; to be called once a
 * second.  why: filled when that is not 0, or when memory has just begun to forbid another one. */
int cheaper_decide(const struct cheaper_settings *, struct cheaper *, const struct cheaper_view *,
		   struct error *why);
/* By hand: as many of these as may be. */
int cheaper_bound(const struct cheaper_settings *, const struct cheaper_view *, long long change);

#endif
