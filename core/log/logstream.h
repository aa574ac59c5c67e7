/* SPDX-License-Identifier: MIT */
/* logstream.h: the lines of the log on their way through routes and encoders to the loggers.
 * There may be two streams, the second for requests only. */
#ifndef UWSGI_LOGSTREAM_H
#define UWSGI_LOGSTREAM_H

#include "log/logencoder.h"
#include "log/logger.h"

extern const struct option_table logstream_options;

struct logroute {
	struct pattern *pattern;
	size_t logger;
	const char *text; /* of the option */
	bool gave_up;     /* on a line that was too much for the pattern, and that is said */
};

/* Zeroed it is empty. */
struct logstream {
	struct arena memory; /* what loggers and encoders were told */
	struct logger *loggers;
	struct logroute *routes;
	struct logencoder *encoders;
	size_t logger_count, route_count, encoder_count;
	struct text encoded, scratch[2];
};

/* Whether there is anything to do with lines of the server, or (requests) with those of
 * requests, which have a stream of their own then. */
bool logstream_is_wanted(const struct config *, bool requests);
/* What cannot be opened is said and left out. */
void logstream_init(struct logstream *, const struct config *, bool requests);
void logstream_fini(struct logstream *);
/* One line, with its newline.  What is for standard output is added to passed. */
void logstream_line(struct logstream *, struct slice line, struct text *passed);
/* Files by their names again. */
void logstream_reopen(struct logstream *);

#endif
