/* SPDX-License-Identifier: MIT */
/* view.c: one message with the descriptors of the memories, and what cannot be seen in them: how they
 * are laid out, and the queues of the sockets. */
#include "process/view.h"

#include "base/hash.h"
#include "base/log.h"
#include "process/outcome.h"
#include "process/vassals.h"
#include "wire/backlog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Generations and sockets that are told of at most. */
enum { BOARDS = 12, SOCKETS = 32, MEMORIES = 4, FDS = MEMORIES + BOARDS };

struct letter {
	/* Both sides must have the same layouts; servers of other versions are asked by their own
	 * program. */
	uint64_t layout;
	uint32_t boards, sockets;
	uint64_t overflows;
	struct {
		uint64_t slots, lanes;
	} board[BOARDS];
	struct {
		char name[sizeof((struct socket_status *)0)->name], protocol[24];
		int64_t queue, max_queue;
	} socket[SOCKETS];
};

union fds {
	struct cmsghdr align;
	char space[CMSG_SPACE(FDS * sizeof(int))];
};

static uint64_t layout(void)
{
	static const uint64_t sizes[] = {
		sizeof(struct letter),         sizeof(struct totals),
		sizeof(struct board_score),    sizeof(struct slot_score),
		sizeof(struct lane_score),     sizeof(struct slow_status),
		sizeof(struct warning_status), sizeof(struct vassal_status),
		sizeof(struct span_status),    UWSGI_ABI
	};

	return hash_bytes(HASH_NOTHING, sizes, sizeof sizes);
}

static bool may_see(int fd)
{
	struct ucred who;
	socklen_t size = sizeof who;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
	       (who.uid == 0 || who.uid == geteuid());
}

/* ---- the master's side ---- */

static void write_sockets(struct letter *l, const struct listeners *all)
{
	struct status own = { .listeners = all };
	struct socket_status s;

	for (size_t i = 0; all && l->sockets < SOCKETS && uwsgi_status_next_socket(&own, &i, &s);) {
		snprintf(l->socket[l->sockets].name, sizeof l->socket->name, "%s", s.name);
		snprintf(l->socket[l->sockets].protocol, sizeof l->socket->protocol, "%s",
			 s.protocol);
		l->socket[l->sockets].queue = s.queue;
		l->socket[l->sockets++].max_queue = s.max_queue;
	}
	for (size_t i = 0; all && i < all->count; i++)
		l->overflows += backlog_overflows(all->items[i].fd);
}

static size_t write_letter(struct letter *l, const struct view_source *from, int fds[FDS])
{
	const struct scoreboard *b;
	size_t count = MEMORIES;

	fds[0] = from->totals->fd;
	fds[1] = from->slow->fd;
	fds[2] = from->warnings->fd;
	fds[3] = from->vassals->fd;
	l->layout = layout();
	while (l->boards < BOARDS && (b = from->board(from->data, l->boards))) {
		l->board[l->boards].slots = b->slots;
		l->board[l->boards++].lanes = b->lanes;
		fds[count++] = b->memory.fd;
	}
	write_sockets(l, from->listeners);
	return count;
}

static void send_letter(int to, const struct view_source *from)
{
	struct letter l = { 0 };
	int fds[FDS];
	size_t size = write_letter(&l, from, fds) * sizeof *fds;
	union fds control = { 0 };
	struct iovec part = { &l, sizeof l };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = CMSG_SPACE(size) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), fds, size);
	(void)sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void view_tell(uint64_t ticket, const struct view_source *from)
{
	struct sockaddr_un un;
	socklen_t length = outcome_name(ticket, &un);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&un, length) == 0 && may_see(fd))
		send_letter(fd, from);
	close(fd);
}

/* ---- the command's side ---- */

int view_listen(uint64_t *ticket, struct error *e)
{
	struct sockaddr_un un;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && outcome_draw(ticket) &&
	    bind(fd, (struct sockaddr *)&un, outcome_name(*ticket, &un)) == 0 && listen(fd, 4) == 0)
		return fd;
	int why = errno;
	if (fd >= 0)
		close(fd);
	return uwsgi_error_set(e, "cannot listen for the answer: %s", strerror(why));
}

static bool is_from(int fd, pid_t master)
{
	struct ucred who;
	socklen_t size = sizeof who;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.pid == master;
}

/* How many descriptors came with it.  The kernel fills the whole buffer, and the one's padding has room for
 * another descriptor: so what it is told ends before. */
static size_t read_letter(int from, struct letter *l, int fds[FDS])
{
	union fds control;
	struct iovec part = { l, sizeof *l };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = CMSG_LEN(FDS * sizeof *fds) };
	ssize_t n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	size_t size = c->cmsg_len - CMSG_LEN(0);

	memcpy(fds, CMSG_DATA(c), size);
	if ((size_t)n != sizeof *l)
		l->layout = 0;
	return size / sizeof *fds;
}

/* What was seen before; shares of memory stay, since they take long to find out. */
static void forget(struct view *v)
{
	for (size_t i = 0; i < v->status.count; i++)
		scoreboard_fini(&v->status.boards[i]);
	v->status.count = 0;
	shared_free(&v->totals);
	shared_free(&v->slow);
	shared_free(&v->warnings);
	shared_free(&v->vassals);
	free(v->letter);
	v->letter = NULL;
}

static int map(struct view *v, const int fds[MEMORIES], struct error *e)
{
	if (shared_view(&v->totals, fds[0], sizeof(struct totals)) ||
	    shared_view(&v->slow, fds[1], slow_memory_size()) ||
	    shared_view(&v->warnings, fds[2], log_warnings_size()) ||
	    shared_view(&v->vassals, fds[3], vassals_memory_size()))
		return uwsgi_error_set(e, "cannot see what the server counts: %s", strerror(errno));
	v->status.totals = v->totals.p;
	v->status.slow = slow_ring(v->slow.p);
	v->status.warnings = log_warnings(v->warnings.p);
	v->status.vassals = vassals_ring(v->vassals.p);
	return 0;
}

static void see_sockets(struct view *v)
{
	struct letter *l = v->letter;

	v->status.told_count = l->sockets;
	v->status.overflows = l->overflows;
	for (size_t i = 0; i < l->sockets; i++) {
		struct socket_status *s = &v->status.told[i];

		*s = (struct socket_status){ .protocol = l->socket[i].protocol,
					     .queue = l->socket[i].queue,
					     .max_queue = l->socket[i].max_queue };
		memcpy(s->name, l->socket[i].name, sizeof s->name);
	}
}

/* v->letter came with so many descriptors. */
static int see(struct view *v, const int *fds, size_t count, struct error *e)
{
	const struct letter *l = v->letter;

	if (l->layout != layout() || l->boards > BOARDS || l->sockets > SOCKETS ||
	    count != MEMORIES + l->boards)
		return uwsgi_error_set(e, "the server is of another version than this program; "
					  "its own one can ask it");
	if (map(v, fds, e))
		return -1;
	for (size_t i = 0; i < l->boards; i++)
		status_look_at(&v->status, fds[MEMORIES + i], l->board[i].slots, l->board[i].lanes);
	see_sockets(v);
	return 0;
}

static int take_letter(struct view *v, int from, struct error *e)
{
	int fds[FDS];

	forget(v);
	v->letter = malloc(sizeof *v->letter);
	if (!v->letter)
		return uwsgi_error_set(e, "out of memory");
	size_t count = read_letter(from, v->letter, fds);
	int result = count ? see(v, fds, count, e) : 0;

	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	return count && !result ? 1 : result;
}

int view_init(struct view *v, pid_t master, struct error *e)
{
	*v = (struct view){ .totals = SHARED_NONE,
			    .slow = SHARED_NONE,
			    .warnings = SHARED_NONE,
			    .vassals = SHARED_NONE };
	if (status_init(&v->status, NULL, NULL, NULL, (struct ring){ 0 }, (struct ring){ 0 }, e))
		return -1;
	v->status.master = master;
	v->status.told = calloc(SOCKETS, sizeof *v->status.told);
	return v->status.told ? 0 : uwsgi_error_set(e, "out of memory");
}

int view_receive(struct view *v, int fd, struct error *e)
{
	int from = accept4(fd, NULL, NULL, SOCK_CLOEXEC), result = 0;

	if (from < 0)
		return 0;
	if (is_from(from, v->status.master))
		result = take_letter(v, from, e);
	close(from);
	return result;
}

void view_fini(struct view *v)
{
	forget(v);
	free(v->status.told);
	free(v->status.boards);
	free(v->status.shares);
}
