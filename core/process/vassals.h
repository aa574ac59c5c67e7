/* SPDX-License-Identifier: MIT */
/* vassals.h: the servers that this one, an emperor, runs: one for each configuration file.  The
 * master's. */
#ifndef UWSGI_VASSALS_H
#define UWSGI_VASSALS_H

#include "base/ring.h"
#include "process/allegiance.h"
#include "process/emperor.h"
#include "process/kept.h"
#include "wire/watch.h"

#include <sys/queue.h>

struct vassals;

struct vassal {
	TAILQ_ENTRY(vassal) link;
	struct vassals *all;
	char *name, *folder; /* owned, as struct vassal_file has them */
	char title[80];      /* "vassal shop.ini", for people */
	struct timespec changed;
	ino_t inode;
	bool found;         /* in the last look */
	bool wants_start;   /* anew, as soon as others have started */
	bool wants_reload;  /* likewise */
	bool failed_reload; /* the last one */
	struct kept kept;
	struct watch channel;            /* to its process; io.fd -1: none */
	struct allegiance_reader reader; /* what it has said in part */
	int64_t busy_since_ms;           /* it starts or reloads; 0: it does not */
	int64_t heard_ms;                /* its last heartbeat; 0: it sends none */
	unsigned failures;               /* ends before it served for a while, in a row */
	unsigned starts;
	struct vassal_status shown;
	uint64_t row; /* where others see it */
};

TAILQ_HEAD(vassal_list, vassal);

struct vassals {
	struct ev_loop *loop;
	/* Forks the process of one, which speaks over this channel, with the configuration in force: its
	 * pid, or -1 with errno. */
	pid_t (*fork)(void *data, const struct vassal *, int channel);
	/* vassals_step() is to be called soon. */
	void (*wake)(void *data);
	void *data;
	struct vassal_list list;
	const struct config *used;               /* only to be compared */
	const struct emperor_settings *settings; /* in force; NULL: none is */
	uint64_t made_of; /* a number for what the settings add to the vassals' files */
	uint64_t starts;
	int64_t mercy_ms, look_at_ms;
	int64_t due_ms;        /* of vassals_step(), as it said last */
	bool as_root;          /* vassals run as root */
	bool at_once;          /* all are to end without grace */
	char complaint[1024];  /* about the last look; "": none */
	struct ring shown;     /* struct vassal_status of each */
	uint64_t free_row[64]; /* of those that are gone */
	size_t free_rows;
};

/* Memory, shared with services, where these see what runs. */
size_t vassals_memory_size(void);
struct ring vassals_ring(void *memory);
void vassals_init(struct vassals *, struct ring);
/* This configuration is in force.  Vassals reload with it; if it adds something else to their files,
 * they start anew.  mercy_ms: how long one may take to end. */
void vassals_use(struct vassals *, const struct config *, int64_t mercy_ms);
/* All are to end.  Called again with less time, it holds. */
void vassals_dismiss(struct vassals *, int64_t mercy_ms);
/* … and are killed. */
void vassals_hurry(struct vassals *, int64_t now_ms);
/* Does what is due; when to call it again, 0: when something has happened. */
int64_t vassals_step(struct vassals *, int64_t now_ms);
/* A child has ended.  False: it was none of these. */
bool vassals_ended(struct vassals *, const siginfo_t *, int64_t now_ms);
/* No process is left. */
bool vassals_are_gone(const struct vassals *);
/* To another program, with the configuration in force.  Vassals go on. */
void vassals_carry(struct vassals *, const struct config *, struct carry *);
/* In a child: closes what is the emperor's. */
void vassals_enter_child(struct vassals *);
/* A line for each, for the log. */
void vassals_print(const struct vassals *);
void vassals_fini(struct vassals *);

#endif
