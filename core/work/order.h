/* SPDX-License-Identifier: MIT */
/* order.h: what a service asks of a worker while it serves, and the thread in the worker that carries
 * it out. */
#ifndef UWSGI_ORDER_H
#define UWSGI_ORDER_H

#include "work/channel.h"

#include <pthread.h>

/* As a message for the worker with this pid. */
struct message order_message(pid_t worker, const struct order *);
/* False: it is none, or asks for more than there may be. */
bool order_read(const struct message *, struct order *);

/* Those of one worker that are under way. */
struct orders {
	const struct app *app;
	pthread_mutex_t lock;
	int fd[ORDER_KINDS]; /* where its answer goes; -1: none of this kind */
};

void orders_init(struct orders *, const struct app *);
/* Starts a thread for it; the descriptor is the callee's.  What cannot be done is said there. */
void orders_take(struct orders *, const struct message *, int fd);
/* They come to their ends, and answer with what they have. */
void orders_end(struct orders *);

#endif
