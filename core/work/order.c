/* SPDX-License-Identifier: MIT */
/* order.c: orders as messages, and in the worker.  Each has a thread of its own for as long as it
 * takes: the language's lock may be held by the very request that is asked about. */
#include "work/order.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- as a message ---- */

struct message order_message(pid_t worker, const struct order *o)
{
	return (struct message){ .kind = MESSAGE_ORDER,
				 .value = worker,
				 .slot = (int)o->kind,
				 .worker = o->hz,
				 .mercy_ms = o->seconds };
}

bool order_read(const struct message *m, struct order *o)
{
	if (m->kind != MESSAGE_ORDER || m->slot < 0 || m->slot >= ORDER_KINDS)
		return false;
	*o = (struct order){ .kind = (enum order_kind)m->slot };
	if (o->kind != ORDER_PROFILE)
		return true;
	if (m->mercy_ms < 1 || m->mercy_ms > ORDER_SECONDS_MAX || m->worker < 1 ||
	    m->worker > ORDER_HZ_MAX)
		return false;
	o->seconds = (int)m->mercy_ms;
	o->hz = m->worker;
	return true;
}

/* ---- in the worker ---- */

struct task {
	struct orders *all;
	struct order order;
	int fd;
};

/* It is small, and nothing was sent there before. */
static void refuse(int fd, const char *line)
{
	send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static bool begin(struct orders *all, enum order_kind kind, int fd)
{
	pthread_mutex_lock(&all->lock);
	bool is_free = all->fd[kind] < 0;
	if (is_free)
		all->fd[kind] = fd;
	pthread_mutex_unlock(&all->lock);
	return is_free;
}

static void end(struct orders *all, enum order_kind kind)
{
	pthread_mutex_lock(&all->lock);
	close(all->fd[kind]);
	all->fd[kind] = -1;
	pthread_mutex_unlock(&all->lock);
}

static void *carry_out(void *argument)
{
	struct task task = *(struct task *)argument;

	free(argument);
	task.all->app->examine(&task.order, task.fd);
	end(task.all, task.order.kind);
	return NULL;
}

void orders_init(struct orders *all, const struct app *app)
{
	*all = (struct orders){ .app = app, .lock = PTHREAD_MUTEX_INITIALIZER };
	for (size_t i = 0; i < ORDER_KINDS; i++)
		all->fd[i] = -1;
}

void orders_take(struct orders *all, const struct message *m, int fd)
{
	struct order order;

	if (!order_read(m, &order)) {
		close(fd);
		return;
	}
	if (!all->app->examine) {
		refuse(fd, "!the application's language cannot be looked into\n\n");
		return;
	}
	if (!begin(all, order.kind, fd)) {
		refuse(fd, "!an earlier order is still under way\n\n");
		return;
	}
	struct task *task = malloc(sizeof *task);
	if (task)
		*task = (struct task){ all, order, fd };
	if (!task || uwsgi_thread_start(NULL, carry_out, task)) {
		free(task);
		end(all, order.kind);
	}
}

void orders_end(struct orders *all)
{
	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < ORDER_KINDS; i++)
		if (all->fd[i] >= 0)
			shutdown(all->fd[i], SHUT_RD);
	pthread_mutex_unlock(&all->lock);
}
