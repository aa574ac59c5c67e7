/* SPDX-License-Identifier: MIT */
/* socketpath.c: files of UNIX sockets, changed by descriptor.  listener.c calls it. */
#include "wire/socketpath.h"

#include "base/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/un.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- as users write it ---- */

int socketpath_parse_mode(const char *text, struct socket_access *access, struct error *e)
{
	access->has_mode = true;
	if (owner_mode(text, 07777, &access->mode))
		return uwsgi_error_set(e, "expected an octal mode such as 660");
	return 0;
}

int socketpath_parse_owner(const char *text, struct socket_access *access, struct error *e)
{
	char user[128];
	const char *colon = strchrnul(text, ':');
	gid_t own_group;

	snprintf(user, sizeof user, "%.*s", (int)(colon - text), text);
	access->has_owner = true;
	access->uid = (uid_t)-1;
	access->gid = (gid_t)-1;
	if (*user && owner_user(user, &access->uid, &own_group, e))
		return -1;
	return *colon && colon[1] ? owner_group(colon + 1, &access->gid, e) : 0;
}

/* ---- making room ---- */

/* 0: somebody listens there; else errno. */
static int try_to_connect(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno;
	memcpy(sa.sun_path, path, strnlen(path, sizeof sa.sun_path));
	int why = connect(fd, (const struct sockaddr *)&sa, sizeof sa) ? errno : 0;
	close(fd);
	/* EAGAIN: its queue is full, so there is a server. */
	return why == EAGAIN ? 0 : why;
}

int socketpath_clear(const char *path, bool *taken, struct error *e)
{
	struct stat st;

	if (lstat(path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return uwsgi_error_set(
			e, "exists and is not a socket; remove it or choose another path");
	int why = try_to_connect(path);
	*taken = why == 0;
	if (*taken)
		return uwsgi_error_set(e, "another server is listening on it; stop that first");
	if (why == ENOENT)
		return 0; /* its server has just removed it */
	if (why != ECONNREFUSED)
		return uwsgi_error_set(e, "%s", strerror(why));
	if (unlink(path) && errno != ENOENT)
		return uwsgi_error_set(e, "cannot replace the stale socket: %s", strerror(errno));
	return 0;
}

int socketpath_bind(int fd, const struct sockaddr *sa, socklen_t length,
		    const struct socket_access *access)
{
	/* Linux gives the file the mode of the socket, but for the umask. */
	if (!access->has_mode || fchmod(fd, access->mode))
		return bind(fd, sa, length);
	mode_t umask_before = umask(0);
	int failed = bind(fd, sa, length);

	umask(umask_before);
	return failed;
}

mode_t socketpath_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

/* ---- what is there ---- */

/* A descriptor that only names the file.  What the socket itself says cannot be exchanged by whoever
 * may write to the folder; it needs CAP_NET_ADMIN, which root has, but not in every container. */
static int open_file(int listener, const char *path)
{
	int fd = ioctl(listener, SIOCUNIXFILE);

	return fd >= 0 ? fd : open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

ino_t socketpath_inode(int listener, const char *path)
{
	int fd = open_file(listener, path);
	struct stat st;
	bool found = fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);

	if (fd >= 0)
		close(fd);
	return found ? st.st_ino : 0;
}

/* The file, if path still leads to the one with this inode; -1 with the reason. */
static int open_own(int listener, const char *path, ino_t inode, struct stat *st, struct error *e)
{
	if (lstat(path, st))
		return uwsgi_error_set(e, "%s: %s", path, strerror(errno));
	int fd = st->st_ino == inode ? open_file(listener, path) : -1;
	if (fd >= 0 && fstat(fd, st) == 0 && S_ISSOCK(st->st_mode) && st->st_ino == inode)
		return fd;
	if (fd >= 0)
		close(fd);
	return uwsgi_error_set(e, "%s is not the server's own socket any more", path);
}

static int change_mode(int fd, mode_t mode)
{
	char name[32];

	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	return chmod(name, mode);
}

int socketpath_set_access(int listener, const char *path, ino_t inode,
			  const struct socket_access *access, struct error *e)
{
	int failed = 0;
	struct stat st;

	if (!access->has_mode && !access->has_owner)
		return 0;
	int fd = open_own(listener, path, inode, &st, e);
	if (fd < 0)
		return -1;
	if (access->has_mode && (st.st_mode & 07777) != access->mode &&
	    change_mode(fd, access->mode))
		failed = uwsgi_error_set(e, "chmod-socket = %o: %s: %s", access->mode, path,
					 strerror(errno));
	bool owned = (access->uid == (uid_t)-1 || access->uid == st.st_uid) &&
		     (access->gid == (gid_t)-1 || access->gid == st.st_gid);
	if (!failed && access->has_owner && !owned &&
	    fchownat(fd, "", access->uid, access->gid, AT_EMPTY_PATH))
		failed = uwsgi_error_set(e, "chown-socket: %s: %s", path, strerror(errno));
	close(fd);
	return failed;
}

void socketpath_remove(const char *path, ino_t inode)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char folder[PATH_MAX];
	struct stat st;

	if (!inode)
		return;
	/* By the folder, which may be exchanged as well. */
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(name - path) : 1, slash ? path : ".");
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool own = fd >= 0 && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		   S_ISSOCK(st.st_mode) && st.st_ino == inode;

	if (own && unlinkat(fd, name, 0))
		uwsgi_log(UWSGI_WARNING, "cannot remove %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}
