/* SPDX-License-Identifier: MIT */
/* logmaster.h: the master's side of the log: the pipes from its children, the sinks that their
 * lines go to, and the files that are touched to begin a new log file. */
#ifndef UWSGI_LOGMASTER_H
#define UWSGI_LOGMASTER_H

#include "log/logpipe.h"
#include "process/touch.h"

struct logmaster {
	struct ev_loop *loop;
	struct logfile *file;
	struct logpipe lines, requests;
	struct sinks *line_sinks, *request_sinks; /* NULL: none */
	struct touch touch_rotate, touch_reopen;
};

/* To another program, where it is zeroed and logmaster_init() follows. */
void logmaster_carry(struct logmaster *, struct carry *);
/* The first configuration is in force at once. */
void logmaster_init(struct logmaster *, struct ev_loop *, struct logfile *, const struct config *);
/* Writes what is left. */
void logmaster_fini(struct logmaster *);
/* Before a process with this configuration is forked: what is said from then on. */
void logmaster_expect(struct logmaster *, const struct config *);
/* This configuration serves now. */
void logmaster_use(struct logmaster *, const struct config *);
/* Shows the lines that are not of requests, as logpipe_show() does. */
void logmaster_show(struct logmaster *, void (*seen)(void *data, struct slice line), void *data);
/* What a touched file of touch-logrotate does, and one of touch-logreopen. */
void logmaster_rotate(struct logmaster *);
void logmaster_reopen(struct logmaster *);
/* In a new child of the master. */
void logmaster_enter_child(struct logmaster *);
/* Writes what the children have said so far; does not wait. */
void logmaster_drain(struct logmaster *);

#endif
