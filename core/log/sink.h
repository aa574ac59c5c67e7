/* SPDX-License-Identifier: MIT */
/* sink.h: the end of the lines that go through the master: routes choose the loggers for a line,
 * encoders change it, a logger writes it. */
#ifndef UWSGI_SINK_H
#define UWSGI_SINK_H

#include "base/text.h"

/* What a configuration says of the sinks of one kind of lines; logging.c has the rows. */
struct sink_options {
	struct option_list loggers, routes, encoders;
	struct option_list sockets; /* addresses of further loggers */
	const char *syslog;         /* the name in syslog of another one; NULL: none */
};

/* For rows: whether uWSGI's users can mean it.  Returns -1 with the reason. */
int sink_valid_logger(const char *value, struct error *);
/* "NAME EXPRESSION" */
int sink_valid_route(const char *value, struct error *);

/* For --check: what sinks_new() would say, as far as it can be told beforehand. */
void sinks_check(const struct sink_options *, bool of_requests, const struct config *,
		 struct report *);
/* Whether there is anything to do with these lines. */
bool sinks_are_wanted(const struct sink_options *);

struct sinks;

/* Opens what the options name; nothing of theirs is kept.  What cannot be opened is said and left
 * out.  packet_size: the most that a packet for syslog holds; with split, longer lines go in
 * several.  sinks_free().  NULL: none is wanted, or there is no memory, which is said. */
struct sinks *sinks_new(const struct sink_options *, bool of_requests, size_t packet_size,
			bool split);
/* sinks may be NULL. */
void sinks_free(struct sinks *);
/* Files by their names again; sinks may be NULL. */
void sinks_reopen(struct sinks *);
/* One line, with its newline.  What is for the place where the log goes anyway is added to passed.
 * Never waits: what cannot be written at once is lost. */
void sinks_write(struct sinks *, struct slice line, struct text *passed);

#endif
