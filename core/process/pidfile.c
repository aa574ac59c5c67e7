/* SPDX-License-Identifier: MIT */
/* pidfile.c: writes, locks and removes the master's pidfiles, and finds the master behind one.
 * main() writes and removes them, the commands look for masters; nobody is signalled here. */
#include "process/pidfile.h"

#include "base/patience.h"
#include "base/safefile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The one byte that the master locks: no other program locks it alone, so that a lock on some
 * other program's file is not taken for ours.  It may lie behind the file's end. */
#define LOCK_AT 0x75777367

/* A server that ends may remove the file between our open() and our lock. */
enum { TRIES = 10 };

struct pidfile_settings {
	const char *pidfile, *safe_pidfile, *pidfile2, *safe_pidfile2, *emperor_pidfile;
};

#define AT(member) offsetof(struct pidfile_settings, member)
static const struct option rows[] = {
	{ .name = "pidfile",
	  .type = OPT_STRING,
	  .offset = AT(pidfile),
	  .help = "write the master's pid to this file, for --reload and --stop; it goes when the "
		  "server ends",
	  .example = "/run/uwsgi/shop.pid",
	  .unit = "FILE" },
	{ .name = "safe-pidfile",
	  .type = OPT_STRING,
	  .offset = AT(safe_pidfile),
	  .unit = "FILE",
	  .help = "as pidfile, in another file; neither is written when the sockets cannot be opened",
	  .example = "/run/uwsgi/shop.pid" },
	{ .name = "pidfile2",
	  .type = OPT_STRING,
	  .offset = AT(pidfile2),
	  .unit = "FILE",
	  .help = "as pidfile, written as the user of uid and gid",
	  .example = "/run/shop/uwsgi.pid" },
	{ .name = "safe-pidfile2",
	  .type = OPT_STRING,
	  .offset = AT(safe_pidfile2),
	  .unit = "FILE",
	  .help = "as pidfile2, in another file",
	  .example = "/run/shop/uwsgi.pid" },
	{ .name = "emperor-pidfile",
	  .type = OPT_STRING,
	  .offset = AT(emperor_pidfile),
	  .unit = "FILE",
	  .help = "as pidfile, in another file: the master is the emperor",
	  .example = "/run/uwsgi/emperor.pid" },
};
#undef AT

const struct option_table pidfile_options = {
	.module = "service",
	.size = sizeof(struct pidfile_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

/* False: it is too long. */
static bool make_absolute(const char *path, const char *start_folder, char *full, size_t size)
{
	bool absolute = *path == '/';
	int n = snprintf(full, size, "%s%s%s", absolute ? "" : start_folder, absolute ? "" : "/",
			 path);

	return n >= 0 && (size_t)n < size;
}

static int refuse_odd(const char *path, const struct stat *st, struct error *e)
{
	if (S_ISREG(st->st_mode) && st->st_nlink <= 1)
		return 0;
	return uwsgi_error_set(e, "pidfile = %s: is %s; choose another path", path,
			       S_ISREG(st->st_mode) ? "a file that has another name, too"
						    : "not an ordinary file");
}

int pidfile_check(const char *path, const char *start_folder, struct error *e)
{
	char full[sizeof((struct pidfile *)0)->path];
	struct error why;
	struct stat st;

	if (!make_absolute(path, start_folder, full, sizeof full))
		return 0; /* the server starts without it */
	if (safefile_check(full, O_NOFOLLOW, &why))
		return uwsgi_error_set(e, "pidfile = %s: %s", full, why.text);
	return lstat(full, &st) ? 0 : refuse_odd(full, &st, e);
}

void pidfiles_find(struct pidfiles *files, const struct config *cfg, const char *start_folder)
{
	const struct pidfile_settings *s = uwsgi_options(cfg, &pidfile_options);
	const struct {
		const char *path;
		bool later;
	} given[] = {
		{ s->pidfile, false },      { s->safe_pidfile, false },    { s->pidfile2, true },
		{ s->safe_pidfile2, true }, { s->emperor_pidfile, false },
	};

	files->count = 0;
	for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
		struct pidfile *f = &files->items[files->count];

		if (!given[i].path)
			continue;
		f->later = given[i].later;
		f->fd = -1;
		if (!make_absolute(given[i].path, start_folder, f->path, sizeof f->path))
			uwsgi_log(UWSGI_ERROR, "pidfile: %s: the path is too long", given[i].path);
		else
			files->count++;
	}
}

/* ---- the lock ---- */

static struct flock the_lock(void)
{
	return (struct flock){
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_AT, .l_len = 1
	};
}

/* The pid of the master that holds the lock; 0: nobody does; -1: somebody does whom this process
 * cannot see, being in another container. */
static pid_t holder_of(int fd)
{
	struct flock lock = the_lock();

	if (fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK || lock.l_start != LOCK_AT ||
	    lock.l_len != 1)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : -1;
}

static bool is_still_there(const char *path, const struct stat *open)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_ino == open->st_ino && st.st_dev == open->st_dev;
}

/* 1: ours now; 0: it was removed meanwhile; -1: an error; *held: a server has it. */
static int take(const char *path, int fd, bool *held, struct error *e)
{
	struct flock lock = the_lock();
	struct stat st;

	if (fstat(fd, &st))
		return uwsgi_error_set(e, "pidfile = %s: %s", path, strerror(errno));
	if (refuse_odd(path, &st, e))
		return -1;
	if (fcntl(fd, F_SETLK, &lock) == 0)
		return is_still_there(path, &st);
	if (errno != EAGAIN && errno != EACCES) {
		uwsgi_log(UWSGI_WARNING,
			  "pidfile = %s: cannot lock it, so --reload and --stop will not find "
			  "this server: %s",
			  path, strerror(errno));
		return 1;
	}
	pid_t holder = holder_of(fd);
	if (holder == 0)
		return 0;
	*held = true;
	return holder > 0 ? uwsgi_error_set(e,
					    "pidfile = %s: it is that of a running server, pid "
					    "%ld; stop that first",
					    path, (long)holder)
			  : uwsgi_error_set(e,
					    "pidfile = %s: it is that of a running server in "
					    "another container",
					    path);
}

/* As take(), of a file that it opens. */
static int open_and_take(struct safefile *file, const char *path, uid_t user, bool *held,
			 struct error *e)
{
	struct error why;

	*held = false;
	if (safefile_open(file, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0666, user, &why))
		return uwsgi_error_set(e, "pidfile = %s: %s", path, why.text);
	int taken = take(path, file->fd, held, e);
	if (taken <= 0)
		close(file->fd);
	return taken;
}

/* The file, locked; -1 with the reason. */
static int open_locked(struct safefile *file, const char *path, uid_t user, struct error *e)
{
	struct patience patience = { 0 };

	for (int i = 0; i < TRIES; i++) {
		bool held;
		int taken = open_and_take(file, path, user, &held, e);

		if (taken > 0)
			return 0;
		if (held && patience_wait(&patience, e))
			i = 0;
		else if (taken < 0)
			return -1;
	}
	return uwsgi_error_set(e, "pidfile = %s: another program has it locked", path);
}

/* ---- the file ---- */

/* file: locked, and from now on that of f. */
static int fill(struct pidfile *f, const struct safefile *file, const struct identity *owner,
		struct error *e)
{
	f->fd = file->fd;
	/* Its later owner must be able to empty it, if not to remove it. */
	if (owner->changes && geteuid() == 0 && file->may_change &&
	    fchown(f->fd, owner->uid, owner->gid))
		uwsgi_log(UWSGI_WARNING, "pidfile = %s: cannot change its owner: %s", f->path,
			  strerror(errno));
	if (ftruncate(f->fd, 0) || dprintf(f->fd, "%ld\n", (long)getpid()) < 0)
		return uwsgi_error_set(e, "pidfile = %s: %s", f->path, strerror(errno));
	return 0;
}

static int write_one(struct pidfile *f, const struct identity *owner, struct error *e)
{
	struct safefile file;

	return open_locked(&file, f->path, owner->uid, e) ? -1 : fill(f, &file, owner, e);
}

int pidfiles_write(struct pidfiles *files, bool later, const struct identity *owner,
		   struct error *e)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->items[i].later == later && write_one(&files->items[i], owner, e))
			return -1;
	return 0;
}

/* Out of a chroot's sight it is not removed: it still has a name. */
static bool is_removed(const struct pidfile *f, struct stat *open)
{
	struct stat there;

	return f->fd >= 0 && fstat(f->fd, open) == 0 && open->st_nlink == 0 &&
	       lstat(f->path, &there) && errno == ENOENT;
}

/* It keeps its owner.  A server that has made one meanwhile keeps it. */
static void renew_one(struct pidfile *f, const struct stat *before)
{
	const struct identity owner = { before->st_uid, before->st_gid, true };
	struct safefile file;
	struct error e;
	bool held;
	int taken = open_and_take(&file, f->path, owner.uid, &held, &e);

	if (taken == 0 || held)
		return;
	if (taken > 0)
		close(f->fd);
	if (taken < 0 || fill(f, &file, &owner, &e))
		uwsgi_log(UWSGI_WARNING, "%s; it was removed, and cannot be made anew", e.text);
	else
		uwsgi_log(UWSGI_NOTE, "pidfile = %s: it was removed, and is made anew", f->path);
}

void pidfiles_renew(struct pidfiles *files)
{
	struct stat before;

	for (size_t i = 0; i < files->count; i++)
		if (is_removed(&files->items[i], &before))
			renew_one(&files->items[i], &before);
}

void pidfiles_carry(struct pidfiles *files, struct carry *c)
{
	files->count = carry_count(c, files->count, sizeof files->items / sizeof *files->items);
	for (size_t i = 0; i < files->count; i++) {
		carry_text(c, files->items[i].path, sizeof files->items[i].path);
		carry_bool(c, &files->items[i].later);
		carry_fd(c, &files->items[i].fd);
	}
}

void pidfiles_close(const struct pidfiles *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->items[i].fd >= 0)
			close(files->items[i].fd);
}

/* Somebody else's may have that name by now, or the same file two. */
static void remove_one(const struct pidfile *f)
{
	struct error why;
	struct stat st;

	if (fstat(f->fd, &st) || st.st_nlink == 0 || safefile_remove(f->path, &st, &why) == 0)
		return;
	/* In a folder of root's, or out of a chroot's sight, the name must stay: an empty file
	 * stops nobody. */
	if (ftruncate(f->fd, 0))
		uwsgi_log(UWSGI_WARNING, "cannot remove %s: %s", f->path, why.text);
}

void pidfiles_remove(struct pidfiles *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->items[i].fd >= 0)
			remove_one(&files->items[i]);
	pidfiles_close(files);
	files->count = 0;
}

/* ---- the master behind a file ---- */

static int holds_a_number(int fd, long *number)
{
	char text[32], *end;
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	*number = strtol(text, &end, 10);
	return n > 0 && end != text && (*end == '\0' || *end == '\n') && *number > 0;
}

static int say_nobody(const char *path, int fd, struct error *e)
{
	long number;

	if (!holds_a_number(fd, &number))
		return uwsgi_error_set(e, "pidfile %s holds no pid", path);
	return uwsgi_error_set(e,
			       "pidfile %s is not that of a running server: nobody holds its lock, "
			       "so the process %ld that it names was not signalled",
			       path, number);
}

static int find_master(const char *path, int fd, struct found_master *found, struct error *e)
{
	pid_t pid = holder_of(fd);

	if (pid == 0)
		return say_nobody(path, fd, e);
	if (pid < 0)
		return uwsgi_error_set(e,
				       "the server of pidfile %s runs in another container: send "
				       "it the signal from there",
				       path);
	found->pid = pid;
	found->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (found->pidfd < 0)
		return uwsgi_error_set(e, "process %ld of %s: %s", (long)pid, path,
				       errno == ESRCH ? "is not running" : strerror(errno));
	/* It may have ended between the two, and its number be another's. */
	if (holder_of(fd) == pid)
		return 0;
	close(found->pidfd);
	return uwsgi_error_set(e, "process %ld of %s: is not running", (long)pid, path);
}

int pidfile_find_master(const char *path, struct found_master *found, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return uwsgi_error_set(e, "cannot read pidfile %s: %s", path, strerror(errno));
	int failed = find_master(path, fd, found, e);
	close(fd);
	return failed;
}

int pidfile_signal(const struct found_master *master, int number, uint64_t ticket, struct error *e)
{
	siginfo_t info = { .si_signo = number, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = (void *)(uintptr_t)ticket;
	if (syscall(SYS_pidfd_send_signal, master->pidfd, number, &info, 0) == 0)
		return 0;
	if (errno == EPERM)
		return uwsgi_error_set(e,
				       "process %ld runs as another user: only that user and root "
				       "may signal it",
				       (long)master->pid);
	return uwsgi_error_set(e, "process %ld: %s", (long)master->pid,
			       errno == ESRCH ? "is not running" : strerror(errno));
}
