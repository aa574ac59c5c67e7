/* SPDX-License-Identifier: MIT */
/* zygote.h: the process that has imported the application once and of which the workers of its
 * generation are forked. */
#ifndef UWSGI_ZYGOTE_H
#define UWSGI_ZYGOTE_H

#include "work/worker.h"

struct zygote_setup {
	struct worker_setup worker; /* what a worker gets; slot, id and channel are filled in */
	const char *start_folder;
	int channel; /* to the master */
};

/* What surrounds the application, with the right user already: limits, folder, variables. */
int zygote_prepare(const struct config *, const char *start_folder, struct error *);
/* In the child that the master has forked for it; does not return. */
_Noreturn void zygote_run(const struct zygote_setup *);

#endif
