/* SPDX-License-Identifier: MIT */
/* elastic.h: lets as many workers of a generation run as cheaper.c finds right, and none while nobody
 * comes, where that is wanted. */
#ifndef UWSGI_ELASTIC_H
#define UWSGI_ELASTIC_H

#include "process/cheaper.h"
#include "wire/watch.h"

struct generation;

struct elastic {
	const struct cheaper_settings *settings; /* of the generation */
	struct cheaper memory;
	int64_t looked_ms, look_at_ms; /* the last look, and the next */
	int64_t *ran_us;               /* [slots]: what its lanes had run at the last look */
	uint64_t requests;             /* of the workers, at the last look */
	int64_t active_ms;             /* the last time that there was something to do */
	bool idle;                     /* die-on-idle: its time has come; not told yet */
	bool paused;                   /* no worker is to run, even if clients connect */
	int before_pause;              /* workers that ran */
	/* Sockets that are watched for connections while no worker runs. */
	struct watch *sockets;
	size_t socket_count;
	bool watches;
};

/* With the roster, the scoreboard and the listeners.  Returns -1 with the reason. */
int elastic_init(struct generation *, struct error *);
void elastic_fini(struct generation *);
/* For one that follows another: it begins with as many workers as that one has. */
void elastic_follow(struct generation *, const struct generation *old);
/* Looks, once a second where that is needed, and says so in the roster. */
void elastic_step(struct generation *, int64_t now_ms, int64_t *due_ms);
/* No worker is to run. */
bool elastic_sleeps(const struct generation *);
/* No worker runs until a client connects.  who: for the log, as below. */
void elastic_sleep(struct generation *, const char *who);
/* No worker runs until this is undone: new connections wait. */
void elastic_pause(struct generation *, bool, const char *who);
/* By so many more or fewer, because somebody wants it: who, for the log. */
void elastic_resize(struct generation *, int change, const char *who);

#endif
