/* SPDX-License-Identifier: MIT */
/* profile.c: looks at the lanes that run a request, again and again.  For a look the GIL is needed, so
 * a lane is seen where it gives that up: when it waits for something, or, when another thread has
 * waited for the switch interval, between two of its bytecodes.  With Python's interval of 5 ms all that
 * takes less would be seen at its end only, so it is made shorter meanwhile. */
#include "internal.h"

#include <poll.h>
#include <sys/prctl.h>

/* Seconds.  Where no other thread is, the interval concerns this one only.  Others would take the GIL
 * from one another as often, which costs. */
#define ALONE_S 5e-6
#define AMONG_OTHERS_S 1e-3

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* False: the profile ends before. */
static bool wait_until(int64_t due_ns, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left_ns = due_ns - now_ns();
	struct timespec left = { 0 };

	if (left_ns > 0)
		left = (struct timespec){ left_ns / 1000000000, left_ns % 1000000000 };
	return ppoll(&p, 1, &left, NULL) <= 0;
}

static void look(struct folded *seen, unsigned times)
{
	for (const struct lane *lane = crash_lanes(); lane; lane = lane->next)
		if (lane->rq)
			folded_add(seen, lane, times);
}

/* Threads that Python code runs in, or waits in. */
static Py_ssize_t count_threads(void)
{
	PyObject *get = PySys_GetObject("_current_frames"); /* borrowed */
	int was_on = compat_pause_collector();
	PyObject *frames = get ? PyObject_CallObject(get, NULL) : NULL;
	Py_ssize_t n = frames ? PyDict_Size(frames) : 0;

	Py_XDECREF(frames);
	compat_resume_collector(was_on);
	PyErr_Clear();
	return n;
}

static int count_lanes(void)
{
	int n = 0;

	for (const struct lane *lane = crash_lanes(); lane; lane = lane->next)
		n += !atomic_load_explicit(&lane->state, memory_order_relaxed);
	return n;
}

void profile_run(struct folded *seen, const struct order *order, int fd)
{
	const int64_t step_ns = 1000000000 / order->hz;
	int64_t due_ns = now_ns() + step_ns;
	int left = order->seconds * order->hz;
	bool alone = true, goes_on = true;

	prctl(PR_SET_TIMERSLACK, 1);
	for (int turn = 0; left > 0; turn++) {
		if (turn % order->hz == 0)
			alone = count_threads() <= 1;
		interval_set(alone && count_lanes() <= 1 ? ALONE_S : AMONG_OTHERS_S);
		Py_BEGIN_ALLOW_THREADS;
		goes_on = wait_until(due_ns, fd);
		Py_END_ALLOW_THREADS;
		if (!goes_on)
			break;
		/* While the GIL was not to be had, the lanes stood where they are now. */
		int64_t times = 1 + (now_ns() - due_ns) / step_ns;

		times = times < left ? times : left;
		look(seen, (unsigned)times);
		left -= (int)times;
		due_ns += times * step_ns;
	}
	interval_restore();
}
