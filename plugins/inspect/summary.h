/* SPDX-License-Identifier: MIT */
/* summary.h: what a server does, on a screen. */
#ifndef INSPECT_SUMMARY_H
#define INSPECT_SUMMARY_H

#include <uwsgi/plugin.h>

#include <stdio.h>

struct summary {
	FILE *to;
	int columns; /* longer lines are cut */
	int lines;   /* as many are written at most; counted down */
	/* Say how many a second, since the last time: then what was written before is kept here, zeroed
	 * at first. */
	bool rates;
	long long last_us;
	struct counts last;
};

void summary_write(struct summary *, const struct status *);

#endif
