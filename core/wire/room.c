/* SPDX-License-Identifier: MIT */
/* room.c: queues of connections that wait, and the limits that a process's descriptors set. */
#include "wire/room.h"

/* The application opens files and databases, and a connection may need a second descriptor for a
 * large body: a quarter of the limit is left to them, which is plenty from some size on. */
enum { RESERVE_PART = 4, RESERVE_MOST = 1024 };

/* A connection with half a head holds some 6 KB: where there are a million descriptors, memory sets
 * the limit. */
enum { DEFAULT_MOST = 16384 };

/* Connections that are asked whether they have spoken. */
enum { LOOKS = 16 };

int64_t room_reserve(uint64_t descriptor_limit)
{
	uint64_t part = descriptor_limit / RESERVE_PART;

	return part < RESERVE_MOST ? (int64_t)part : RESERVE_MOST;
}

void room_init(struct room *r, const struct room_setup *setup)
{
	uint64_t limit = setup->descriptor_limit < INT32_MAX ? setup->descriptor_limit : INT32_MAX;
	long long most = setup->most;

	for (int kind = 0; kind < WAIT_KINDS; kind++)
		TAILQ_INIT(&r->waiting[kind]);
	r->descriptors = (int64_t)limit - room_reserve(limit);
	if (most == 0)
		most = r->descriptors / setup->descriptors_each;
	if (setup->most == 0 && most > DEFAULT_MOST)
		most = DEFAULT_MOST;
	r->most = ((size_t)most + setup->lanes - 1) / setup->lanes;
}

void waiter_init(struct waiter *waiter)
{
	waiter->kind = WAIT_NONE;
}

void room_wait(struct room *r, struct waiter *waiter, enum wait_kind kind, double now)
{
	if (waiter->kind != WAIT_NONE)
		TAILQ_REMOVE(&r->waiting[waiter->kind], waiter, link);
	waiter->kind = kind;
	if (kind == WAIT_NONE)
		return;
	waiter->since = now;
	TAILQ_INSERT_TAIL(&r->waiting[kind], waiter, link);
}

/* The first of them that is silent.  While a long request ran, several may have spoken that seem to
 * be idle; with so many, room is looked for elsewhere. */
static struct waiter *first_silent(const struct waiter_queue *queue,
				   bool (*has_spoken)(const struct waiter *))
{
	struct waiter *waiter = TAILQ_FIRST(queue);

	for (int i = 0; waiter && i < LOOKS; i++, waiter = TAILQ_NEXT(waiter, link))
		if (!has_spoken(waiter))
			return waiter;
	return NULL;
}

struct waiter *room_choose(const struct room *r, double now,
			   bool (*has_spoken)(const struct waiter *))
{
	struct waiter *waiter = first_silent(&r->waiting[WAIT_IDLE], has_spoken);

	/* Bytes that trickle in keep no head: the oldest has had the most time to come. */
	if (!waiter)
		waiter = TAILQ_FIRST(&r->waiting[WAIT_HEAD]);
	if (!waiter)
		waiter = TAILQ_FIRST(&r->waiting[WAIT_LINGER]);
	if (waiter)
		return waiter;
	waiter = first_silent(&r->waiting[WAIT_BODY], has_spoken);
	return waiter && now - waiter->since >= ROOM_BODY_SILENT_S ? waiter : NULL;
}
