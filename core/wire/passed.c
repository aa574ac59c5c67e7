/* SPDX-License-Identifier: MIT */
/* passed.c: finds the sockets that are open when the server starts.  What is spoken on them is the
 * configuration's to say, and so listener.c's. */
#include "wire/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* The first of them, and more than anybody passes. */
enum { FIRST = 3, MOST = 256 };

/* Of one generation. */
enum { SOCKETS_MAX = 65536 };

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

static bool listens(int fd)
{
	int accepts = 0, type = 0;
	socklen_t n = sizeof accepts, m = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &n) == 0 && accepts &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) == 0 && type == SOCK_STREAM;
}

static int take_one(struct listener *l, int fd, struct error *e)
{
	int flags = fcntl(fd, F_GETFL);

	*l = (struct listener){ .option = "socket", .passed = true, .fd = fd };
	if (!listens(fd) || !find_address(fd, &l->address))
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

/* ---- to another program ---- */

/* The address is the one that the settings name, which for a port 0 is not the bound one. */
static void carry_address(struct address *a, struct carry *c)
{
	char *p = (char *)&a->sa;
	size_t n = a->length;

	carry_bytes(c, &p, &n, sizeof a->sa);
	carry_bool(c, &a->has_path);
	if (!c->reading)
		return;
	if (p)
		memcpy(&a->sa, p, n);
	free(p);
	a->length = (socklen_t)n;
	if (n < sizeof a->sa.ss_family)
		carry_fail(c, "the address of a socket is too short");
}

static void carry_one(struct listener *l, struct carry *c)
{
	struct sockaddr_storage bound;
	socklen_t length = sizeof bound;
	uint64_t inode = l->inode;

	carry_address(&l->address, c);
	carry_bool(c, &l->passed);
	carry_u64(c, &inode);
	carry_fd(c, &l->fd);
	l->inode = (ino_t)inode;
	if (!c->reading || c->failed)
		return;
	if (!listens(l->fd) || getsockname(l->fd, (struct sockaddr *)&bound, &length))
		carry_fail(c, "descriptor %d is not a listening stream socket", l->fd);
	else
		address_to_text((struct sockaddr *)&bound, length, &l->text);
}

void passed_carry(struct listeners *set, struct carry *c)
{
	size_t count = carry_count(c, set->count, SOCKETS_MAX);

	if (c->reading) {
		set->items = calloc(count + 1, sizeof *set->items);
		if (!set->items)
			carry_fail(c, "out of memory");
	}
	for (size_t i = 0; i < count && !c->failed; i++) {
		if (c->reading)
			set->items[i] = (struct listener){ .option = "socket", .fd = -1 };
		carry_one(&set->items[i], c);
		if (c->reading)
			set->count++;
	}
}
