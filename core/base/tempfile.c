/* SPDX-License-Identifier: MIT */
/* tempfile.c: the temporary folder is asked for nowhere else. */
#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const uint64_t most_reserved = 256u << 20;

static bool is_memory(const struct statfs *fs)
{
	return fs->f_type == TMPFS_MAGIC || fs->f_type == RAMFS_MAGIC;
}

bool tempfile_is_memory(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && is_memory(&fs);
}

/* /tmp is memory on Debian 13 and others; what is large belongs into /var/tmp there (file-hierarchy(7)
 * of systemd). */
static const char *find_folder(void)
{
	const char *folder = getenv("TMPDIR");
	struct statfs fs;

	if (folder && *folder)
		return folder;
	if (statfs("/tmp", &fs) || !is_memory(&fs) || statfs("/var/tmp", &fs) || is_memory(&fs) ||
	    access("/var/tmp", W_OK | X_OK))
		return "/tmp";
	return "/var/tmp";
}

int tempfile_open(const char *what, struct error *e)
{
	const char *folder = find_folder();
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		/* A file system without O_TMPFILE: make a name and take it away. */
		char path[4096];

		if (snprintf(path, sizeof path, "%s/uwsgi-XXXXXX", folder) < (int)sizeof path) {
			fd = mkostemp(path, O_CLOEXEC);
			if (fd >= 0)
				unlink(path);
		}
	}
	if (fd < 0)
		uwsgi_error_set(e, "cannot create a temporary file for %s in %s: %s", what, folder,
				strerror(errno));
	return fd;
}

bool tempfile_has_room(int fd, int64_t bytes)
{
	struct statvfs s;

	/* A tmpfs without a size says that it has no blocks.  What cannot be asked is tried. */
	if ((fd < 0 ? statvfs(find_folder(), &s) : fstatvfs(fd, &s)) || s.f_blocks == 0)
		return true;
	uint64_t unit = s.f_frsize, total = s.f_blocks * unit, available = s.f_bavail * unit;
	uint64_t reserved = total / 20 < most_reserved ? total / 20 : most_reserved;

	return available >= reserved && available - reserved >= (uint64_t)bytes;
}

static int fail(int why, const char *what, struct error *e)
{
	uwsgi_error_set(e, "cannot store %s in %s: %s", what, find_folder(), strerror(why));
	errno = why;
	return -1;
}

int tempfile_write_at(int fd, struct iovec *v, int count, int64_t at, const char *what,
		      struct error *e)
{
	int64_t size = 0;

	for (int i = 0; i < count; i++)
		size += (int64_t)v[i].iov_len;
	if (!tempfile_has_room(fd, size))
		return fail(ENOSPC, what, e);
	while (count > 0) {
		ssize_t n = pwritev(fd, v, count, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(n ? errno : ENOSPC, what, e);
		at += n;
		for (; count > 0 && (size_t)n >= v->iov_len; v++, count--)
			n -= (ssize_t)v->iov_len;
		if (count > 0) {
			v->iov_base = (char *)v->iov_base + n;
			v->iov_len -= (size_t)n;
		}
	}
	return 0;
}
