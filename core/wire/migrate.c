/* SPDX-License-Identifier: MIT */
/* migrate.c: a descriptor, what goes along, and what was read ahead, as one datagram each.  As long
 * as one process holds the queue, here the master, what is in it stays alive: neither the death of
 * the giver nor that of a lane that would have taken it closes a connection. */
#include "wire/migrate.h"

#include "base/passing.h"
#include "wire/backend.h"
#include "wire/connection.h"
#include "wire/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the queue ---- */

/* Datagrams: of these a queue can be closed to givers without waking those who take. */
int migrate_open(struct migrate_queue *queue, struct error *e)
{
	int ends[2];

	*queue = MIGRATE_NO_QUEUE;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		return uwsgi_error_set(e, "socketpair: %s", strerror(errno));
	*queue = (struct migrate_queue){ .give = ends[0], .take = ends[1] };
	return 0;
}

void migrate_close(struct migrate_queue *queue)
{
	if (queue->give < 0)
		return;
	close(queue->give);
	close(queue->take);
	*queue = MIGRATE_NO_QUEUE;
}

void migrate_end(const struct migrate_queue *queue)
{
	if (queue->give >= 0)
		shutdown(queue->give, SHUT_WR);
}

enum migrate_result migrate_give(int queue, int fd, const struct moved *moved, const char *input)
{
	union passing control = { 0 };
	struct iovec v[] = { { (void *)(uintptr_t)moved, sizeof *moved },
			     { (void *)(uintptr_t)input, moved->input } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = sizeof v / sizeof *v };

	passing_add(&m, &control, fd);
	if (sendmsg(queue, &m, MSG_NOSIGNAL) >= 0)
		return MIGRATE_DONE;
	return errno == EPIPE ? MIGRATE_ENDED : MIGRATE_LATER;
}

/* The kernel would close a connection for which there is no number left. */
static bool has_room(int queue)
{
	int fd = fcntl(queue, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

enum migrate_result migrate_take(int queue, int *fd, struct moved *moved, char *input)
{
	union passing control;
	struct iovec v[] = { { moved, sizeof *moved }, { input, MIGRATE_INPUT_MAX } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = sizeof v / sizeof *v };

	passing_expect(&m, &control);
	if (!has_room(queue))
		return MIGRATE_NO_ROOM;
	ssize_t n = recvmsg(queue, &m, MSG_CMSG_CLOEXEC);

	*fd = n >= 0 ? passing_take(&m) : -1;
	if (*fd < 0)
		return MIGRATE_LATER;
	if ((size_t)n == sizeof *moved + moved->input)
		return MIGRATE_DONE;
	close(*fd);
	return MIGRATE_LATER;
}

/* ---- connections ---- */

/* One that pipelines has sent a request that was read and not looked at. */
bool migrate_is_possible(const struct connection *c)
{
	return connection_is_idle(c) ||
	       (c->state == READING && c->runner.waits_as == RUN_PIPELINED &&
		c->x->in.end - c->x->in.begin <= MIGRATE_INPUT_MAX);
}

static enum migrate_result give(struct connection *c, int queue)
{
	const struct buffer *in = c->x ? &c->x->in : NULL;
	struct moved moved = { .listener = c->listener->identity,
			       .deadline_ms = c->deadline_ms,
			       .took_s = c->runner.took_s,
			       .is_new = c->runner.is_new,
			       .input = in ? in->end - in->begin : 0 };

	memcpy(moved.state, c->protocol_state, c->listener->protocol->state_size);
	enum migrate_result result =
		migrate_give(queue, c->io.fd, &moved, in ? in->p + in->begin : NULL);
	if (result == MIGRATE_DONE) {
		backend_forget(c->clients->backend, c->io.fd);
		connection_close(c);
	}
	return result;
}

enum migrate_result migrate_all(struct clients *clients)
{
	enum migrate_result result = MIGRATE_DONE;
	struct connection *next;

	for (struct connection *c = LIST_FIRST(&clients->open); c && result == MIGRATE_DONE;
	     c = next) {
		next = LIST_NEXT(c, link);
		if (migrate_is_possible(c))
			result = give(c, clients->successors);
	}
	return result;
}

/* Of those that wait for their turn like this, at most so many.  Returns how many may still go; 0
 * when the neighbours take no more. */
static int give_waiting(struct clients *clients, enum run_kind kind, int most)
{
	struct runner *next;

	for (struct runner *r = TAILQ_FIRST(&clients->queue.waiting[kind]); r && most > 0;
	     r = next, most--) {
		struct connection *c = connection_of(r, runner);

		next = TAILQ_NEXT(r, link);
		if (migrate_is_possible(c) && give(c, clients->neighbours) != MIGRATE_DONE)
			return 0;
	}
	return most;
}

static void give_idle(struct clients *clients, int most, double silent_s)
{
	struct waiter *next;

	for (struct waiter *w = TAILQ_LAST(&clients->room.waiting[WAIT_IDLE], waiter_queue);
	     w && most > 0; w = next, most--) {
		struct connection *c = connection_of(w, waiter);

		next = TAILQ_PREV(w, waiter_queue, link);
		if (migrate_is_possible(c) && connection_silent_s(c) <= silent_s &&
		    give(c, clients->neighbours) != MIGRATE_DONE)
			return;
	}
}

/* A lane that is free serves them sooner.  A move costs some 20 µs in both lanes: one for each
 * millisecond takes 2 % of their time.  Those who have spoken go first, then those who are most likely
 * to speak soon; whoever has been silent a hundred times as long hardly will. */
void migrate_some(struct clients *clients, double seconds)
{
	int most = seconds < 60 ? (int)(seconds * 1000) : 60000;

	if (clients->neighbours < 0 || clients->open_count <= 1 || clients->leaving)
		return;
	most = give_waiting(clients, RUN_SLOW, most);
	most = give_waiting(clients, RUN_PIPELINED, most);
	give_idle(clients, most, seconds * 100);
}

void migrate_resume(struct connection *c, const struct moved *moved, const char *input)
{
	c->runner.took_s = moved->took_s;
	c->runner.is_new = moved->is_new;
	c->deadline_ms = moved->deadline_ms;
	memcpy(c->protocol_state, moved->state, c->listener->protocol->state_size);
	intake_resume(c, (struct slice){ input, moved->input });
}
