/* SPDX-License-Identifier: MIT */
/* generation.h: one configuration with its zygote and its workers.  A reload makes a new one
 * beside the old one.  What has to be done next is decided here, from values; the master does
 * it and says what came of it. */
#ifndef UWSGI_GENERATION_H
#define UWSGI_GENERATION_H

#include "plugin.h"
#include "slot.h"

enum generation_state {
	GENERATION_IMPORTING, /* until the application is imported and all workers accept */
	GENERATION_SERVING,
	GENERATION_DRAINING, /* a newer one serves, or the server stops: its workers leave */
	GENERATION_STATES
};

enum generation_event {
	GENERATION_READY,    /* all workers accept */
	GENERATION_FAILED,   /* it will never get there */
	GENERATION_REPLACED, /* a newer one serves, or the server stops */
	GENERATION_EVENTS
};

enum generation_action {
	GENERATION_NOTHING,
	GENERATION_TAKE_OVER, /* replace the one that serves */
	GENERATION_DROP,      /* kill what there is of it */
	GENERATION_DRAIN,     /* ask its workers to leave */
};

enum generation_state generation_next(enum generation_state, enum generation_event,
				      enum generation_action *);

/* A place for one process: a worker, or a gateway. */
struct slot {
	enum slot_state state;
	int post;           /* 1..crew: whose work it does; the first ones are workers */
	char name[24];      /* "worker 1", "http 1"; for people */
	bool replace;       /* leaves as soon as another slot serves for the same worker */
	bool exhausted;     /* it asked to be replaced, and is too young for that */
	int64_t since_ms;   /* when the state began */
	int64_t kill_at_ms; /* LEAVING: the end of its mercy */
	pid_t pid;          /* 0: not known yet */
	int channel;        /* the master's end; -1: none */
};

/* The history of one post: who dies young again and again starts later and later. */
struct post {
	int young_deaths;
	int64_t not_before_ms;
};

/* Twice as many slots as posts: a successor is there before a worker leaves. */
struct generation {
	int number; /* 1, 2, 3, … since the server started */
	enum generation_state state;
	bool imported;
	int workers, crew; /* the crew is workers, then gateways */
	const char *gateway; /* its name; NULL: there are none */
	size_t slot_count;
	struct slot *slots;
	struct post *posts; /* [crew] */
};

/* gateway: borrowed; NULL when there are no gateways. */
int generation_init(struct generation *, int number, int workers, int gateways, const char *gateway,
		    struct error *);
void generation_fini(struct generation *);

/* The next process to fork: the slot for it, its post and name filled in; NULL: none now. */
struct slot *generation_next_fork(struct generation *, int64_t now_ms);
bool generation_is_gateway(const struct generation *, const struct slot *);
/* A worker whose successor serves, or NULL. */
struct slot *generation_next_replaced(struct generation *);
/* A leaving worker whose mercy is over, or NULL. */
struct slot *generation_next_overdue(struct generation *, int64_t now_ms);
/* Every post has a slot that serves. */
bool generation_is_ready(const struct generation *);
/* No process is left. */
bool generation_is_vacant(const struct generation *);
/* No gateway is left. */
bool generation_has_no_gateway(const struct generation *);
/* The next moment at which one of the questions above may be answered otherwise; 0: never. */
int64_t generation_due_ms(const struct generation *);
/* Moves a slot through its life; returns what the caller must do. */
enum slot_action generation_step(struct slot *, enum slot_event, int64_t now_ms);
/* A worker ended though nobody had asked it to: delays the next start when that was soon. */
int64_t generation_note_death(struct generation *, const struct slot *, int64_t now_ms);

#endif
