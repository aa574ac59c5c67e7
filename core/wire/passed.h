/* SPDX-License-Identifier: MIT */
/* passed.h: listening sockets that somebody else has opened: the service manager, who passes them on by
 * the protocol of sd_listen_fds(3), or the program whose place this one takes. */
#ifndef UWSGI_PASSED_H
#define UWSGI_PASSED_H

#include "base/carry.h"
#include "wire/listener.h"

/* All of them, non-blocking and closed on exec; none is an empty set.  Takes LISTEN_FDS, LISTEN_PID
 * and LISTEN_FDNAMES out of the environment.  To be called before anything is opened.  The set is
 * for listeners_open(), as what is open already; its items are the caller's to free.  Returns -1
 * with the reason when one is not a listening stream socket. */
int passed_take(struct listeners *, struct error *);
/* All of a generation, to another program.  What is read is for listeners_open(), too: the settings
 * say what the sockets are for. */
void passed_carry(struct listeners *, struct carry *);

#endif
