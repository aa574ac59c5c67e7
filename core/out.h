/* SPDX-License-Identifier: MIT */
/* out.h: bytes to be sent, in order: copied ones, lent ones and ranges of files.  Writers
 * return nothing; the first failure is kept in `failed`.  Knows no descriptor to send to. */
#ifndef UWSGI_OUT_H
#define UWSGI_OUT_H

#include "plugin.h"
#include <sys/uio.h>

struct out_segment {
	const char *p;  /* lent bytes; NULL: copied ones or a file */
	int fd;         /* the file, or -1 */
	int64_t at;     /* in the file, or in the copied bytes; of lent ones how many they were */
	int64_t length; /* what is still to send */
	void *owner;    /* given back when this segment is sent; NULL: nobody's */
};

struct out {
	struct out_segment *segments; /* [first, count) are still to send */
	size_t first, count, capacity;
	char *copied;
	size_t copied_length, copied_capacity;
	void **done; /* owners whose bytes are sent, for the caller to give back */
	size_t done_count, done_capacity;
	int64_t pending; /* bytes still to send */
	int64_t lent;    /* bytes whose owners have to keep them for us */
	int64_t sent;    /* bytes that were sent or dropped, since out_init() */
	bool failed;     /* memory ran out: the stream has a hole, the connection must end */
};

void out_init(struct out *);
/* Owners that were not given back are the caller's loss: see out_drop(). */
void out_fini(struct out *);

/* The owner of what was written last comes back in `done` once that is sent (at once, when
 * nothing is pending). */
void out_owner(struct out *, void *owner);

/* Up to max pieces of memory at the front; 0: nothing to send, or a file is first. */
size_t out_vector(const struct out *, struct iovec *, size_t max);
/* The file range at the front, or NULL. */
const struct out_segment *out_front_file(const struct out *);
/* A file comes behind the memory at the front. */
bool out_has_file(const struct out *);
/* n bytes of the front were sent. */
void out_advance(struct out *, int64_t n);
/* Memory that is held for what is pending. */
int64_t out_memory(const struct out *);

/* To move pending bytes from memory to a file `fd`, which may hold others already.  The index of the
 * first segment that can: `keep` bytes before it stay, and so does all that belongs to an owner of
 * theirs.  o->count: none can. */
size_t out_movable(const struct out *, int64_t keep, int fd);
/* Up to max pieces of memory from segment *i on, which becomes the one behind them; 0: a file comes,
 * or the end. */
size_t out_pieces(const struct out *, size_t *i, struct iovec *, size_t max);
/* The segments from i, as out_movable() said, to before `end`, which is a file or the end, are in fd
 * now, from `at` on. */
void out_moved(struct out *, size_t i, size_t end, int fd, int64_t at);
/* Forgets what is pending; every owner moves to `done`. */
void out_drop(struct out *);
/* Of an empty one: gives back memory that only a large response needed. */
void out_trim(struct out *);

#endif
