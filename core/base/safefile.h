/* SPDX-License-Identifier: MIT */
/* safefile.h: files that root opens by a path in which other users may have a say, because they
 * own a folder of it.  Such a user must not choose, by a link, which file root writes or gives away.
 * For all but root it is what open(2) and rename(2) are. */
#ifndef UWSGI_SAFEFILE_H
#define UWSGI_SAFEFILE_H

#include <uwsgi/plugin.h>

#include <sys/stat.h>
#include <sys/types.h>

struct safefile {
	int fd;
	/* Owner and mode may be changed: it was created here, belongs to the user already, or only
	 * root can have put it there. */
	bool may_change;
};

/* Opens, or creates with this mode.  As root, links are followed only where root has made them, and
 * in a folder that others may write to the file must be an ordinary one with one name that belongs
 * to root, this user or the folder's owner.  flags: as for open(); O_NOFOLLOW refuses every link
 * that path ends in.  Returns -1 with the reason, which does not name the path. */
int safefile_open(struct safefile *, const char *path, int flags, mode_t mode, uid_t user,
		  struct error *);
/* Whether safefile_open() would come to a place for a file.  Opens and makes nothing; -1 with the reason that
 * would be given.  A folder that only another user may look into is taken to be right. */
int safefile_check(const char *path, int flags, struct error *);
/* A descriptor (O_PATH) of what is there, of any kind, with links followed as above; the caller's to
 * close.  -1 with the reason. */
int safefile_find(const char *path, struct error *);
/* Makes a FIFO that only this user may use, in the place of another FIFO if there is one, and opens it so that
 * neither reading nor a writer's end is waited for.  Returns the descriptor, or -1 with the reason, which
 * does not name the path. */
int safefile_make_fifo(const char *path, struct error *);
/* Both with the folders found as above; the files themselves are never followed. */
int safefile_rename(const char *from, const char *to, struct error *);
/* Removes path if it is still this file. */
int safefile_remove(const char *path, const struct stat *, struct error *);

#endif
