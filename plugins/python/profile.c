/* SPDX-License-Identifier: MIT */
/* profile.c: looks at the lanes that run a request, again and again.  For a look the GIL is needed, so
 * a lane is seen where it gives that up: when it waits for something, or, when another thread has
 * waited for the switch interval, between two of its bytecodes.  With Python's interval of 5 ms all that
 * takes less would be seen at its end only, so it is made shorter meanwhile. */
#include "internal.h"

#include <poll.h>
#include <sys/prctl.h>

/* Seconds.  Where no other thread is, the interval concerns this one only.  Others would take the GIL
 * from one another as often, which costs where they want it at the same time: there it stays as it is. */
#define ALONE_S 5e-6
#define AMONG_OTHERS_S 200e-6
#define AS_IT_IS_S 1.

/* Nobody holds the GIL who gives it up within that time. */
enum { HELD_NS = 100000 };

/* Whoever waits wakes up once an interval until it has the GIL.  Where the machine is busy and who holds
 * it has no processor, that is often: so the interval follows what of this thread's time goes there. */
struct pace {
	int64_t step_ns, due_ns;
	int64_t left; /* looks */
	double alone_s;
	int64_t waited_ns; /* processor time of the last wait */
	double held;       /* how often the GIL was held by somebody, 0 to 1, of late */
};

static int64_t read_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t now_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
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

/* A quarter of a percent of the processor is enough. */
static void set_interval(struct pace *pace, bool alone)
{
	if (pace->waited_ns > pace->step_ns / 400 && pace->alone_s * 2 <= AMONG_OTHERS_S)
		pace->alone_s *= 2;
	else if (pace->waited_ns < pace->step_ns / 1600 && pace->alone_s / 2 >= ALONE_S)
		pace->alone_s /= 2;
	if (alone && count_lanes() <= 1)
		interval_set(pace->alone_s);
	else
		interval_set(pace->held < 0.5 ? AMONG_OTHERS_S : AS_IT_IS_S);
}

/* Gives the GIL up meanwhile.  How often what is seen now counts: while the GIL was not to be had, the
 * lanes stood where they are.  Looks that this thread has missed for want of a processor are passed over.
 * 0: the profile ends before. */
static int wait_for_turn(struct pace *pace, int fd)
{
	int64_t woke_ns, before_ns;
	bool goes_on;

	Py_BEGIN_ALLOW_THREADS;
	goes_on = wait_until(pace->due_ns, fd);
	woke_ns = now_ns();
	before_ns = read_ns(CLOCK_THREAD_CPUTIME_ID);
	Py_END_ALLOW_THREADS;
	pace->waited_ns = read_ns(CLOCK_THREAD_CPUTIME_ID) - before_ns;
	int64_t wait_ns = now_ns() - woke_ns, times = 1 + wait_ns / pace->step_ns;
	int64_t passed = (now_ns() - pace->due_ns) / pace->step_ns + 1;

	pace->held += ((wait_ns > HELD_NS) - pace->held) / 16;
	pace->due_ns += passed * pace->step_ns;
	times = times < pace->left ? times : pace->left;
	pace->left -= passed;
	return goes_on ? (int)times : 0;
}

void profile_run(struct folded *seen, const struct order *order, int fd)
{
	struct pace pace = { .step_ns = 1000000000 / order->hz,
			     .left = order->seconds * order->hz,
			     .alone_s = ALONE_S };
	bool alone = true;
	int times;

	prctl(PR_SET_TIMERSLACK, 1);
	pace.due_ns = now_ns() + pace.step_ns;
	for (int turn = 0; pace.left > 0; turn++) {
		if (turn % order->hz == 0)
			alone = count_threads() <= 1;
		set_interval(&pace, alone);
		times = wait_for_turn(&pace, fd);
		if (times == 0)
			break;
		look(seen, (unsigned)times);
	}
	interval_restore();
}
