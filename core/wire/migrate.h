/* SPDX-License-Identifier: MIT */
/* migrate.h: connections on their way to another lane, mostly of another process.  They wait in a
 * queue of the kernel's, which hands them out as it does with new ones.  A connection moves between
 * two requests only. */
#ifndef UWSGI_MIGRATE_H
#define UWSGI_MIGRATE_H

#include <uwsgi/plugin.h>

struct clients;
struct connection;

/* The most that may be read ahead of a connection that moves. */
enum { MIGRATE_INPUT_MAX = 16384 };

/* Both ends are held by all who give or take; -1: there is no queue. */
struct migrate_queue {
	int give, take;
};
#define MIGRATE_NO_QUEUE ((struct migrate_queue){ -1, -1 })

/* What a connection is, beside its descriptor. */
struct moved {
	uint64_t listener;           /* its identity */
	int64_t deadline_ms;         /* of the silent peer; monotonic, which all processes share */
	double took_s;               /* its last request */
	bool is_new;                 /* it had none yet */
	size_t input;                /* bytes read and not yet looked at */
	char state[UWSGI_STATE_MAX]; /* the protocol's */
};

enum migrate_result {
	MIGRATE_DONE,
	MIGRATE_LATER,   /* give: the queue is full; take: it is empty */
	MIGRATE_NO_ROOM, /* take: this process has no free descriptor */
	MIGRATE_ENDED,   /* give: the server ends, nobody takes any more */
};

int migrate_open(struct migrate_queue *, struct error *);
void migrate_close(struct migrate_queue *);
/* Nothing can be given any more, by any process; what is in the queue can still be taken. */
void migrate_end(const struct migrate_queue *);

/* DONE: the connection is another lane's, and only this process's copy of fd is left to close.
 * input: moved->input bytes. */
enum migrate_result migrate_give(int queue, int fd, const struct moved *, const char *input);
/* The next one; input has MIGRATE_INPUT_MAX bytes. */
enum migrate_result migrate_take(int queue, int *fd, struct moved *, char *input);

/* It is between two requests, and of the next one nothing was looked at. */
bool migrate_is_possible(const struct connection *);
/* To the successors go as many as their queue has room for. */
enum migrate_result migrate_all(struct clients *);
/* To the neighbours go those that would wait for a request of which so many seconds are expected. */
void migrate_some(struct clients *, double seconds);
/* What was taken goes on as this connection, which is new here. */
void migrate_resume(struct connection *, const struct moved *, const char *input);

#endif
