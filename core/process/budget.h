/* SPDX-License-Identifier: MIT */
/* budget.h: keeps the memory of all processes of a generation within memory-budget, by replacing the
 * worker that holds the most. */
#ifndef UWSGI_BUDGET_H
#define UWSGI_BUDGET_H

#include <uwsgi/plugin.h>

extern const struct option_table budget_options;

struct budget_settings {
	const char *text; /* bytes or "auto"; NULL: there is none */
};

/* ---- pure ---- */

struct budget_worker {
	uint64_t share; /* bytes: its share of memory (PSS) */
	bool may_go;    /* it has answered requests, and nobody replaces it yet */
};

struct budget_view {
	uint64_t budget, held; /* bytes, by all processes of the server */
	uint64_t room;         /* that there is for one more process */
	uint64_t fresh;        /* that a worker holds which has just started, as far as is known */
	const struct budget_worker *workers;
	size_t count;
};

/* Which worker is to be replaced, an index, or -1: none.  *first: it has to leave before its successor is
 * started, as there is no room for both.  why: filled when more is held than may be. */
int budget_judge(const struct budget_view *, bool *first, struct error *why);
/* Bytes of the option's words; 0: none. */
uint64_t budget_bytes(const char *text);
/* auto: of a limit, when others hold so much of it. */
uint64_t budget_auto(uint64_t limit, uint64_t used, uint64_t held);

/* ---- a generation ---- */

struct generation;

struct budget {
	int64_t look_at_ms;
	uint64_t fresh; /* the least share of a worker that was seen; 0: none yet */
	bool told;      /* that it does not help to replace one */
};

/* Looks where memory-budget is set, and asks a worker to be replaced, at most one a minute. */
void budget_step(struct generation *, int64_t now_ms, int64_t *due_ms);

#endif
