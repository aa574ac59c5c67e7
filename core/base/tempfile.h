/* SPDX-License-Identifier: MIT */
/* tempfile.h: files without a name, for what is too much to hold in memory.  A process that dies
 * leaves nothing behind.  They never fill their file system: a twentieth of it, at most 256 MiB, stays
 * free for everybody else.  They are in $TMPDIR; or in /tmp, unless that is memory and /var/tmp is not. */
#ifndef UWSGI_TEMPFILE_H
#define UWSGI_TEMPFILE_H

#include <uwsgi/plugin.h>
#include <sys/uio.h>

/* For `what` ("the request body").  -1 with the reason. */
int tempfile_open(const char *what, struct error *);
/* Whether so many bytes more fit in, as far as can be known now.  fd: one that tempfile_open() has
 * returned; -1: before there is one. */
bool tempfile_has_room(int fd, int64_t bytes);
/* Whether it holds memory of the machine, as a file of a tmpfs does. */
bool tempfile_is_memory(int fd);
/* Writes all pieces from `at` on, or returns -1 with the reason and errno, which is ENOSPC without room.
 * The vector is used up. */
int tempfile_write_at(int fd, struct iovec *, int count, int64_t at, const char *what,
		      struct error *);

#endif
