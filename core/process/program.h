/* SPDX-License-Identifier: MIT */
/* program.h: the files that this process is made of: its program, the plugins, the libraries; and whether
 * they have been replaced since. */
#ifndef UWSGI_PROGRAM_H
#define UWSGI_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

struct program {
	char path[4096]; /* absolute: what was executed, and would be again; "": not known */
	struct program_file *files; /* owned */
	size_t count;
};

/* start_folder: from where a relative path is seen.  What cannot be looked at, as behind a chroot, is left
 * out. */
void program_find(struct program *, const char *start_folder);
/* What was loaded since. */
void program_note(struct program *);
/* The path of a file that is another one now, or not there; NULL: all are the same.  Valid until
 * program_note(). */
const char *program_changed(struct program *);
/* … that is another user's now, or may be written to by more users than before: not for root to execute. */
const char *program_foreign(const struct program *);
/* Whether all files are as they were when that was asked. */
bool program_is_steady(const struct program *);
void program_fini(struct program *);

#endif
