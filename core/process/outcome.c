/* SPDX-License-Identifier: MIT */
/* outcome.c: one datagram says that a reload is under way, one how it ended.  The master and
 * command.c call it; it decides nothing about reloads. */
#include "process/outcome.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct datagram {
	int32_t kind;
	char text[sizeof((struct error *)0)->text];
};

/* An abstract name is all the bytes of its length, without a zero at the end. */
socklen_t outcome_name(uint64_t ticket, struct sockaddr_un *un)
{
	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int n = snprintf(un->sun_path + 1, sizeof un->sun_path - 1, "uwsgi-outcome-%016" PRIx64,
			 ticket);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* ---- the master's side ---- */

/* Whoever does not listen any more has lost interest, and whoever reads nothing gets nothing. */
static void tell(uint64_t ticket, enum outcome_kind kind, const char *text)
{
	struct datagram d = { .kind = (int32_t)kind };
	struct sockaddr_un un;
	socklen_t length = outcome_name(ticket, &un);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	snprintf(d.text, sizeof d.text, "%s", text);
	(void)sendto(fd, &d, sizeof d, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&un, length);
	close(fd);
}

bool outcome_ask(struct outcomes *o, uint64_t ticket)
{
	bool known = false;

	if (!ticket)
		return true;
	for (size_t i = 0; i < OUTCOME_ASKERS; i++)
		if (o->told[i] == ticket)
			return false;
	for (size_t i = 0; i < o->count; i++)
		known = known || o->askers[i].ticket == ticket;
	if (!known && o->count == OUTCOME_ASKERS)
		return true;
	if (!known)
		o->askers[o->count++] = (struct asker){ ticket, false };
	tell(ticket, OUTCOME_UNDER_WAY, "");
	return !known;
}

void outcome_begin(struct outcomes *o)
{
	for (size_t i = 0; i < o->count; i++)
		o->askers[i].begun = true;
}

void outcome_end(struct outcomes *o, enum outcome_kind kind, const char *text)
{
	size_t left = 0;

	for (size_t i = 0; i < o->count; i++) {
		if (o->askers[i].begun) {
			tell(o->askers[i].ticket, kind, text);
			o->told[o->told_at++ % OUTCOME_ASKERS] = o->askers[i].ticket;
		} else {
			o->askers[left++] = o->askers[i];
		}
	}
	o->count = left;
}

void outcome_end_all(struct outcomes *o, enum outcome_kind kind, const char *text)
{
	outcome_begin(o);
	outcome_end(o, kind, text);
}

void outcomes_carry(struct outcomes *o, struct carry *c)
{
	o->count = carry_count(c, o->count, OUTCOME_ASKERS);
	for (size_t i = 0; i < o->count; i++) {
		carry_u64(c, &o->askers[i].ticket);
		carry_bool(c, &o->askers[i].begun);
	}
	o->told_at = carry_count(c, o->told_at % OUTCOME_ASKERS, OUTCOME_ASKERS);
	for (size_t i = 0; i < OUTCOME_ASKERS; i++)
		carry_u64(c, &o->told[i]);
}

/* ---- the command's side ---- */

/* A signal carries as many bits as a pointer has; 0 would mean that nobody wants to know. */
bool outcome_draw(uint64_t *ticket)
{
	if (getrandom(ticket, sizeof *ticket, 0) != sizeof *ticket)
		return false;
	*ticket = (*ticket & UINTPTR_MAX) | 1;
	return true;
}

int outcome_listen(uint64_t *ticket, struct error *e)
{
	struct sockaddr_un un;
	const int on = 1;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && outcome_draw(ticket) &&
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
	    bind(fd, (struct sockaddr *)&un, outcome_name(*ticket, &un)) == 0)
		return fd;
	int why = errno;
	if (fd >= 0)
		close(fd);
	return uwsgi_error_set(e, "cannot listen for how it goes: %s", strerror(why));
}

static pid_t sender_of(struct msghdr *h)
{
	struct ucred who = { 0 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&who, CMSG_DATA(c), sizeof who);
	return who.pid;
}

enum outcome_kind outcome_read(int fd, pid_t master, struct error *text)
{
	struct datagram d = { 0 };
	struct iovec part = { &d, sizeof d };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct msghdr h = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof control.bytes };

	ssize_t n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n != sizeof d || sender_of(&h) != master || d.kind < OUTCOME_UNDER_WAY ||
	    d.kind > OUTCOME_FAILED)
		return OUTCOME_NONE;
	d.text[sizeof d.text - 1] = '\0';
	snprintf(text->text, sizeof text->text, "%s", d.text);
	return (enum outcome_kind)d.kind;
}
