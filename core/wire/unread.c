/* SPDX-License-Identifier: MIT */
/* unread.c: the queue is in the order of the last progress, so nobody has to be asked or measured
 * when memory is short. */
#include "wire/unread.h"

#include <stddef.h>

void unread_init(struct unread *u, const struct unread_limits *limits)
{
	*u = (struct unread){ .limits = *limits };
	TAILQ_INIT(&u->queue);
}

void unread_leave(struct unread *u, struct unread_share *share)
{
	u->held -= share->held;
	share->held = 0;
	TAILQ_REMOVE(&u->queue, share, link);
}

void unread_note(struct unread *u, struct unread_share *share, int64_t held, int64_t sent)
{
	if (held == 0) {
		unread_forget(u, share);
		return;
	}
	bool is_new = share->held == 0, moved = share->sent != sent;

	u->held += held - share->held;
	share->held = held;
	share->sent = sent;
	if (!is_new && moved)
		TAILQ_REMOVE(&u->queue, share, link);
	if (is_new || moved)
		TAILQ_INSERT_TAIL(&u->queue, share, link);
}

bool unread_is_over(const struct unread *u, int64_t more)
{
	return u->held + more > u->limits.memory;
}

struct unread_share *unread_last(const struct unread *u)
{
	return TAILQ_FIRST(&u->queue);
}
