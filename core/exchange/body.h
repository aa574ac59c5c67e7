/* SPDX-License-Identifier: MIT */
/* body.h: a request's body, whole before the application sees it: in memory up to a limit,
 * past that in a file without a name. */
#ifndef UWSGI_BODY_H
#define UWSGI_BODY_H

#include <uwsgi/plugin.h>

struct body {
	char *memory; /* kept for the next request */
	size_t capacity;
	int fd; /* the unlinked file; -1: memory holds all of the body */
	int64_t length;
	int64_t stored; /* in the file; what came after that is in memory until it is worth a write */
};

enum stored {
	BODY_STORED,
	BODY_FAILED,  /* memory is out, or the file cannot be made or written */
	BODY_NO_ROOM, /* the disk has no room for it */
};

void body_init(struct body *);
void body_fini(struct body *);
void body_reset(struct body *);
/* Gives back memory and file; the length is still known. */
void body_discard(struct body *);
/* Appends a copy; what grows past in_memory bytes goes to a temporary file.  The error
 * says why it is not stored. */
enum stored body_add(struct body *, struct slice bytes, int64_t in_memory, struct error *);
/* Takes over a file of so many bytes, which are all of the body; it had none. */
void body_adopt(struct body *, int fd, int64_t length);
/* The body is whole: if there is a file, all of it is there now. */
enum stored body_finish(struct body *, struct error *);

#endif
