/* SPDX-License-Identifier: MIT */
/* response.h: one answer on its way from the application through the protocol into `out`.
 * It holds the head back until the first block has to leave: if that was all, the length is
 * known and said.  Applications reach it through the uwsgi_response_* functions of plugin.h: those
 * after which something is to be sent are connection.c's, which calls the ones here. */
#ifndef UWSGI_RESPONSE_H
#define UWSGI_RESPONSE_H

#include "exchange/deadline.h"
#include "exchange/header_rules.h"
#include "base/sendbuf.h"
#include "exchange/request.h"

/* Blocks held before the head is said; one more and the length stays unknown. */
#define RESPONSE_HELD 16

struct response {
	const struct protocol *protocol;
	void *state; /* the protocol's, of this connection */
	/* Has what handlers hold back go on; NULL: none of them stands before the protocol. */
	void (*flush_filters)(struct response *);
	struct request *rq;
	struct sendbuf *out;
	const struct header_rules *rules; /* NULL: none */
	struct deadline *deadline;        /* of its lane; NULL: nothing limits it */

	struct slice line; /* "200 OK" */
	int status;
	struct header *headers; /* kept for the next response */
	size_t count, capacity;
	size_t head_size;  /* as HTTP would write it; for the log */
	int64_t declared;  /* Content-Length as the application said it; -1 */
	int64_t body;      /* bytes of body handed to the protocol */
	unsigned switches; /* times the application was asked for more; for the log */
	struct {
		struct piece piece;
		void *owner;
	} held[RESPONSE_HELD];
	size_t held_count;
	int64_t held_length;
	uintptr_t lender;  /* what marks the owners of its body, where applications are mounted */
	struct slice date; /* set by the lane before the request runs */
	bool bodiless, close;
	bool file;                     /* a part of the body comes from a file */
	bool head_sent, ended, broken; /* broken: the peer is gone */
	bool lost;                     /* … as the watchdog has given it up: its time was over */
	bool failed;                   /* the application did not come to the end of it */
	/* After the end, and never both: the protocol lets the connection live on; only a reset can
	 * tell the peer that the rest is missing. */
	bool keep, cut;
	bool overdue;   /* harakiri gives it up: who fails it says 504 */
	bool refusal;   /* the server's own answer, in the place of the application's */
	bool no_memory; /* for the head: 500 was said instead */
};

void response_init(struct response *, struct request *, struct sendbuf *,
		   const struct header_rules *);
void response_fini(struct response *);
/* Around whatever changes what the watchdog looks at: the protocol's state, what is said of the head, and
 * bytes for the peer.  Where the request is lost, the response is broken from then on. */
enum hold response_take(struct response *);
static inline enum hold response_hold(struct response *rs)
{
	return deadline_is_set(rs->deadline) ? response_take(rs) : HOLD_OURS;
}
static inline void response_let_go(struct response *rs, enum hold hold)
{
	if (hold == HOLD_TAKEN)
		deadline_let_go(rs->deadline);
}

/* For the next request. */
void response_reset(struct response *, const struct protocol *, void *state);

/* Says the head if it is not said yet: what is queued is about to leave. */
void response_open(struct response *);
/* Either of them ends it.  refuse: as uwsgi_response_refuse(). */
void response_end(struct response *);
void response_refuse(struct response *, int status, struct slice text);

/* Copied; anything but Content-Length, whose value is kept apart. */
void response_add_header(struct response *, struct slice name, struct slice value);
/* "200 OK", copied. */
void response_set_line(struct response *, struct slice line);
/* The status forbids one (RFC 9110 section 6.4.1). */
bool response_has_no_body(const struct response *);
bool response_is_to_head(const struct response *);

#endif
