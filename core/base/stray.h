/* SPDX-License-Identifier: MIT */
/* stray.h: a child that the application has forked (os.fork(), multiprocessing, a C library).  It
 * is an ordinary process and no worker: it serves nothing, signals mean what they usually do, and
 * it ends with the server, unless it has become another program by exec. */
#ifndef UWSGI_STRAY_H
#define UWSGI_STRAY_H

#include "base/carry.h"

#include <uwsgi/plugin.h>

#include <signal.h>

/* In the process that strays end with, the master, before it forks anything.  Returns -1 with the
 * reason. */
int stray_init(struct error *);
/* To another program, behind its stray_init(): strays end with that. */
void stray_carry(struct carry *);
/* fork() for a process of the server, where the application's code may run. */
pid_t stray_fork_own(void);

/* What a stray closes, beside all that was accepted from the listeners. */
struct stray_sockets {
	const int *listeners; /* only to learn their names: not needed any more after the call */
	size_t listener_count;
	int channel, queues[4]; /* -1: none */
};
/* From now on this process runs code of the application: all forks but those of stray_fork_own()
 * make strays.  Called once; workers inherit it from their zygote.  -1: no memory. */
int stray_begin(const struct stray_sockets *, struct error *);
/* In a worker, which has another channel than its zygote. */
void stray_set_channel(int fd);

/* A signal that the server handles in this process.  A stray has the application's handler, if there
 * was one before, else the default. */
typedef void stray_handler(int number, siginfo_t *, void *);
void stray_handle(int number, stray_handler *);

/* Ends this process if it is a stray: for where the application gives control back. */
void stray_end(void);

#endif
