/* SPDX-License-Identifier: MIT */
/* carry.c: each value has a byte before it that says of what kind it is, so that a reader who has lost
 * its place notices that at once. */
#include "base/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* To be raised when what is carried, or its order, is not that of the last release any more.  There is no
 * release yet. */
enum { VERSION = 1 };

enum { BYTES_MAX = 64 << 20, STRING_MAX = 1 << 20, FDS_MAX = 65536 };

enum kind { NUMBER = 'n', BYTES = 'b', NO_BYTES = '0', DESCRIPTOR = 'd' };

struct preamble {
	char magic[8];
	uint32_t version, unused;
	uint64_t form, size;
};

static const char magic[8] = "uwsgi->";

void carry_fail(struct carry *c, const char *fmt, ...)
{
	va_list ap;

	if (c->failed)
		return;
	c->failed = true;
	va_start(ap, fmt);
	vsnprintf(c->error.text, sizeof c->error.text, fmt, ap);
	va_end(ap);
}

/* ---- bytes ---- */

static bool make_room(struct carry *c, size_t more)
{
	size_t wanted = c->size ? c->size : 4096;

	while (wanted < c->n + more)
		wanted *= 2;
	if (wanted == c->size)
		return true;
	char *grown = wanted <= BYTES_MAX ? realloc(c->p, wanted) : NULL;
	if (!grown) {
		carry_fail(c, "there is no memory for so much state");
		return false;
	}
	c->p = grown;
	c->size = wanted;
	return true;
}

/* Writes them, or reads them: NULL when they are not there. */
static bool move_bytes(struct carry *c, void *bytes, size_t n)
{
	if (c->failed)
		return false;
	if (c->reading && c->size - c->n < n) {
		carry_fail(c, "the state ends too early");
		return false;
	}
	if (!c->reading && !make_room(c, n))
		return false;
	if (n > 0 && c->reading)
		memcpy(bytes, c->p + c->n, n);
	else if (n > 0)
		memcpy(c->p + c->n, bytes, n);
	c->n += n;
	return true;
}

/* True: this kind follows, or now does. */
static bool move_kind(struct carry *c, enum kind kind)
{
	char byte = (char)kind;

	if (!move_bytes(c, &byte, 1))
		return false;
	if (byte != (char)kind)
		carry_fail(c, "the state holds something else at byte %zu", c->n - 1);
	return !c->failed;
}

/* ---- values ---- */

void carry_number(struct carry *c, int64_t *value, int64_t least, int64_t most)
{
	int64_t moved = *value;
	bool whole = move_kind(c, NUMBER) && move_bytes(c, &moved, sizeof moved);

	if (whole && (moved < least || moved > most))
		carry_fail(c, "the state holds %lld where %lld to %lld can be", (long long)moved,
			   (long long)least, (long long)most);
	if (c->reading)
		*value = c->failed ? least : moved;
}

void carry_int(struct carry *c, int *value, int least, int most)
{
	int64_t moved = *value;

	carry_number(c, &moved, least, most);
	*value = (int)moved;
}

void carry_bool(struct carry *c, bool *value)
{
	int64_t moved = *value;

	carry_number(c, &moved, 0, 1);
	*value = moved != 0;
}

void carry_u64(struct carry *c, uint64_t *value)
{
	int64_t moved = (int64_t)*value;

	carry_number(c, &moved, INT64_MIN, INT64_MAX);
	*value = c->reading && c->failed ? 0 : (uint64_t)moved;
}

void carry_ms(struct carry *c, int64_t *value)
{
	carry_number(c, value, 0, INT64_MAX / 4);
}

size_t carry_count(struct carry *c, size_t count, size_t most)
{
	int64_t moved = (int64_t)count;

	carry_number(c, &moved, 0, (int64_t)most);
	return (size_t)moved;
}

void carry_bytes(struct carry *c, char **p, size_t *n, size_t most)
{
	char kind = !c->reading && !*p ? NO_BYTES : BYTES;
	char *taken = NULL;
	bool whole = move_bytes(c, &kind, 1);

	if (whole && kind != BYTES && kind != NO_BYTES)
		carry_fail(c, "the state holds something else at byte %zu", c->n - 1);
	if (whole && kind == BYTES)
		*n = carry_count(c, *n, most);
	if (!c->reading) {
		if (kind == BYTES)
			move_bytes(c, *p, *n);
		return;
	}
	*p = NULL;
	if (c->failed || kind != BYTES) {
		*n = 0;
		return;
	}
	/* Before memory is asked for: a damaged length may be any. */
	if (c->size - c->n < *n)
		carry_fail(c, "the state ends too early");
	else if (!(taken = malloc(*n + 1)))
		carry_fail(c, "out of memory");
	if (c->failed || !move_bytes(c, taken, *n)) {
		free(taken);
		*n = 0;
		return;
	}
	taken[*n] = '\0';
	*p = taken;
}

void carry_text(struct carry *c, char *text, size_t size)
{
	size_t n = c->reading ? 0 : strlen(text);
	char *p = text;

	carry_bytes(c, &p, &n, size - 1);
	if (!c->reading)
		return;
	if (p && strlen(p) != n)
		carry_fail(c, "the state holds a zero inside a text");
	snprintf(text, size, "%s", p && !c->failed ? p : "");
	free(p);
}

void carry_string(struct carry *c, const char **text, struct arena *memory)
{
	char *p = c->reading ? NULL : (char *)(uintptr_t)*text;
	size_t n = p ? strlen(p) : 0;

	carry_bytes(c, &p, &n, STRING_MAX);
	if (!c->reading)
		return;
	*text = arena_string(memory, p ? p : "", n);
	free(p);
	if (!*text) {
		carry_fail(c, "out of memory");
		*text = "";
	}
}

void carry_timespec(struct carry *c, struct timespec *at)
{
	int64_t s = at->tv_sec, ns = at->tv_nsec;

	carry_number(c, &s, INT64_MIN, INT64_MAX);
	carry_number(c, &ns, 0, 999999999);
	*at = (struct timespec){ .tv_sec = s, .tv_nsec = ns };
}

static void note_fd(struct carry *c, int fd)
{
	int *grown =
		c->fd_count < FDS_MAX ? realloc(c->fds, (c->fd_count + 1) * sizeof *grown) : NULL;

	if (!grown) {
		carry_fail(c, "there is no memory for so many descriptors");
		return;
	}
	c->fds = grown;
	c->fds[c->fd_count++] = fd;
}

/* Set back at once: whatever is started before the end of the reading has none of them. */
void carry_fd(struct carry *c, int *fd)
{
	int64_t moved = *fd;

	if (move_kind(c, DESCRIPTOR))
		carry_number(c, &moved, -1, INT32_MAX);
	if (!c->reading) {
		if (moved >= 0)
			note_fd(c, *fd);
		return;
	}
	if (!c->failed && moved >= 0 &&
	    (moved <= STDERR_FILENO || fcntl((int)moved, F_SETFD, FD_CLOEXEC)))
		carry_fail(c, "descriptor %lld of the state is not open", (long long)moved);
	*fd = c->failed ? -1 : (int)moved;
}

/* ---- as a whole ---- */

void carry_begin(struct carry *c)
{
	*c = (struct carry){ 0 };
}

static bool write_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t written = TEMP_FAILURE_RETRY(write(fd, p, n));

		if (written <= 0)
			return false;
		p += written;
		n -= (size_t)written;
	}
	return true;
}

int carry_send(struct carry *c, uint64_t form, struct error *e)
{
	struct preamble h = { .version = VERSION, .form = form, .size = c->n };

	if (c->failed)
		return uwsgi_error_set(e, "%s", c->error.text);
	memcpy(h.magic, magic, sizeof h.magic);
	int fd = memfd_create("uwsgi-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && write_all(fd, &h, sizeof h) && write_all(fd, c->p, c->n) &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	int why = errno;
	if (fd >= 0)
		close(fd);
	return uwsgi_error_set(e, "cannot write the state: %s", strerror(why));
}

static int check_preamble(const struct preamble *h, off_t size, uint64_t form, struct error *e)
{
	if (memcmp(h->magic, magic, sizeof h->magic) != 0)
		return uwsgi_error_set(e, "this is not the state of a server");
	if (h->version != VERSION)
		return uwsgi_error_set(e,
				       "the server hands over version %u of its state, and this "
				       "program understands version %d",
				       h->version, VERSION);
	if (h->form != form)
		return uwsgi_error_set(e, "what the server shares with its processes has another "
					  "form in this program");
	if (h->size != (uint64_t)size - sizeof *h)
		return uwsgi_error_set(e, "the state has %lld bytes, and should have %llu",
				       (long long)size - (long long)sizeof *h,
				       (unsigned long long)h->size);
	return 0;
}

int carry_receive(struct carry *c, int fd, uint64_t form, struct error *e)
{
	struct preamble h;
	struct stat st;

	*c = (struct carry){ .reading = true };
	if (fd <= STDERR_FILENO || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)sizeof h || st.st_size > BYTES_MAX ||
	    pread(fd, &h, sizeof h, 0) != sizeof h)
		return uwsgi_error_set(e, "this is not the state of a server");
	if (check_preamble(&h, st.st_size, form, e))
		return -1;
	c->p = malloc(h.size + 1);
	if (!c->p)
		return uwsgi_error_set(e, "out of memory");
	if (pread(fd, c->p, h.size, sizeof h) == (ssize_t)h.size) {
		c->size = h.size;
		return 0;
	}
	carry_fini(c);
	return uwsgi_error_set(e, "cannot read the state: %s", strerror(errno));
}

int carry_end(struct carry *c, struct error *e)
{
	if (c->reading && c->n < c->size)
		carry_fail(c, "the state goes on behind its end");
	return c->failed ? uwsgi_error_set(e, "%s", c->error.text) : 0;
}

void carry_fini(struct carry *c)
{
	free(c->p);
	free(c->fds);
	*c = (struct carry){ 0 };
}

void carry_keep_open(const struct carry *c, bool keep)
{
	for (size_t i = 0; i < c->fd_count; i++)
		fcntl(c->fds[i], F_SETFD, keep ? 0 : FD_CLOEXEC);
}
