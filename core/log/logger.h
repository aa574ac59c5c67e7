/* SPDX-License-Identifier: MIT */
/* logger.h: logger = file:/path: one place that lines of the log go to. */
#ifndef UWSGI_LOGGER_H
#define UWSGI_LOGGER_H

#include "base/address.h"

enum logger_kind { LOGGER_STDIO, LOGGER_FILE, LOGGER_FD, LOGGER_SOCKET, LOGGER_SYSLOG };

struct logger {
	enum logger_kind kind;
	struct slice name;             /* of the option's value; empty: it takes all lines */
	int fd;                        /* -1: closed, or standard output, where the caller writes */
	struct address to;             /* sockets */
	char path[4096], backup[4096]; /* files; backup: "" for the path with the time behind it */
	int64_t max_size;              /* 0: it grows for ever */
	char ident[256];               /* syslog */
	int priority;
	size_t packet_size;
	bool split; /* long lines go in several packets */
};

/* Whether uWSGI's users can mean it: "[name ]kind[:argument]".  Returns -1 with the reason. */
int logger_valid(const char *value, struct error *);
/* Opens it; never waits later on.  Returns -1 with the reason. */
int logger_open(struct logger *, const char *value, struct error *);
void logger_close(struct logger *);
/* The file by its name again, where it is one. */
void logger_reopen(struct logger *);
/* Not for LOGGER_STDIO.  What cannot be written at once is lost. */
void logger_write(struct logger *, struct slice line);

#endif
