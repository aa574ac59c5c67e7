/* SPDX-License-Identifier: MIT */
/* where.c: the Python stack of a lane that hangs, perhaps with the GIL.  Another thread could read its
 * frames only while they change, so the lane's own thread is made to write them, in the handler of a
 * signal that is there for nothing else.  faulthandler has one that needs no lock; ours calls it, and
 * says when it has come to its end. */
#include "internal.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* For a thread that the kernel does not let go, or that blocks the signal. */
enum { PATIENCE_MS = 200 };

/* No thread has such an id. */
#define NOBODY 0UL
#define WRITING (~0UL)

/* Of this process: signal handlers take no pointer. */
static struct {
	int fd; /* what is written goes here */
	/* The thread that is to write, or NOBODY or WRITING.  A thread that comes too late is no longer
	 * asked, and so does not write into the stack of the next one. */
	atomic_ulong asked;
	bool ready;
	struct sigaction before; /* faulthandler's */
	sem_t written;
} self = { .fd = -1 };

static int signal_number(void)
{
	return SIGRTMAX - 1;
}

static void on_asked(int number)
{
	unsigned long me = (unsigned long)pthread_self();
	int kept = errno;

	if (!atomic_compare_exchange_strong(&self.asked, &me, WRITING))
		return;
	self.before.sa_handler(number);
	atomic_store(&self.asked, NOBODY);
	sem_post(&self.written);
	errno = kept;
}

/* faulthandler.register(number, fd, all_threads=False) */
static int register_handler(void)
{
	PyObject *module = PyImport_ImportModule("faulthandler");
	PyObject *done = module ? PyObject_CallMethod(module, "register", "iiO", signal_number(),
						      self.fd, Py_False)
				: NULL;

	Py_XDECREF(done);
	Py_XDECREF(module);
	return done ? 0 : -1;
}

void where_prepare(void)
{
	struct sigaction action = { .sa_handler = on_asked, .sa_flags = SA_RESTART | SA_ONSTACK };

	if (self.ready)
		return;
	self.fd = memfd_create("uwsgi-stack", MFD_CLOEXEC);
	sem_init(&self.written, 0, 0);
	if (self.fd < 0 || register_handler()) {
		PyErr_Clear();
		uwsgi_log(UWSGI_WARNING, "harakiri will not say where a request was: %s",
			  self.fd < 0 ? strerror(errno) : "faulthandler does not work");
		return;
	}
	sigaction(signal_number(), &action, &self.before);
	self.ready = true;
}

static bool wait_until_written(void)
{
	struct timespec until;
	int failed;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PATIENCE_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while ((failed = sem_clockwait(&self.written, CLOCK_MONOTONIC, &until)) && errno == EINTR)
		;
	return !failed;
}

/* False: its stack has not come, or not to its end. */
static bool ask(pthread_t thread)
{
	unsigned long asked = (unsigned long)thread;

	while (sem_trywait(&self.written) == 0)
		;
	if (ftruncate(self.fd, 0) == 0)
		lseek(self.fd, 0, SEEK_SET);
	atomic_store(&self.asked, asked);
	if (pthread_kill(thread, signal_number()) == 0 && wait_until_written())
		return true;
	/* A thread that has begun to write gets as long again. */
	return !atomic_compare_exchange_strong(&self.asked, &asked, NOBODY) && wait_until_written();
}

size_t where_write(void *state, char *text, size_t size)
{
	const struct lane *lane = state;

	if (!self.ready || atomic_load(&self.asked) == WRITING || !ask(lane->self))
		return 0;
	ssize_t n = pread(self.fd, text, size, 0);
	/* The first line is a heading. */
	const char *end = n > 0 ? memchr(text, '\n', (size_t)n) : NULL;

	if (!end)
		return 0;
	size_t heading = (size_t)(end + 1 - text), left = (size_t)n - heading;

	memmove(text, end + 1, left);
	while (left > 0 && text[left - 1] == '\n')
		left--;
	return left;
}
