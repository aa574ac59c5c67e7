/* SPDX-License-Identifier: MIT */
/* shared.c: files in memory and their mappings.  The seals hold for whoever gets the descriptor: it
 * cannot be made writable, and its size, which readers rely on, stays. */
#include "base/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int fail(const struct shared *s, size_t size, struct error *e)
{
	int why = errno;

	if (s->p != MAP_FAILED)
		munmap(s->p, size);
	if (s->fd >= 0)
		close(s->fd);
	return uwsgi_error_set(e, "cannot map %zu bytes of shared memory: %s", size, strerror(why));
}

int shared_make(struct shared *s, const char *name, size_t size, struct error *e)
{
	struct shared made = { MAP_FAILED, size, memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) };

	*s = (struct shared){ .fd = -1 };
	if (made.fd >= 0 && ftruncate(made.fd, (off_t)size) == 0)
		made.p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, made.fd, 0);
	if (made.p == MAP_FAILED ||
	    fcntl(made.fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL))
		return fail(&made, size, e);
	*s = made;
	return 0;
}

int shared_view(struct shared *s, int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -1;
	*s = (struct shared){ p, size, -1 };
	return 0;
}

/* The seals allow no such mapping to become writable again, which mprotect() alone would. */
int shared_give_up_writing(struct shared *s, struct error *e)
{
	void *p = mmap(s->p, s->size, PROT_READ, MAP_SHARED | MAP_FIXED, s->fd, 0);

	return p == s->p ? 0
			 : uwsgi_error_set(e, "cannot map shared memory to read it: %s",
					   strerror(errno));
}

void shared_close_fd(struct shared *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void shared_free(struct shared *s)
{
	if (s->p)
		munmap(s->p, s->size);
	shared_close_fd(s);
	*s = (struct shared){ .fd = -1 };
}
