/* SPDX-License-Identifier: MIT */
/* passed.c: finds the sockets that the service manager has passed on.  main() calls it, once.  What
 * is spoken on them is the configuration's to say, and so listener.c's. */
#include "wire/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* The first of them, and more than anybody passes. */
enum { FIRST = 3, MOST = 256 };

static long number_of(const char *variable)
{
	const char *text = getenv(variable);

	return text ? strtol(text, NULL, 10) : 0;
}

/* Only a path has a zero at its end, and an inode; the file is the service manager's. */
static bool find_address(int fd, struct address *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->sa;

	*a = (struct address){ .length = sizeof a->sa };
	if (getsockname(fd, (struct sockaddr *)&a->sa, &a->length))
		return false;
	a->has_path = a->sa.ss_family == AF_UNIX &&
		      a->length > offsetof(struct sockaddr_un, sun_path) && un->sun_path[0];
	return true;
}

static int take_one(struct listener *l, int fd, struct error *e)
{
	int listens = 0, type = 0, flags = fcntl(fd, F_GETFL);
	socklen_t n = sizeof listens, m = sizeof type;

	*l = (struct listener){ .option = "socket", .passed = true, .fd = fd };
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) || !listens ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) || type != SOCK_STREAM ||
	    !find_address(fd, &l->address))
		return uwsgi_error_set(e,
				       "descriptor %d, which the service manager has passed on "
				       "(LISTEN_FDS), is not a listening stream socket",
				       fd);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return uwsgi_error_set(e, "descriptor %d: %s", fd, strerror(errno));
	address_to_text((struct sockaddr *)&l->address.sa, l->address.length, &l->text);
	return 0;
}

int passed_take(struct listeners *set, struct error *e)
{
	long count = number_of("LISTEN_FDS");
	bool ours = number_of("LISTEN_PID") == getpid();

	*set = (struct listeners){ 0 };
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	if (!ours || count <= 0)
		return 0;
	if (count > MOST)
		return uwsgi_error_set(e, "LISTEN_FDS: more than %d sockets", MOST);
	set->items = calloc((size_t)count, sizeof *set->items);
	if (!set->items)
		return uwsgi_error_set(e, "out of memory");
	for (; set->count < (size_t)count; set->count++)
		if (take_one(&set->items[set->count], FIRST + (int)set->count, e))
			return -1;
	return 0;
}
