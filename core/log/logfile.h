/* SPDX-License-Identifier: MIT */
/* logfile.h: the file that stands in the place of standard output and standard error. */
#ifndef UWSGI_LOGFILE_H
#define UWSGI_LOGFILE_H

#include <uwsgi/plugin.h>

#include <sys/stat.h>

struct logfile {
	const char *start_folder; /* relative paths are seen from here */
	uid_t uid;                /* who the server is, once privileges are dropped */
	gid_t gid;
	char path[4096]; /* "": standard error as it was, or something that is no file */
	char backup[4096];
	mode_t mode;
	bool chown, truncate, late; /* late: the file of logto2 */
	int64_t max_size, full_at;  /* the size at which a new file begins; 0: never */
	int unblocked;              /* standard error, opened once more without blocking; -1 */
	dev_t seen_device;          /* what standard error was then */
	ino_t seen_inode;
};

void logfile_init(struct logfile *, const char *start_folder);
/* Takes over what the configuration says, but for the path. */
void logfile_configure(struct logfile *, const struct config *);
/* Opens what the configuration names, created 0640: before privileges are dropped, or (late)
 * afterwards.  Without such a name nothing happens.  Returns -1 with the reason. */
int logfile_open(struct logfile *, const struct config *, bool late, struct error *);
/* After a reload: another file where another one is named now, the same one anew where
 * log-reopen says so.  Failures are said, and the old file stays. */
void logfile_reload(struct logfile *, const struct config *);
/* By its name again: somebody has moved it away. */
void logfile_reopen(struct logfile *);
/* Moves the file aside and begins a new one. */
void logfile_rotate(struct logfile *);
/* Where this process writes to the log without waiting for a reader, as far as that can be: a pipe
 * or terminal is opened once more, since other processes share standard error and its flags, and
 * may count on waiting.  out: standard error.  Not the caller's to close. */
int logfile_descriptor(struct logfile *, const struct stat *out);
/* In a new child. */
void logfile_enter_child(struct logfile *);

#endif
