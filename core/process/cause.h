/* SPDX-License-Identifier: MIT */
/* cause.h: why the master reloads or stops, and how its children end, in words for the log. */
#ifndef UWSGI_CAUSE_H
#define UWSGI_CAUSE_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/signalfd.h>

struct cause {
	char text[256];
	uint64_t ticket; /* the value that came with a queued signal; 0: none */
};

/* Which signal, and from whom: "SIGHUP from pid 812 (systemd), user root".  The sender may be gone
 * by now; nothing here waits for a name service. */
struct cause cause_of_signal(const struct signalfd_siginfo *);
/* Anything else: one sentence, without its full stop. */
struct cause cause_of(const char *text);
/* "exit code 3", "killed by signal 9 (Killed)". */
void cause_of_end(const siginfo_t *, char *text, size_t size);

#endif
