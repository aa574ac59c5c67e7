/* SPDX-License-Identifier: MIT */
/* channel.c: sends and receives the messages of master, zygotes and workers.  What they mean is
 * told in generation.c, zygote.c and worker.c. */
#include "work/channel.h"

#include "base/passing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int channel_open(struct watch *w, struct ev_loop *loop, void (*ready)(struct watch *), void *data,
		 struct error *e)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return uwsgi_error_set(e, "socketpair: %s", strerror(errno));
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	watch_begin(w, loop, ends[0], ready, data);
	return ends[1];
}

bool channel_next(struct watch *w, struct ev_loop *loop, struct message *m, int *passed)
{
	int got = w->io.fd >= 0 ? channel_receive(w->io.fd, m, passed) : 0;

	if (got < 0)
		channel_close(w, loop);
	return got > 0;
}

void channel_close(struct watch *w, struct ev_loop *loop)
{
	if (w->io.fd < 0)
		return;
	watch_stop(w, loop);
	close(w->io.fd);
	w->io.fd = -1;
}

bool channel_send(int fd, const struct message *message, int pass)
{
	struct iovec v = { (void *)(uintptr_t)message, sizeof *message };
	union passing control = { 0 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (pass >= 0)
		passing_add(&m, &control, pass);
	return TEMP_FAILURE_RETRY(sendmsg(fd, &m, MSG_NOSIGNAL)) == (ssize_t)sizeof *message;
}

void channel_send_failure(int fd, const struct error *e)
{
	struct message m = { .kind = MESSAGE_FAILED };

	snprintf(m.text, sizeof m.text, "%.*s", (int)sizeof m.text - 1, e->text);
	channel_send(fd, &m, -1);
}

static int receive(int fd, struct message *message, int *passed, int flags)
{
	struct iovec v = { message, sizeof *message };
	union passing control = { 0 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	passing_expect(&m, &control);
	ssize_t n = TEMP_FAILURE_RETRY(recvmsg(fd, &m, MSG_CMSG_CLOEXEC | flags));
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	int descriptor = n < 0 ? -1 : passing_take(&m);
	bool whole = n == (ssize_t)sizeof *message;

	if (passed && whole)
		*passed = descriptor;
	else if (descriptor >= 0)
		close(descriptor);
	if (!whole)
		return -1;
	message->text[sizeof message->text - 1] = '\0';
	return 1;
}

int channel_receive(int fd, struct message *message, int *passed)
{
	return receive(fd, message, passed, MSG_DONTWAIT);
}

int channel_wait(int fd, struct message *message, int *passed)
{
	return receive(fd, message, passed, 0);
}
