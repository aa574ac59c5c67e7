/* SPDX-License-Identifier: MIT */
/* logencoder.h: log-encoder = format ${msg}: what becomes of a line before it is written. */
#ifndef UWSGI_LOGENCODER_H
#define UWSGI_LOGENCODER_H

#include "base/text.h"

/* "json {"m": "${msg}"}", "prefix:mylogger abc": points into the option's value. */
struct logencoder {
	void (*encode)(const struct logencoder *, struct slice line, struct text *);
	struct slice logger; /* only for the logger of this name; empty: for all lines */
	const char *arguments;
};

/* Returns -1 with the reason, also for encoders of uWSGI that this server does not have. */
int logencoder_parse(struct logencoder *, const char *value, struct error *);
/* Adds the line, as all encoders of this logger in turn have left it; the line has its newline.
 * scratch is the caller's, to be used again. */
void logencoder_run(const struct logencoder *, size_t count, struct slice logger, struct slice line,
		    struct text *to, struct text scratch[2]);

#endif
