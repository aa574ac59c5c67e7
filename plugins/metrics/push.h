/* SPDX-License-Identifier: MIT */
/* push.h: what sends metrics and statistics away. */
#ifndef PUSH_H
#define PUSH_H

#include "destination.h"
#include "metrics.h"
#include "stats/report.h"

#include <ev.h>
#include <stdatomic.h>
#include <sys/socket.h>

struct push_settings {
	struct option_list pushes, carbons, dog_metrics;
	long long every_s;
	bool statsd_gauges, statsd_no_workers;
	bool dog_gauges, dog_no_workers;
	const char *dog_tags;
	long long carbon_every_s, carbon_timeout_s, carbon_retries, carbon_retry_s;
	bool carbon_no_workers, carbon_metrics, carbon_resolve;
	const char *carbon_id, *carbon_root, *carbon_dots, *carbon_alias;
	int carbon_idle;
};

struct settings {
	bool enabled, no_cores, restore;
	struct option_list metrics, thresholds;
	const char *folder;
	struct push_settings push;
};

/* What all who send are given; it outlives them. */
struct push_source {
	const struct push_settings *settings;
	const struct metrics *metrics;
	const struct status *status;
	const struct customs *customs;
	struct report_form form;
	struct ev_loop *loop;
};

/* A way to send.  Nothing of it waits. */
struct push_kind {
	const char *name; /* before the colon of stats-push */
	/* What is wrong with what stands behind it, without making anything; -1. */
	int (*valid)(const char *argument, struct error *);
	/* *every_s: how often; it may be changed.  NULL: no memory. */
	void *(*open)(const struct push_source *, const char *argument, long long *every_s);
	void (*push)(void *state);
	void (*close)(void *state);
};
extern const struct push_kind push_statsd, push_dogstatsd, push_socket, push_carbon, push_file;

/* ---- push.c ---- */

/* Of stats-push, and of carbon. */
int push_valid(const char *text, struct error *);
int push_valid_carbon(const char *text, struct error *);
/* Whether uWSGI knows it, and this server not. */
bool push_is_foreign(const char *text);
bool push_wants(const struct push_settings *);

struct pushers;
/* NULL: no memory. */
struct pushers *pushers_new(const struct push_source *);
void pushers_free(struct pushers *);
/* Those whose time has come send. */
void pushers_push(struct pushers *, long long now_s);

/* The value of a metric to be sent; *now is what it is then: those that are reset begin anew. */
long long push_take(const struct push_source *, const struct metric *, long long *now);

/* ---- sender.c: a text to a TCP server, then the end of the connection ---- */

struct sender {
	struct ev_loop *loop;
	struct destination to;
	ev_io io;
	ev_timer deadline;
	char *text; /* owned; NULL: nothing is under way */
	size_t length, sent;
	long long timeout_s, retry_s, retries, retries_left;
	bool connected, waits; /* for the next try */
	bool failed;           /* and that is said */
};

void sender_init(struct sender *, struct ev_loop *, const char *address,
		 const struct push_settings *);
void sender_fini(struct sender *);
/* Takes text over.  If the one before is still under way, this one is lost. */
void sender_send(struct sender *, char *text);

#endif
