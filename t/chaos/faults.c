/* SPDX-License-Identifier: MIT */
/* faults.c: preloaded into a server under test, makes chosen calls fail or come late.  The rules
 * lie in a file that the test writes (t/lib/faults.py has the same layout) and all processes of the
 * server share: the test changes them while it runs, and reads how often each one struck.
 *
 * Only calls of the server itself, its plugins and libev are looked at; what Python and libc do for
 * themselves is left alone. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RULES = 8, SITES = 512, STEP_US = 5000 };
enum {
	EACH = 1, /* counted for each place in the program by itself */
	OWN = 2,  /* what libev calls does not count */
};

struct rule {
	char call[16];       /* the function; "": no rule */
	char role[16];       /* of the process: master, zygote, worker, http; "": any */
	int32_t error;       /* errno of the failure; 0: the call is made */
	int32_t delay_us;    /* before it */
	int64_t first, last; /* which calls, counted from 1 */
	int32_t flags;
	_Atomic int32_t hits;  /* how often it struck */
	_Atomic int64_t calls; /* how often it was looked at */
	char where[64];        /* the last place it struck: file+offset */
};

struct site {
	_Atomic uint64_t place; /* rule, file and offset; 0: free */
	_Atomic int64_t calls;
};

static struct table {
	struct rule rules[RULES];
	struct site sites[SITES];
} * table;

/* Looking may itself allocate, open and read. */
static __thread int looking;

__attribute__((constructor)) static void map_table(void)
{
	const char *path = getenv("UWSGI_TEST_FAULTS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	void *p = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		table = p;
}

/* The process names that auto-procname gives tell who this is; whoever has none is the master. */
static int has_role(const char *role)
{
	static const char *const others[] = { " zygote", " worker", " http" };
	char name[32] = "";
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/comm", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		syscall(SYS_read, fd, name, sizeof name - 1);
		syscall(SYS_close, fd);
	}
	if (strcmp(role, "master") != 0)
		return strstr(name, role) != NULL;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strstr(name, others[i]))
			return 0;
	return 1;
}

static const char libev[] = "libev.so";

/* The file that a call comes from, or NULL when it is none of ours. */
static const char *caller(void *address, uint64_t *offset)
{
	Dl_info here, program;

	if (!dladdr(address, &here) || !dladdr((void *)getauxval(AT_PHDR), &program))
		return NULL;
	*offset = (uint64_t)((char *)address - (char *)here.dli_fbase);
	if (here.dli_fbase == program.dli_fbase)
		return "uwsgi";
	const char *name = strrchr(here.dli_fname, '/');
	name = name ? name + 1 : here.dli_fname;
	if (strncmp(name, libev, strlen(libev)) == 0)
		return libev;
	return strstr(name, "_plugin.so") ? name : NULL;
}

/* The count of calls from this place, this one included. */
static int64_t count_at(uint64_t place)
{
	for (size_t i = 0; i < SITES; i++) {
		struct site *s = &table->sites[(place + i) % SITES];
		uint64_t there = 0;

		if (atomic_compare_exchange_strong(&s->place, &there, place) || there == place)
			return atomic_fetch_add(&s->calls, 1) + 1;
	}
	return 0;
}

static int struck(struct rule *r, void *address)
{
	uint64_t offset;
	const char *file = caller(address, &offset);

	if (!file || (*r->role && !has_role(r->role)) || (r->flags & OWN && file == libev))
		return 0;
	int64_t count = atomic_fetch_add(&r->calls, 1) + 1;
	if (r->flags & EACH)
		count = count_at((uint64_t)(r - table->rules + 1) << 56 |
				 (uint64_t)(unsigned char)*file << 48 | offset);
	if (count < r->first || count > r->last)
		return 0;
	atomic_fetch_add(&r->hits, 1);
	snprintf(r->where, sizeof r->where, "%s+0x%llx", file, (unsigned long long)offset - 1);
	return 1;
}

/* Until the time is over or the test has set other rules. */
static void delay(const struct rule *r)
{
	const int32_t us = r->delay_us;

	for (int32_t left = us; left > 0 && r->delay_us == us; left -= STEP_US)
		usleep((useconds_t)(left < STEP_US ? left : STEP_US));
}

/* True: the call is to fail, and errno says why. */
static int fault(const char *call, void *address)
{
	int error = 0, kept = errno;

	if (!table || looking)
		return 0;
	looking = 1;
	for (size_t i = 0; i < RULES && !error; i++) {
		struct rule *r = &table->rules[i];

		if (strcmp(r->call, call) != 0 || !struck(r, address))
			continue;
		error = r->error; /* meanwhile the test may set another rule in this place */
		delay(r);
	}
	looking = 0;
	errno = error ? error : kept;
	return error != 0;
}

#define FAILS(call) fault(call, __builtin_return_address(0))

/* A function that libc has, too: fails with `failed`, or is called. */
#define WRAP_AS(call, type, name, failed, parameters, arguments)                                   \
	type name parameters                                                                       \
	{                                                                                          \
		static type(*real) parameters;                                                     \
                                                                                                   \
		if (FAILS(call))                                                                   \
			return failed;                                                             \
		if (!real)                                                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                                 \
		return real arguments;                                                             \
	}
#define WRAP(type, name, ...) WRAP_AS(#name, type, name, __VA_ARGS__)

/* "wall": what is struck reads a wall clock that somebody has set to an hour later. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	int failed = real(clock, t);
	if (!failed && clock == CLOCK_REALTIME && FAILS("wall"))
		t->tv_sec += 3600;
	return failed;
}

WRAP(pid_t, fork, -1, (void), ())
WRAP(pid_t, waitpid, -1, (pid_t p, int *s, int o), (p, s, o))
WRAP(int, waitid, -1, (idtype_t t, id_t p, siginfo_t *s, int o), (t, p, s, o))
WRAP(int, pipe2, -1, (int p[2], int f), (p, f))
WRAP(int, socketpair, -1, (int d, int t, int p, int v[2]), (d, t, p, v))
WRAP(int, eventfd, -1, (unsigned n, int f), (n, f))
WRAP(int, signalfd, -1, (int fd, const sigset_t *s, int f), (fd, s, f))
WRAP(int, epoll_create1, -1, (int f), (f))
WRAP(int, epoll_wait, -1, (int e, struct epoll_event *ev, int n, int t), (e, ev, n, t))
WRAP(int, poll, -1, (struct pollfd * p, nfds_t n, int t), (p, n, t))
WRAP(int, socket, -1, (int d, int t, int p), (d, t, p))
WRAP(int, connect, -1, (int s, const struct sockaddr *a, socklen_t n), (s, a, n))
WRAP(int, accept4, -1, (int s, struct sockaddr *a, socklen_t *l, int f), (s, a, l, f))
WRAP(int, setsockopt, -1, (int s, int l, int o, const void *v, socklen_t n), (s, l, o, v, n))
WRAP(int, close, -1, (int fd), (fd))
WRAP(ssize_t, read, -1, (int fd, void *b, size_t n), (fd, b, n))
WRAP(ssize_t, write, -1, (int fd, const void *b, size_t n), (fd, b, n))
WRAP(ssize_t, writev, -1, (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP(ssize_t, pwritev, -1, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
WRAP(ssize_t, recv, -1, (int s, void *b, size_t n, int f), (s, b, n, f))
WRAP(ssize_t, recvmsg, -1, (int s, struct msghdr *m, int f), (s, m, f))
WRAP(ssize_t, send, -1, (int s, const void *b, size_t n, int f), (s, b, n, f))
WRAP(ssize_t, sendmsg, -1, (int s, const struct msghdr *m, int f), (s, m, f))
WRAP(ssize_t, sendfile, -1, (int o, int i, off_t *at, size_t n), (o, i, at, n))
WRAP(int, mkostemp, -1, (char *t, int f), (t, f))
WRAP(int, pthread_create, errno,
     (pthread_t * t, const pthread_attr_t *a, void *(*f)(void *), void *d), (t, a, f, d))

/* backend.c's search asks of every descriptor whether it is an epoll: that takes no memory. */
int epoll_ctl(int e, int o, int fd, struct epoll_event *ev)
{
	static int (*real)(int, int, int, struct epoll_event *);
	int search = o == EPOLL_CTL_MOD && !ev->events;

	if (!search && FAILS("epoll_ctl"))
		return -1;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "epoll_ctl");
	return real(e, o, fd, ev);
}

/* What fortified code calls instead of them. */
WRAP_AS("read", ssize_t, __read_chk, -1, (int fd, void *b, size_t n, size_t size), (fd, b, n, size))
WRAP_AS("recv", ssize_t, __recv_chk, -1, (int s, void *b, size_t n, size_t size, int f),
	(s, b, n, size, f))
WRAP_AS("poll", int, __poll_chk, -1, (struct pollfd * p, nfds_t n, int t, size_t size),
	(p, n, t, size))
WRAP_AS("open", int, __open_2, -1, (const char *path, int f), (path, f))

int open(const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = va_arg(more, mode_t);
	va_end(more);
	return FAILS("open") ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	return FAILS("mmap") ? MAP_FAILED
			     : (void *)syscall(SYS_mmap, at, n, protection, flags, fd, offset);
}

/* dlsym() allocates, so these call what glibc has under other names. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

void *malloc(size_t n)
{
	return FAILS("malloc") ? NULL : __libc_malloc(n);
}

void *calloc(size_t count, size_t n)
{
	return FAILS("malloc") ? NULL : __libc_calloc(count, n);
}

void *realloc(void *p, size_t n)
{
	return FAILS("malloc") ? NULL : __libc_realloc(p, n);
}
