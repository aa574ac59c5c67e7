/* SPDX-License-Identifier: MIT */
/* shared.c: files in memory and their mappings.  The seals hold for whoever gets the descriptor: the
 * size, which readers rely on, stays.  What is given away is opened for reading only.  Where there is
 * no /proc to open it by, nobody can map it to write any more, also no program that takes this one's
 * place. */
#include "base/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* -1: not possible. */
static int open_to_read(int fd)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void close_both(const struct shared *s)
{
	if (s->own >= 0)
		close(s->own);
	if (s->fd >= 0 && s->fd != s->own)
		close(s->fd);
}

static int fail(const struct shared *s, struct error *e)
{
	int why = errno;

	if (s->p != MAP_FAILED)
		munmap(s->p, s->size);
	close_both(s);
	return uwsgi_error_set(e, "cannot map %zu bytes of shared memory: %s", s->size,
			       strerror(why));
}

static bool seal(struct shared *s)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

	/* Not to be opened anew to write, either. */
	fchmod(s->own, S_IRUSR);
	s->fd = open_to_read(s->own);
	if (s->fd >= 0)
		return fcntl(s->own, F_ADD_SEALS, seals) == 0;
	s->fd = s->own;
	s->own = -1;
	return fcntl(s->fd, F_ADD_SEALS, seals | F_SEAL_FUTURE_WRITE) == 0;
}

int shared_make(struct shared *s, const char *name, size_t size, struct error *e)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct shared made = { MAP_FAILED, size, -1, fd };

	*s = SHARED_NONE;
	if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
		made.p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (made.p == MAP_FAILED || !seal(&made))
		return fail(&made, e);
	*s = made;
	return 0;
}

int shared_take_over(struct shared *s, int fd, size_t size, bool rehearsal, struct error *e)
{
	struct shared taken = { MAP_FAILED, size, -1, fd };
	struct stat st;

	*s = SHARED_NONE;
	if (fstat(fd, &st) == 0 && st.st_size != (off_t)size) {
		close(fd);
		return uwsgi_error_set(e, "shared memory has %lld bytes instead of %zu",
				       (long long)st.st_size, size);
	}
	taken.p = mmap(NULL, size, PROT_READ | PROT_WRITE, rehearsal ? MAP_PRIVATE : MAP_SHARED, fd,
		       0);
	if (taken.p != MAP_FAILED)
		taken.fd = open_to_read(fd);
	if (taken.fd < 0)
		return fail(&taken, e);
	*s = taken;
	return 0;
}

int shared_view(struct shared *s, int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -1;
	*s = (struct shared){ p, size, -1, -1 };
	return 0;
}

/* Such a mapping cannot become writable again, which one that mprotect() has made could. */
int shared_give_up_writing(struct shared *s, struct error *e)
{
	void *p = mmap(s->p, s->size, PROT_READ, MAP_SHARED | MAP_FIXED, s->fd, 0);

	return p == s->p ? 0
			 : uwsgi_error_set(e, "cannot map shared memory to read it: %s",
					   strerror(errno));
}

void shared_close_fd(struct shared *s)
{
	close_both(s);
	s->fd = s->own = -1;
}

void shared_free(struct shared *s)
{
	if (s->p)
		munmap(s->p, s->size);
	shared_close_fd(s);
	*s = SHARED_NONE;
}
