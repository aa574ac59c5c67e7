/* SPDX-License-Identifier: MIT */
/* signalname.h: a signal as a configuration names it. */
#ifndef UWSGI_SIGNALNAME_H
#define UWSGI_SIGNALNAME_H

#include <uwsgi/plugin.h>

/* "15", "TERM" or "SIGTERM", in any case of letters.  Returns -1 with the reason. */
int signalname_read(const char *text, int *number, struct error *);

#endif
