/* SPDX-License-Identifier: MIT */
/* command.c: the commands of the command line that do not serve.  main() calls them. */
#include "entry/command.h"

#include "base/clock.h"
#include "settings/option.h"
#include "process/outcome.h"
#include "process/pidfile.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A second signal that comes before the first was seen is merged with it, and its ticket is lost:
 * so a command asks again when nobody has said that the reload is under way. */
enum { ASK_AGAIN_MS = 1000, ASKS = 3 };
/* Whoever waits longer than that is told for what. */
enum { PATIENCE_MS = 5000 };

/* One command that waits. */
struct errand {
	const char *name; /* "--stop" */
	struct found_master master;
	int64_t began_ms, until_ms;
	bool waits, told;
};

static int fail(const struct errand *a, const char *why)
{
	fprintf(stderr, "%s: %s\n", a->name, why);
	return EXIT_FAILURE;
}

static int parse_wait(const char *text, long long *seconds, struct error *e)
{
	static const struct option row = { .name = "wait", .type = OPT_SECONDS, .max = 86400 };

	return option_store(&row, seconds, row.name, text, NULL, e) == OPTION_STORED ? 0 : -1;
}

static int begin(struct errand *a, const char *name, const char *pidfile, const char *wait,
		 struct error *e)
{
	long long seconds = 0;

	*a = (struct errand){ .name = name, .began_ms = clock_monotonic_ms(), .waits = wait };
	if (wait && parse_wait(wait, &seconds, e))
		return -1;
	a->until_ms = a->began_ms + seconds * 1000;
	return pidfile_find_master(pidfile, &a->master, e);
}

/* Until one of the two can be read, or a time.  Says once what takes so long. */
static void wait_for(struct errand *a, struct pollfd *what, nfds_t count, int64_t until_ms,
		     const char *doing)
{
	int64_t now_ms = clock_monotonic_ms();

	if (!a->told && now_ms - a->began_ms >= PATIENCE_MS) {
		a->told = true;
		fprintf(stderr, "%s: process %ld %s; waiting %lld s more at most\n", a->name,
			(long)a->master.pid, doing, (long long)(a->until_ms - now_ms) / 1000);
	}
	if (!a->told && until_ms > a->began_ms + PATIENCE_MS)
		until_ms = a->began_ms + PATIENCE_MS;
	int timeout_ms = until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
	poll(what, count, timeout_ms);
}

int command_stop(const char *pidfile, const char *wait)
{
	struct errand a;
	struct error e;

	if (begin(&a, "--stop", pidfile, wait, &e) || pidfile_signal(&a.master, SIGINT, 0, &e))
		return fail(&a, e.text);
	struct pollfd end = { .fd = a.master.pidfd, .events = POLLIN };
	while (a.waits && !end.revents) {
		wait_for(&a, &end, 1, a.until_ms, "is still ending");
		if (!end.revents && clock_monotonic_ms() >= a.until_ms) {
			uwsgi_error_set(&e,
					"process %ld has not ended after %s s; its log says why",
					(long)a.master.pid, wait);
			return fail(&a, e.text);
		}
	}
	return EXIT_SUCCESS;
}

/* ---- reload ---- */

struct reload {
	struct errand a;
	uint64_t ticket;
	int fd, asks;
	int64_t ask_at_ms;
	bool under_way;
};

static int ask(struct reload *r, struct error *e)
{
	r->asks++;
	r->ask_at_ms = clock_monotonic_ms() + ASK_AGAIN_MS;
	return pidfile_signal(&r->a.master, SIGHUP, r->ticket, e);
}

/* The exit code; -1: not known yet. */
static int look(struct reload *r, const struct pollfd *end, struct error *e)
{
	switch (outcome_read(r->fd, r->a.master.pid, e)) {
	case OUTCOME_DONE:
		if (*e->text)
			fprintf(stderr, "%s: done, but %s\n", r->a.name, e->text);
		return EXIT_SUCCESS;
	case OUTCOME_FAILED:
		return fail(&r->a, e->text);
	case OUTCOME_UNDER_WAY:
		r->under_way = true;
		return -1;
	case OUTCOME_NONE:
		break;
	}
	return end->revents ? fail(&r->a, "the server has ended; its log says why") : -1;
}

/* Whether the process has not got to the signal yet, being busy or stopped. */
static bool is_pending(pid_t pid, int number)
{
	unsigned long long pending = 0;
	char path[64], line[256];

	snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "ShdPnd: %llx", &pending) == 1)
			break;
	if (f)
		fclose(f);
	return pending >> (number - 1) & 1;
}

/* What is due when nothing was said. */
static int nudge(struct reload *r, const char *wait, struct error *e)
{
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms >= r->a.until_ms) {
		uwsgi_error_set(e, "not done after %s s; the log of the server says how it goes",
				wait);
		return fail(&r->a, e->text);
	}
	if (r->under_way || now_ms < r->ask_at_ms)
		return -1;
	if (is_pending(r->a.master.pid, SIGHUP)) {
		r->ask_at_ms = now_ms + ASK_AGAIN_MS;
		return -1;
	}
	if (r->asks < ASKS)
		return ask(r, e) ? fail(&r->a, e->text) : -1;
	/* It has another network, for example, where the name of our socket is unknown. */
	fprintf(stderr, "%s: process %ld does not say how the reload goes; its log does\n",
		r->a.name, (long)r->a.master.pid);
	return EXIT_SUCCESS;
}

static int wait_for_outcome(struct reload *r, const char *wait, struct error *e)
{
	struct pollfd what[] = { { .fd = r->fd, .events = POLLIN },
				 { .fd = r->a.master.pidfd, .events = POLLIN } };
	int code = -1;

	while (code < 0) {
		bool asks = !r->under_way && r->ask_at_ms < r->a.until_ms;

		wait_for(&r->a, what, 2, asks ? r->ask_at_ms : r->a.until_ms,
			 r->under_way ? "is still importing the application"
				      : "has not got to the signal yet");
		code = what[0].revents || what[1].revents ? look(r, &what[1], e)
							  : nudge(r, wait, e);
	}
	return code;
}

int command_reload(const char *pidfile, const char *wait)
{
	struct reload r = { .fd = -1 };
	struct error e;

	if (begin(&r.a, "--reload", pidfile, wait, &e) ||
	    (wait && (r.fd = outcome_listen(&r.ticket, &e)) < 0) || ask(&r, &e))
		return fail(&r.a, e.text);
	return wait ? wait_for_outcome(&r, wait, &e) : EXIT_SUCCESS;
}

int command_version(void)
{
	printf("uwsgi %s\n", UWSGI_VERSION);
	return EXIT_SUCCESS;
}
