/* SPDX-License-Identifier: MIT */
/* memory.h: how much memory a process holds, as the kernel counts it. */
#ifndef UWSGI_MEMORY_H
#define UWSGI_MEMORY_H

#include <uwsgi/plugin.h>

struct memory {
	uint64_t address_space, resident; /* bytes */
	uint64_t own, share; /* private pages; and shared ones divided by those who share them */
};

/* All zero when the process is gone; own and share are zero. */
struct memory memory_of(pid_t);
/* Fills in own and share, for which the kernel looks at every page. */
void memory_add_shares(struct memory *, pid_t);

/* Bytes that the machine has for a new process without swapping; 0: not known. */
uint64_t memory_available(void);

/* As people say it. */
static inline long long memory_mb(uint64_t bytes)
{
	return (long long)(bytes >> 20);
}

#endif
