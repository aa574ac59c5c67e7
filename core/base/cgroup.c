/* SPDX-License-Identifier: MIT */
/* cgroup.c: reads the files of cgroups(7), of version 2 or of the memory controller of version 1. */
#include "base/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *limit, *used, *idle, *kills;
} files[] = {
	{ "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
	  "memory.oom_control" },
	{ "memory.max", "memory.current", "inactive_file", "memory.events" },
};

static FILE *open_in(const char *folder, const char *name)
{
	char path[600];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return fopen(path, "re");
}

/* The number behind this word, or with NULL the only one; 0: there is none, or "max". */
static uint64_t number_in(const char *folder, const char *name, const char *key)
{
	FILE *f = open_in(folder, name);
	char line[128];
	uint64_t n = 0;
	size_t length = key ? strlen(key) : 0;

	while (f && fgets(line, sizeof line, f)) {
		if (key && (strncmp(line, key, length) != 0 || line[length] != ' '))
			continue;
		n = strtoull(line + length, NULL, 10);
		break;
	}
	if (f)
		fclose(f);
	return n;
}

/* In a container the path may be that of the machine, while the root is the container's own. */
static bool try_folder(struct cgroup *c, const char *root, const char *path, bool second)
{
	const char *const paths[] = { path, "" };

	for (int i = 0; i < 2 && !c->path[0]; i++) {
		char folder[sizeof c->path];
		int n = snprintf(folder, sizeof folder, "%s%s%s", root, second ? "" : "/memory",
				 paths[i]);
		FILE *f = n < (int)sizeof folder ? open_in(folder, files[second].limit) : NULL;

		if (!f)
			continue;
		fclose(f);
		memcpy(c->path, folder, sizeof folder);
		c->second = second;
	}
	return c->path[0];
}

/* A line is NUMBER:CONTROLLERS:PATH, with no controllers for version 2. */
void cgroup_find(struct cgroup *c, const char *root, const char *membership)
{
	FILE *f = fopen(membership, "re");
	char line[512];

	*c = (struct cgroup){ 0 };
	while (f && !c->path[0] && fgets(line, sizeof line, f)) {
		char *controllers = strchr(line, ':'), *path;

		line[strcspn(line, "\n")] = '\0';
		path = controllers ? strchr(++controllers, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		if (strcmp(path, "/") == 0)
			path = "";
		if (!*controllers || strcmp(controllers, "memory") == 0)
			try_folder(c, root, path, !*controllers);
	}
	if (f)
		fclose(f);
	cgroup_has_killed(c);
}

uint64_t cgroup_limit(const struct cgroup *c)
{
	/* Version 1 says this, or a little less, for no limit. */
	const uint64_t none = UINT64_C(1) << 60;
	char path[sizeof c->path];
	uint64_t least = none;

	memcpy(path, c->path, sizeof path);
	while (path[0]) {
		uint64_t n = number_in(path, files[c->second].limit, NULL);

		least = n && n < least ? n : least;
		*strrchr(path, '/') = '\0';
		FILE *f = path[0] ? open_in(path, files[c->second].limit) : NULL;

		if (!f)
			break;
		fclose(f);
	}
	return least == none ? 0 : least;
}

uint64_t cgroup_used(const struct cgroup *c)
{
	uint64_t used, idle;

	if (!c->path[0])
		return 0;
	used = number_in(c->path, files[c->second].used, NULL);
	idle = number_in(c->path, "memory.stat", files[c->second].idle);
	return used > idle ? used - idle : 0;
}

bool cgroup_has_killed(struct cgroup *c)
{
	uint64_t before = c->oom_kills;

	if (!c->path[0])
		return false;
	c->oom_kills = number_in(c->path, files[c->second].kills, "oom_kill");
	return c->oom_kills > before;
}
