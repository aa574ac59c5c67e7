/* SPDX-License-Identifier: MIT */
/* roster.h: the places of a generation and who fills them.  What has to be done next, and when to
 * ask again, is decided here from values; generation.c does it and says what came of it. */
#ifndef UWSGI_ROSTER_H
#define UWSGI_ROSTER_H

#include <uwsgi/plugin.h>
#include "base/carry.h"
#include "process/slot.h"

/* Workers that are ordered from the zygote and not forked yet.  So few fit into its channel, and
 * their answers into the master's, so neither side ever waits for the other. */
enum { ROSTER_ORDERS = 8 };

/* Somebody whose work must always be done: worker 1, http 1.  Who dies young there again and again
 * is started later and later. */
struct place {
	int young_deaths;
	int64_t not_before_ms;
	bool spared; /* nobody is to work there now: who does is asked to leave */
	/* Worked out anew by roster_next(). */
	bool awaits;         /* who leaves there has to be gone first */
	bool filled;         /* a process starts or serves, and is to stay */
	struct slot *serves; /* the one that stays until another serves; NULL: nobody serves */
};

/* A kind of process. */
struct roster_row {
	const char *name; /* "worker", "http": its processes are numbered; outlives the roster */
	int count;
	bool by_zygote; /* forked by it, with the application; else by the master */
};

enum { ROSTER_ROWS = 4 };

/* Twice as many slots as places: a successor is there before a worker leaves. */
struct roster {
	struct roster_row rows[ROSTER_ROWS]; /* their places, one row's behind the other's */
	size_t row_count;
	int workers, places; /* places that the zygote fills, which come first; all */
	size_t slot_count;
	struct slot *slots;
	struct place *place; /* [places] */
	bool open;           /* processes are wanted: the application is imported */
	bool has_zygote;     /* workers can be forked */
	int64_t mercy_ms;    /* for a worker that is replaced */
	int64_t start_ms;    /* how long a process may start */
	int64_t longest_ms;  /* how long a worker has started so far; 0: none has */
	int failed_forks;    /* in a row */
	int64_t no_fork_before_ms;
	int64_t drained_by_ms; /* the end of everyone's mercy; 0: it does not drain */
	bool gateways_first;   /* it drains, and workers go on until no gateway needs them */
};

struct roster_setup {
	const struct roster_row *rows; /* copied; those by_zygote come first */
	size_t row_count;              /* at most ROSTER_ROWS */
	int64_t mercy_ms, start_ms;
};

int roster_init(struct roster *, const struct roster_setup *, struct error *);
void roster_fini(struct roster *);

enum roster_kind {
	ROSTER_WAIT,
	ROSTER_FORK, /* start a process for this slot */
	ROSTER_ASK,  /* ask it to leave */
	ROSTER_KILL, /* it had its time in the state `was` */
};

struct roster_action {
	enum roster_kind kind;
	struct slot *slot;
	enum slot_state was;
	int64_t due_ms; /* WAIT: when to ask again; 0: only when something has happened */
};

/* The next thing to do; the slot is in its new state already.  To be called until it says WAIT. */
struct roster_action roster_next(struct roster *, int64_t now_ms);
/* What ROSTER_FORK asked for could not be done; returns after how long it will be asked for
 * again. */
int64_t roster_fork_failed(struct roster *, struct slot *, int64_t now_ms);
void roster_forked(struct roster *, struct slot *, pid_t);
/* It accepts. */
void roster_ready(struct roster *, struct slot *, int64_t now_ms);
/* It has ended.  True: though nobody had asked it to; *delay_ms: after how long its place is
 * filled again. */
bool roster_died(struct roster *, struct slot *, int64_t now_ms, int64_t *delay_ms);
/* Whether the work of a worker's place, 1.., is wanted. */
void roster_want(struct roster *, int place, bool);
/* Places of workers whose work is. */
int roster_wanted(const struct roster *);
/* Who leaves because nobody is wanted there is busy: its mercy begins anew. */
void roster_be_patient(struct roster *, struct slot *, int64_t now_ms);
/* All are to leave; what is there at that time is killed. */
void roster_drain(struct roster *, int64_t by_ms, bool gateways_first);

/* To another program, of one that has the same rows there. */
void roster_carry(struct roster *, struct carry *);

/* Not one of those that the zygote forks. */
bool roster_is_gateway(const struct roster *, const struct slot *);
/* Somebody else will do its work, or nobody has to: the end of this one is nobody's loss. */
bool roster_is_replaced(const struct roster *, const struct slot *);
/* Who serves in a worker's place, 1.., and stays until another one does; NULL: nobody. */
struct slot *roster_server(const struct roster *, int place);
bool roster_is_wanted(const struct roster *, int place);
/* Places of workers, or of gateways, where somebody serves. */
int roster_serving(const struct roster *, bool gateways);
/* In every place that is wanted somebody serves. */
bool roster_is_ready(const struct roster *);
/* No process is left. */
bool roster_is_vacant(const struct roster *);

#endif
