/* SPDX-License-Identifier: MIT */
/* safefile.c: walks a path one folder at a time, each opened from the one before, so that nobody can
 * exchange a folder between a check and what follows from it (openat2(2) could refuse links, but not
 * choose among them).  Everything then happens by descriptor. */
#include "base/safefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/* As the kernel; and somebody may remove the file whenever it is to be opened. */
enum { LINKS_MAX = 40, TRIES = 10 };

/* What a path names: a folder, and a name in it that no link stands for any more. */
struct place {
	int folder;
	char name[NAME_MAX + 1];
	bool magic;       /* a link of /proc to something open, which has no path */
	bool steady;      /* none but root can put other folders in the place of these */
	bool only_root;   /* and none but root can put a file there */
	bool may_link;    /* a link of root's in this folder was put there by root */
	uid_t owner;      /* the folder's */
	uid_t root_owner; /* who owns "/" is root, also where a container shows it as somebody else */
	bool as_root;
	int links;
};

static bool is_root(const struct place *p, uid_t uid)
{
	return uid == 0 || uid == p->root_owner;
}

/* ---- the walk ---- */

static void close_place(struct place *p)
{
	if (p->folder >= 0)
		close(p->folder);
	p->folder = -1;
}

/* fd: the next folder, -1: errno says why there is none. */
static int enter(struct place *p, int fd)
{
	struct stat st;

	if (fd < 0)
		return -1;
	close_place(p);
	p->folder = fd;
	if (fstat(fd, &st))
		return -1;
	bool roots = is_root(p, st.st_uid), sticky = st.st_mode & S_ISVTX;
	bool shared = st.st_mode & (S_IWGRP | S_IWOTH);

	p->owner = st.st_uid;
	p->may_link = roots && (sticky || !(st.st_mode & S_IWOTH));
	p->only_root = p->steady && roots && !shared;
	p->steady = p->steady && roots && (sticky || !shared);
	return 0;
}

static int enter_first(struct place *p, const char *path)
{
	struct stat st;

	if (stat("/", &st))
		return -1;
	p->root_owner = st.st_uid;
	return enter(p, open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static bool is_on_proc(int folder)
{
	struct statfs fs;

	return fstatfs(folder, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Puts what the link says before the rest of the path. */
static int follow(struct place *p, char *rest, size_t size)
{
	char target[PATH_MAX];
	size_t more = strlen(rest) + 1;
	ssize_t n = readlinkat(p->folder, p->name, target, sizeof target);

	if (n < 0)
		return -1;
	if (++p->links > LINKS_MAX || (size_t)n + 1 + more > size) {
		errno = p->links > LINKS_MAX ? ELOOP : ENAMETOOLONG;
		return -1;
	}
	memmove(rest + n + 1, rest, more);
	memcpy(rest, target, (size_t)n);
	rest[n] = more > 1 ? '/' : '\0';
	return *rest == '/' ? enter(p, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) : 0;
}

/* The next name, taken away from the rest. */
static int take_name(struct place *p, char *rest)
{
	size_t from = strspn(rest, "/"), n = strcspn(rest + from, "/");
	size_t behind = from + n + strspn(rest + from + n, "/");

	if (n > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(p->name, rest + from, n);
	p->name[n] = '\0';
	memmove(rest, rest + behind, strlen(rest + behind) + 1);
	return 0;
}

/* Goes where the link p->name leads.  *last: nothing comes behind it. */
static int pass_link(struct place *p, const struct stat *link, char *rest, struct error *e)
{
	if (p->as_root && !(p->may_link && is_root(p, link->st_uid)))
		return uwsgi_error_set(e,
				       "%s is a symbolic link that another user than root can have "
				       "made, so root does not follow it",
				       p->name);
	if (is_on_proc(p->folder)) {
		p->magic = !*rest;
		if (p->magic)
			return 0;
		int fd = openat(p->folder, p->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return enter(p, fd) ? uwsgi_error_errno(e) : 0;
	}
	return follow(p, rest, PATH_MAX) ? uwsgi_error_errno(e) : 0;
}

/* rest: what is behind p->name. */
static int say_missing(const struct place *p, const char *path, const char *rest, struct error *e)
{
	size_t n = strlen(path) - strlen(rest);

	if (errno != ENOENT || !*rest)
		return uwsgi_error_errno(e);
	if (p->links) /* it is not in the path */
		return uwsgi_error_set(e, "there is no folder %s", p->name);
	while (path[n - 1] == '/')
		n--;
	return uwsgi_error_set(e, "there is no folder %.*s", (int)n, path);
}

/* follow_last: as open() does, rename() does not. */
static int walk(struct place *p, const char *path, bool follow_last, struct error *e)
{
	char rest[PATH_MAX];
	struct stat st;

	*p = (struct place){ .folder = -1, .steady = true, .as_root = geteuid() == 0 };
	if ((size_t)snprintf(rest, sizeof rest, "%s", path) >= sizeof rest)
		return uwsgi_error_set(e, "the path is too long");
	if (enter_first(p, path))
		return uwsgi_error_errno(e);
	while (!p->magic) {
		if (take_name(p, rest))
			return uwsgi_error_errno(e);
		bool last = !*rest;
		if (fstatat(p->folder, p->name, &st, AT_SYMLINK_NOFOLLOW))
			return last && errno == ENOENT && *p->name ? 0
								   : say_missing(p, path, rest, e);
		if (S_ISLNK(st.st_mode) && (!last || follow_last)) {
			if (pass_link(p, &st, rest, e))
				return -1;
		} else if (last) {
			return 0;
		} else if (enter(p, openat(p->folder, p->name,
					   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))) {
			return uwsgi_error_errno(e);
		}
	}
	return 0;
}

/* ---- opening ---- */

static bool is_guarded(const struct place *p)
{
	return p->as_root && !p->only_root && !p->magic;
}

static int open_there(const struct place *p, int flags, mode_t mode, bool *created)
{
	int plain = flags & ~(O_CREAT | O_EXCL | O_TRUNC);
	int fd = -1;

	if (p->magic)
		return openat(p->folder, p->name, plain & ~O_NOFOLLOW);
	/* A pipe of somebody else's must not hold up root. */
	plain |= O_NOFOLLOW | (is_guarded(p) ? O_NONBLOCK : 0);
	for (int i = 0; i < TRIES; i++) {
		fd = openat(p->folder, p->name, flags | O_CREAT | O_EXCL, mode);
		*created = fd >= 0;
		if (fd >= 0 || errno != EEXIST)
			break;
		fd = openat(p->folder, p->name, plain);
		if (fd >= 0 || errno != ENOENT)
			break;
	}
	return fd;
}

static int check(const struct place *p, const struct stat *st, uid_t user, struct error *e)
{
	if (!is_guarded(p))
		return 0;
	if (!S_ISREG(st->st_mode))
		return uwsgi_error_set(e,
				       "is not an ordinary file, in a folder that others than root "
				       "may write to");
	if (st->st_nlink > 1)
		return uwsgi_error_set(e, "is a file that has another name, too, in a folder that "
					  "others than root may write to");
	if (!is_root(p, st->st_uid) && st->st_uid != user && st->st_uid != p->owner)
		return uwsgi_error_set(e,
				       "belongs to user %ld, in a folder that others than root may "
				       "write to",
				       (long)st->st_uid);
	return 0;
}

static int open_and_check(struct safefile *f, const struct place *p, int flags, mode_t mode,
			  uid_t user, struct error *e)
{
	bool created = false;
	struct stat st;

	f->fd = open_there(p, flags, mode, &created);
	if (f->fd < 0 && errno == ELOOP)
		return uwsgi_error_set(e, "is a symbolic link");
	if (f->fd < 0 || fstat(f->fd, &st))
		return uwsgi_error_errno(e);
	if (!created && check(p, &st, user, e))
		return -1;
	f->may_change = created || !is_guarded(p) || st.st_uid == user;
	if ((flags & O_TRUNC) && S_ISREG(st.st_mode) && ftruncate(f->fd, 0))
		return uwsgi_error_errno(e);
	if (is_guarded(p) && !(flags & O_NONBLOCK))
		fcntl(f->fd, F_SETFL, fcntl(f->fd, F_GETFL) & ~O_NONBLOCK);
	return 0;
}

int safefile_open(struct safefile *f, const char *path, int flags, mode_t mode, uid_t user,
		  struct error *e)
{
	struct place p;

	*f = (struct safefile){ .fd = -1 };
	int failed = walk(&p, path, !(flags & O_NOFOLLOW), e) ||
		     open_and_check(f, &p, flags | O_CLOEXEC, mode, user, e);
	close_place(&p);
	if (failed && f->fd >= 0) {
		close(f->fd);
		f->fd = -1;
	}
	return failed ? -1 : 0;
}

int safefile_check(const char *path, int flags, struct error *e)
{
	struct stat st;
	struct place p;

	errno = 0;
	int failed = walk(&p, path, !(flags & O_NOFOLLOW), e);
	bool hidden = failed && errno == EACCES;
	bool there = !failed && !p.magic &&
		     fstatat(p.folder, *p.name ? p.name : ".", &st, AT_SYMLINK_NOFOLLOW) == 0;

	close_place(&p);
	if (there && S_ISLNK(st.st_mode))
		return uwsgi_error_set(e, "is a symbolic link");
	if (there && S_ISDIR(st.st_mode))
		return uwsgi_error_set(e, "%s", strerror(EISDIR));
	return failed && !hidden ? -1 : 0;
}

int safefile_find(const char *path, struct error *e)
{
	struct place p;
	int fd = -1;

	if (walk(&p, path, true, e) == 0) {
		fd = openat(p.folder, *p.name ? p.name : ".",
			    O_PATH | O_CLOEXEC | (p.magic ? 0 : O_NOFOLLOW));
		if (fd < 0)
			uwsgi_error_errno(e);
	}
	close_place(&p);
	return fd;
}

/* ---- FIFOs ---- */

/* Whoever has put another one there meanwhile gains nothing: it would have to be this user's, with no rights
 * for others. */
static int open_fifo(const struct place *p, struct error *e)
{
	struct stat st;
	int fd = openat(p->folder, p->name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return uwsgi_error_errno(e);
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & 0077))
		return fd;
	close(fd);
	return uwsgi_error_set(e, "another user has put something there");
}

static int make_fifo(const struct place *p, struct error *e)
{
	struct stat st;

	if (fstatat(p->folder, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISFIFO(st.st_mode))
			return uwsgi_error_set(e, "there is something else that is no FIFO");
		if (unlinkat(p->folder, p->name, 0))
			return uwsgi_error_errno(e);
	}
	if (mkfifoat(p->folder, p->name, 0600))
		return uwsgi_error_errno(e);
	return open_fifo(p, e);
}

int safefile_make_fifo(const char *path, struct error *e)
{
	struct place p;
	int fd = walk(&p, path, false, e) ? -1 : make_fifo(&p, e);

	close_place(&p);
	return fd;
}

/* ---- names ---- */

int safefile_rename(const char *from, const char *to, struct error *e)
{
	struct place old, new = { .folder = -1 };

	int failed = walk(&old, from, false, e) || walk(&new, to, false, e);
	if (!failed && renameat(old.folder, old.name, new.folder, new.name))
		failed = uwsgi_error_errno(e);
	close_place(&old);
	close_place(&new);
	return failed ? -1 : 0;
}

int safefile_remove(const char *path, const struct stat *file, struct error *e)
{
	struct stat st;
	struct place p;

	int failed = walk(&p, path, false, e);
	if (!failed && fstatat(p.folder, p.name, &st, AT_SYMLINK_NOFOLLOW))
		failed = uwsgi_error_errno(e);
	else if (!failed && (st.st_ino != file->st_ino || st.st_dev != file->st_dev))
		failed = uwsgi_error_set(e, "is another file by now");
	else if (!failed && unlinkat(p.folder, p.name, 0))
		failed = uwsgi_error_errno(e);
	close_place(&p);
	return failed ? -1 : 0;
}
