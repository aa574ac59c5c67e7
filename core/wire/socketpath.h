/* SPDX-License-Identifier: MIT */
/* socketpath.h: the file of a UNIX socket, and who may connect through it.  It may lie in a folder
 * of another user: no link is followed, and only the server's own file is changed. */
#ifndef UWSGI_SOCKETPATH_H
#define UWSGI_SOCKETPATH_H

#include <uwsgi/plugin.h>

#include <sys/socket.h>

/* Zeroed it asks for nothing. */
struct socket_access {
	bool has_mode, has_owner;
	mode_t mode;
	uid_t uid; /* (uid_t)-1: as it is; the group too */
	gid_t gid;
};

/* "660", octal. */
int socketpath_parse_mode(const char *text, struct socket_access *, struct error *);
/* "user", "user:group", ":group", names or numbers. */
int socketpath_parse_owner(const char *text, struct socket_access *, struct error *);

/* Removes a socket that nobody listens on.  Returns -1 with the reason, which does not name the
 * path; *taken: somebody does. */
int socketpath_clear(const char *path, bool *taken, struct error *);
/* As bind(); the file has this mode from its first moment on. */
int socketpath_bind(int fd, const struct sockaddr *, socklen_t, const struct socket_access *);
/* Of this process. */
mode_t socketpath_umask(void);
/* Of the file that this socket is bound to, where the kernel tells it, else of the one that is there
 * now; 0: there is none. */
ino_t socketpath_inode(int fd, const char *path);
/* Gives the socket's file mode and owner, if it is still the one with this inode. */
int socketpath_set_access(int fd, const char *path, ino_t, const struct socket_access *,
			  struct error *);
/* Removes the file if it is still that one.  The socket must still be open: only then has no other
 * file got its number. */
void socketpath_remove(const char *path, ino_t);

#endif
