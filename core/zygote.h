/* SPDX-License-Identifier: MIT */
/* zygote.h: the process that has imported the application once and of which the workers of its
 * generation are forked. */
#ifndef UWSGI_ZYGOTE_H
#define UWSGI_ZYGOTE_H

#include "worker.h"

struct zygote_setup {
	struct worker_setup worker; /* what a worker gets; slot, id and channel are filled in */
	const char *start_folder;
	int channel; /* to the master */
};

/* In the child that the master has forked for it; does not return. */
_Noreturn void zygote_run(const struct zygote_setup *);

#endif
