/* SPDX-License-Identifier: MIT */
/* memory.h: how much memory a process holds, as the kernel counts it. */
#ifndef UWSGI_MEMORY_H
#define UWSGI_MEMORY_H

#include "plugin.h"

struct memory {
	uint64_t address_space, resident; /* bytes */
};

/* All zero when the process is gone. */
struct memory memory_of(pid_t);

#endif
