/* SPDX-License-Identifier: MIT */
/* vassal.h: the process of a vassal, until it is a server of its own. */
#ifndef UWSGI_VASSAL_H
#define UWSGI_VASSAL_H

#include "process/vassals.h"

#include <sys/types.h>

struct vassal_start {
	const struct vassal *what;
	const struct config *config; /* the emperor's */
	const char *program;         /* as the emperor was called */
	const char *binary;          /* what is executed */
	int channel;
	pid_t master;
};

/* In its process, where all signals are blocked. */
_Noreturn void vassal_run(const struct vassal_start *);

#endif
