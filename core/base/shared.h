/* SPDX-License-Identifier: MIT */
/* shared.h: memory that several processes have.  Those that are forked afterwards can write to it; who
 * is given its descriptor can only read. */
#ifndef UWSGI_SHARED_H
#define UWSGI_SHARED_H

#include <uwsgi/plugin.h>

struct shared {
	void *p; /* at a page; all zero at first; NULL: there is none */
	size_t size;
	int fd;  /* to be given away, for reading; -1: none, or a view */
	int own; /* to be handed to the program that takes the place of this one; -1: not possible */
};
#define SHARED_NONE ((struct shared){ .fd = -1, .own = -1 })

/* name: for /proc/PID/maps.  Returns -1 with the reason. */
int shared_make(struct shared *, const char *name, size_t size, struct error *);
/* The memory behind fd, another one's `own`, which is this one's from now on even when that fails.
 * rehearsal: what is written there is seen by nobody.  Returns -1 with the reason. */
int shared_take_over(struct shared *, int fd, size_t size, bool rehearsal, struct error *);
/* Of the memory behind fd, which stays the caller's, to be read only.  -1: not possible. */
int shared_view(struct shared *, int fd, size_t size);
/* From now on this process can only read it.  Pointers into it stay.  -1 with the reason. */
int shared_give_up_writing(struct shared *, struct error *);
/* In a child that is to give it to nobody. */
void shared_close_fd(struct shared *);
void shared_free(struct shared *);

#endif
