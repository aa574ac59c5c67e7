/* SPDX-License-Identifier: MIT */
/* migrate.c: a descriptor, what goes along, and what was read ahead, as one datagram each.  As long
 * as one process holds the queue, here the master, what is in it stays alive: neither the death of
 * the giver nor that of a lane that would have taken it closes a connection. */
#include "wire/migrate.h"

#include "base/passing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
