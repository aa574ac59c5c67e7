/* SPDX-License-Identifier: MIT */
/* unread.h: the answers of a lane that their clients have not taken: how much memory they hold
 * together, and whose client is the furthest behind.  Pure: it counts, others act. */
#ifndef UWSGI_UNREAD_H
#define UWSGI_UNREAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct unread_limits {
	int64_t memory; /* of all of them together */
	int64_t file;   /* of the file of each */
};

TAILQ_HEAD(unread_queue, unread_share);

struct unread {
	struct unread_limits limits;
	int64_t held;
	struct unread_queue queue; /* who has taken something last is the last */
};

/* A connection's part; zeroed at first. */
struct unread_share {
	TAILQ_ENTRY(unread_share) link;
	int64_t held; /* 0: it is not in the queue */
	int64_t sent;
};

void unread_init(struct unread *, const struct unread_limits *);
/* It holds so much now.  sent: bytes that the kernel has taken from us, from any
 * beginning on. */
void unread_note(struct unread *, struct unread_share *, int64_t held, int64_t sent);
/* It holds nothing any more, and did. */
void unread_leave(struct unread *, struct unread_share *);

static inline void unread_forget(struct unread *u, struct unread_share *share)
{
	if (share->held > 0)
		unread_leave(u, share);
}

/* With so much more. */
bool unread_is_over(const struct unread *, int64_t more);
/* Whose client has taken nothing for the longest time; NULL: there is none. */
struct unread_share *unread_last(const struct unread *);

#endif
