/* SPDX-License-Identifier: MIT */
/* sendbuf.h: bytes to be sent, in order: copied ones, lent ones and ranges of files.  Writers
 * return nothing; the first failure is kept in `failed`.  Knows no descriptor to send to. */
#ifndef UWSGI_SENDBUF_H
#define UWSGI_SENDBUF_H

#include <uwsgi/plugin.h>
#include <sys/uio.h>

struct sendbuf_segment {
	const char *p;  /* lent bytes; NULL: copied ones or a file */
	int fd;         /* the file, or -1 */
	int64_t at;     /* in the file, or in the copied bytes; of lent ones how many they were */
	int64_t length; /* what is still to send */
	void *owner;    /* given back when this segment is sent; NULL: nobody's */
};

struct sendbuf {
	struct sendbuf_segment *segments; /* [first, count) are still to send */
	size_t first, count, capacity;
	char *copied;
	size_t copied_length, copied_capacity;
	void **done; /* owners whose bytes are sent, for the caller to give back */
	size_t done_count, done_capacity;
	int64_t pending; /* bytes still to send */
	int64_t lent;    /* bytes whose owners have to keep them for us */
	int64_t behind;  /* of these, sent already: their owner comes with later ones */
	int64_t sent;    /* bytes that were sent or dropped, since sendbuf_init() */
	bool failed;     /* memory ran out: the stream has a hole, the connection must end */
};

void sendbuf_init(struct sendbuf *);
/* Owners that were not given back are the caller's loss: see sendbuf_drop(). */
void sendbuf_fini(struct sendbuf *);

/* The owner of what was written last comes back in `done` once that is sent (at once, when
 * nothing is pending). */
void sendbuf_owner(struct sendbuf *, void *owner);

/* Up to max pieces of memory at the front; 0: nothing to send, or a file is first. */
size_t sendbuf_vector(const struct sendbuf *, struct iovec *, size_t max);
/* The file range at the front, or NULL. */
const struct sendbuf_segment *sendbuf_front_file(const struct sendbuf *);
/* A file comes behind the memory at the front. */
bool sendbuf_has_file(const struct sendbuf *);
/* n bytes of the front were sent. */
void sendbuf_advance(struct sendbuf *, int64_t n);
/* Memory that is held for what is pending. */
int64_t sendbuf_memory(const struct sendbuf *);

/* To move pending bytes from memory to a file `fd`, which may hold others already.  The index of the
 * first segment that can: `keep` bytes before it stay, and so does all that belongs to an owner of
 * theirs.  o->count: none can. */
size_t sendbuf_movable(const struct sendbuf *, int64_t keep, int fd);
/* Up to max pieces of memory from segment *i on, which becomes the one behind them; 0: a file comes,
 * or the end. */
size_t sendbuf_pieces(const struct sendbuf *, size_t *i, struct iovec *, size_t max);
/* The segments from i, as sendbuf_movable() said, to before `end`, which is a file or the end, are in fd
 * now, from `at` on. */
void sendbuf_moved(struct sendbuf *, size_t i, size_t end, int fd, int64_t at);
/* Forgets what is pending; every owner moves to `done`. */
void sendbuf_drop(struct sendbuf *);
/* Of an empty one: gives back memory that only a large response needed. */
void sendbuf_trim(struct sendbuf *);

#endif
