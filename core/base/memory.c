/* SPDX-License-Identifier: MIT */
/* memory.c: reads /proc.  The master asks of workers, a worker of itself. */
#include "base/memory.h"

#include <stdio.h>
#include <unistd.h>

struct memory memory_of(pid_t pid)
{
	unsigned long long size = 0, resident = 0;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct memory m = { 0 };
	char path[64];

	snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return m;
	if (fscanf(f, "%llu %llu", &size, &resident) == 2)
		m = (struct memory){ .address_space = size * page, .resident = resident * page };
	fclose(f);
	return m;
}

void memory_add_shares(struct memory *m, pid_t pid)
{
	char path[64], line[128];
	unsigned long long kib;

	snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "Pss: %llu", &kib) == 1)
			m->share = kib << 10;
		else if (sscanf(line, "Private_Clean: %llu", &kib) == 1 ||
			 sscanf(line, "Private_Dirty: %llu", &kib) == 1)
			m->own += kib << 10;
	}
	fclose(f);
}

uint64_t memory_available(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	while (f && fgets(line, sizeof line, f) && sscanf(line, "MemAvailable: %llu", &kib) != 1)
		;
	if (f)
		fclose(f);
	return kib << 10;
}
