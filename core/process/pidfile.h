/* SPDX-License-Identifier: MIT */
/* pidfile.h: the files that hold the master's pid.  The master also holds a lock on each: by that
 * --reload and --stop know it, never by the number, which may be some other process's by now. */
#ifndef UWSGI_PIDFILE_H
#define UWSGI_PIDFILE_H

#include "base/carry.h"
#include "process/privileges.h"

extern const struct option_table pidfile_options;

struct pidfiles {
	struct pidfile {
		char path[1024];
		bool later;
		int fd; /* open, because closing it would drop the lock; -1: not written yet */
	} items[5];
	size_t count;
};

/* The absolute paths of the pidfiles; relative ones are seen from start_folder. */
void pidfiles_find(struct pidfiles *, const struct config *, const char *start_folder);
/* Whether one could be written there, as far as the folders say.  Changes nothing; -1 with the sentence of
 * pidfiles_write(). */
int pidfile_check(const char *path, const char *start_folder, struct error *);
/* Writes and locks those that are to be written now, or later, when privileges are dropped, and
 * gives them to who the server will be.  For the process that stays, behind its last fork().
 * Returns -1 with the reason: also when another server holds one. */
int pidfiles_write(struct pidfiles *, bool later, const struct identity *, struct error *);
/* Those that somebody has removed are made anew, so that --reload and --stop find the server again.  Waits
 * for nobody; what cannot be done is a warning. */
void pidfiles_renew(struct pidfiles *);
/* To another program in the same process, which has the locks then. */
void pidfiles_carry(struct pidfiles *, struct carry *);
/* In a child, which has nothing to do with them. */
void pidfiles_close(const struct pidfiles *);
/* At the end of the server: removes those that are still its own, and closes them. */
void pidfiles_remove(struct pidfiles *);

/* For whoever has a pidfile and looks for the server: its pid, and a descriptor of the process,
 * which stays that process's.  Returns -1 with the reason. */
struct found_master {
	pid_t pid;
	int pidfd; /* the caller's to close */
};
int pidfile_find_master(const char *path, struct found_master *, struct error *);
/* ticket: goes along with the signal, and says where an answer is waited for; 0: nowhere. */
int pidfile_signal(const struct found_master *, int number, uint64_t ticket, struct error *);

#endif
