/* SPDX-License-Identifier: MIT */
/* status.h: a command that shows what a running server does. */
#ifndef UWSGI_ENTRY_STATUS_H
#define UWSGI_ENTRY_STATUS_H

#include "work/loader.h"

/* pidfile NULL: none was named.  The exit code. */
int status_show(struct loader *, const char *pidfile, enum show_form);

#endif
