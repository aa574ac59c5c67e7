/* SPDX-License-Identifier: MIT */
/* spool.h: the file of an answer that its client does not take as fast as it is made. */
#ifndef UWSGI_SPOOL_H
#define UWSGI_SPOOL_H

#include "base/sendbuf.h"

struct spool {
	int fd; /* -1: none */
	int64_t length;
	bool in_memory; /* its file system is: it saves none */
};

enum spooled { SPOOL_DONE, SPOOL_FULL, SPOOL_FAILED };

void spool_init(struct spool *);
/* Nothing of it is pending any more. */
void spool_close(struct spool *);
/* Moves what is pending in memory to the file, but for the first `keep` bytes and what belongs to
 * their owner; owners of what was moved are done.  FULL: the file would get larger than `most`.
 * FAILED: the reason is in the error.  With both, what was not moved is as before. */
enum spooled spool_take(struct spool *, struct sendbuf *, int64_t keep, int64_t most,
			struct error *);

#endif
