/* SPDX-License-Identifier: MIT */
/* chain.h: the handlers that a request of one lane passes before the application, and its answer on
 * the way back. */
#ifndef UWSGI_CHAIN_H
#define UWSGI_CHAIN_H

#include "base/counts.h"
#include "exchange/response.h"

#define CHAIN_MAX 32

struct chain {
	const struct handler *handlers[CHAIN_MAX]; /* in their order */
	void *states[CHAIN_MAX];
	size_t count;
	size_t started; /* so many lane_start() were called */
	const struct app *app;
	void *app_state;
	struct counts *counts; /* for who has answered */
	bool in_handler; /* the application does not run, though a request does */
};

/* On the lane's thread.  handlers must be in their order; the lane must outlive the chain. */
int chain_init(struct chain *, const struct handler *const *handlers, size_t count,
	       const struct handler_lane *, struct error *);
void chain_fini(struct chain *);

/* As struct app's, with a chain as state: the handlers' turn, and the application's when they leave
 * the request to it.  When one of them says later, the response has not ended, and this is to be called
 * again. */
void chain_handle(void *chain, struct request *, struct response *);
/* Whether the answer is up to a handler that has said later. */
bool chain_waits(const struct response *);
/* Ends a response that a handler makes wait, as its client is gone.  False: none does. */
bool chain_give_up(struct response *);
/* Owners are the application's or loans of handlers. */
void chain_release(void *chain, void *const *owners, size_t count);

#endif
