/* SPDX-License-Identifier: MIT */
/* logfile.h: a file of log lines, and when a new one begins.  The server's stands in the place of
 * standard output and standard error; the others belong to loggers. */
#ifndef UWSGI_LOGFILE_H
#define UWSGI_LOGFILE_H

#include "base/carry.h"

#include <uwsgi/plugin.h>

#include <sys/stat.h>

struct logfile {
	char path[4096];   /* "": no file, or standard error as it was */
	char backup[4096]; /* the name of a full one; "": its own with the time behind it */
	int fd;            /* STDERR_FILENO: the server's.  Of others, -1: closed */
	uid_t uid;         /* who the server is, once privileges are dropped */
	gid_t gid;
	mode_t mode; /* 0: as it is */
	bool chown, truncate;
	int64_t max_size; /* 0: it grows for ever */
	int64_t full_at;  /* the size at which the next one begins; 0: never */

	/* Of the server's */
	const char *start_folder; /* relative paths are seen from here */
	int unblocked;            /* standard error, opened once more without blocking; -1 */
	dev_t seen_device;        /* what standard error was then */
	ino_t seen_inode;
};

/* ---- any ---- */

/* Opens it, created 0640, in the place of what is open; a failure leaves all as it was.  Returns -1
 * with the reason. */
int logfile_open(struct logfile *, const char *path, struct error *);
/* Whether n more bytes would be too much for the file, of which this is the state. */
bool logfile_is_full(const struct logfile *, const struct stat *, size_t n);
/* Moves the file aside and begins a new one. */
void logfile_rotate(struct logfile *);

/* ---- the server's ---- */

void logfile_init(struct logfile *, const char *start_folder);
/* Takes over what the configuration says, but for the path. */
void logfile_configure(struct logfile *, const struct config *);
/* Opens what the configuration names: before privileges are dropped, or (late, logto2) afterwards.
 * Without such a name nothing happens.  Returns -1 with the reason. */
int logfile_start(struct logfile *, const struct config *, bool late, struct error *);
/* Whether a file of this name could be opened, as far as the folders say.  Changes nothing; -1 with the
 * sentence of logfile_start(). */
int logfile_check(const char *name, const char *start_folder, struct error *);
/* After a reload: another file where another one is named now, the same one anew where
 * log-reopen says so.  Failures are said, and the old file stays. */
void logfile_reload(struct logfile *, const struct config *);
/* By its name again: somebody has moved it away. */
void logfile_reopen(struct logfile *);
/* Where this process writes to the log without waiting for a reader, as far as that can be: a pipe
 * or terminal is opened once more, since other processes share standard error and its flags, and
 * may count on waiting.  out: standard error.  Not the caller's to close. */
int logfile_descriptor(struct logfile *, const struct stat *out);
/* To another program, behind its logfile_init(). */
void logfile_carry(struct logfile *, struct carry *);
/* In a new child. */
void logfile_enter_child(struct logfile *);

#endif
