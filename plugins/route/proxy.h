/* SPDX-License-Identifier: MIT */
/* proxy.h: requests that other servers answer. */
#ifndef ROUTE_PROXY_H
#define ROUTE_PROXY_H

#include "http/job.h"
#include "route.h"

/* "ADDRESS", "ADDRESS,HOST" for http, "ADDRESS,MODIFIER1,MODIFIER2" for uwsgi.  NULL with the reason. */
struct proxy *proxy_new(struct slice text, enum speaks, struct error *);
void proxy_free(struct proxy *); /* NULL: nothing to do */

/* What a lane's proxies have in common; its members are struct upstream's. */
struct proxy_lane {
	struct ev_loop *loop;
	double connect_s, answer_s;
	long long most; /* requests that may be under way; 0: any number */
	long long under_way;
	bool (*head)(struct job *);
	void (*ending)(struct job *);
	void (*refuse)(void *visit, struct response *, int status);
};

/* Of a rule of this lane, which must outlive it. */
void proxy_attach(struct proxy *, struct proxy_lane *);
/* Sends the request there.  NULL: that is not possible, and *status is what the client is to get. */
struct job *proxy_ask(struct proxy *, struct visit *, struct response *, int *status);

/* ---- request.c ---- */

/* Whether it can be a method, or the name of a header (RFC 9110 section 5.6.2). */
bool is_token(struct slice);
/* The head of the request for an HTTP server, written to `to` if it is not NULL; its length.  host: in
 * the place of the request's, {NULL, 0}: that.  0: something in it would not mean the same there, and
 * *why says what. */
size_t request_write(char *to, const struct request *, struct slice host, int64_t body_length,
		     const char **why);

#endif
