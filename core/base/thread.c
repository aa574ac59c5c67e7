/* SPDX-License-Identifier: MIT */
/* thread.c: threads beside those of the server's own loops. */
#include <uwsgi/plugin.h>

#include <signal.h>

/* Of what the thread itself has done, not of the process. */
static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS };

int uwsgi_thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
	sigset_t all, before;
	pthread_t unnamed;

	sigfillset(&all);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(thread ? thread : &unnamed, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!failed && !thread)
		pthread_detach(unnamed);
	return failed;
}
