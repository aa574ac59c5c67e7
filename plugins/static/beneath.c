/* SPDX-License-Identifier: MIT */
/* beneath.c: opens files below a folder that requests name, and nothing else.  The kernel follows
 * links only as long as they stay below (openat2).  Where one leads out, or the kernel knows no
 * openat2, the file is first held without being opened (O_PATH), and its name is looked at then. */
#include "static.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A FIFO without a writer does not stop the lane, a terminal does not become its own. */
enum { HOW = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

/* The name of an open file in /proc. */
struct held_name {
	char text[sizeof "/proc/self/fd/" + 12];
};

static struct held_name name_of(int fd)
{
	struct held_name n;

	snprintf(n.text, sizeof n.text, "/proc/self/fd/%d", fd);
	return n;
}

/* Both without links; a folder is below itself. */
static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	while (n > 0 && folder[n - 1] == '/')
		n--;
	return !strncmp(path, folder, n) && (path[n] == '/' || !path[n]);
}

/* Where the held file really is: below the folder, or in what is safe. */
static bool is_allowed(int held, int folder, const struct option_list *safe)
{
	char path[PATH_MAX], allowed[PATH_MAX];
	ssize_t n = readlink(name_of(held).text, path, sizeof path - 1);

	if (n <= 0)
		return false;
	path[n] = 0;
	n = readlink(name_of(folder).text, allowed, sizeof allowed - 1);
	if (n <= 0)
		return false;
	allowed[n] = 0;
	if (is_below(path, allowed))
		return true;
	for (size_t i = 0; i < safe->count; i++)
		if (realpath(safe->items[i], allowed) && is_below(path, allowed))
			return true;
	return false;
}

static int open_checked(int folder, const char *path, const struct option_list *safe)
{
	int held = openat(folder, path, O_PATH | O_CLOEXEC), fd = -1;

	if (held < 0)
		return -1;
	if (is_allowed(held, folder, safe))
		fd = open(name_of(held).text, HOW);
	else
		errno = EXDEV;
	int why = errno;

	close(held);
	errno = why;
	return fd;
}

int beneath_open(const char *root, const char *path, const struct option_list *safe)
{
	const struct open_how how = { .flags = HOW,
				      .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

	if (!*path)
		return open(root, HOW);
	int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -1;
	int fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
	/* EAGAIN: something was renamed meanwhile.  EPERM: a seccomp filter older than the call. */
	if (fd < 0 && (errno == EXDEV || errno == EAGAIN || errno == ENOSYS || errno == EPERM))
		fd = open_checked(folder, path, safe);
	int why = errno;

	close(folder);
	errno = why;
	return fd;
}
