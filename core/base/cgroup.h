/* SPDX-License-Identifier: MIT */
/* cgroup.h: the memory that the control group of this process may have, has, and was killed for. */
#ifndef UWSGI_CGROUP_H
#define UWSGI_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup {
	char path[512];     /* of its folder; empty: none is known */
	bool second;        /* version 2 */
	uint64_t oom_kills; /* as cgroup_has_killed() has seen them last */
};

/* root: where cgroup file systems are mounted, /sys/fs/cgroup; membership: a file such as
 * /proc/self/cgroup.  One that cannot be found says nothing, and is never asked again. */
void cgroup_find(struct cgroup *, const char *root, const char *membership);
/* Bytes: the least that it and the groups around it may have; 0: there is no limit. */
uint64_t cgroup_limit(const struct cgroup *);
/* Bytes that it has, without files that the kernel could forget at once; 0: not known. */
uint64_t cgroup_used(const struct cgroup *);
/* Whether the kernel has killed a process of it for want of memory since this was asked last, or since
 * it was found. */
bool cgroup_has_killed(struct cgroup *);

#endif
