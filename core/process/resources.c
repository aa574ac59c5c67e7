/* SPDX-License-Identifier: MIT */
/* resources.c: sets limits, priority and affinity as the configuration says.  The entry calls it
 * for all processes, a zygote for its own and its workers', a worker for itself. */
#include "process/resources.h"

#include "work/lane.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct resources_settings {
	long long descriptors, address_space_mb, processes, priority, processors;
};

#define AT(member) offsetof(struct resources_settings, member)
static const struct option rows[] = {
	{ .name = "max-fd",
	  .type = OPT_INT,
	  .offset = AT(descriptors),
	  .initial = "0",
	  .max = 1LL << 30,
	  .help = "how many descriptors each process may have open; 0: as many as the system "
		  "allows",
	  .example = "65536" },
	{ .name = "limit-as",
	  .type = OPT_INT,
	  .offset = AT(address_space_mb),
	  .initial = "0",
	  .max = 1LL << 30,
	  .unit = "MB",
	  .help = "the most address space that a worker may have; 0: no limit",
	  .example = "2048" },
	{ .name = "limit-nproc",
	  .type = OPT_INT,
	  .offset = AT(processes),
	  .initial = "0",
	  .max = 1LL << 30,
	  .help = "how many processes and threads the user may have; 0: no limit",
	  .example = "500" },
	{ .name = "prio",
	  .type = OPT_INT,
	  .offset = AT(priority),
	  .initial = "0",
	  .min = -20,
	  .max = 19,
	  .help = "the scheduling priority of the workers, from -20 (before others) to 19",
	  .example = "10" },
	{ .name = "cpu-affinity",
	  .type = OPT_INT,
	  .offset = AT(processors),
	  .initial = "0",
	  .max = CPU_SETSIZE,
	  .help = "bind each worker to so many processors, one worker's behind the other's; 0: "
		  "the kernel chooses",
	  .example = "1" },
};
#undef AT

const struct option_table resources_options = {
	.module = "resources",
	.size = sizeof(struct resources_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

/* The soft limit, mostly 1024, is for programs that use select(2); this one does not. */
static void set_descriptors(const struct resources_settings *s)
{
	rlim_t wanted = (rlim_t)s->descriptors;
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now))
		return;
	if (wanted == 0)
		wanted = now.rlim_max;
	if (setrlimit(RLIMIT_NOFILE,
		      &(struct rlimit){ wanted, wanted > now.rlim_max ? wanted : now.rlim_max }) ==
	    0)
		return;
	uwsgi_log(UWSGI_WARNING, "max-fd = %lld: %s; the system allows %llu", s->descriptors,
		  strerror(errno), (unsigned long long)now.rlim_max);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ now.rlim_max, now.rlim_max });
}

void resources_set_descriptors(const struct config *cfg)
{
	long long most = lane_max_connections(cfg);
	struct rlimit now;

	set_descriptors(uwsgi_options(cfg, &resources_options));
	if (getrlimit(RLIMIT_NOFILE, &now))
		return;
	uint64_t limit = now.rlim_cur, reserve = (uint64_t)room_reserve(limit);

	if ((uint64_t)most > limit - reserve)
		uwsgi_log(
			UWSGI_WARNING,
			"max-connections = %lld: there is room for %llu, as a process may have %llu "
			"descriptors open (max-fd), of which %llu are left to the application",
			most, (unsigned long long)(limit - reserve), (unsigned long long)limit,
			(unsigned long long)reserve);
}

/* A limit that only root may raise stays where it is, below what is asked for. */
static void set_limit(const char *option, int resource, long long value, int shift)
{
	rlim_t limit = (rlim_t)value << shift;
	struct rlimit now;

	if (value == 0 || !setrlimit(resource, &(struct rlimit){ limit, limit }))
		return;
	int why = errno;
	getrlimit(resource, &now);
	uwsgi_log(UWSGI_WARNING, "%s = %lld: %s; it stays %llu", option, value, strerror(why),
		  (unsigned long long)now.rlim_cur >> shift);
}

void resources_set_limits(const struct config *cfg)
{
	const struct resources_settings *s = uwsgi_options(cfg, &resources_options);

	set_limit("limit-as", RLIMIT_AS, s->address_space_mb, 20);
	set_limit("limit-nproc", RLIMIT_NPROC, s->processes, 0);
	if (s->priority && setpriority(PRIO_PROCESS, 0, (int)s->priority))
		uwsgi_log(UWSGI_WARNING, "prio = %lld: %s; it stays %d", s->priority,
			  strerror(errno), getpriority(PRIO_PROCESS, 0));
}

void resources_set_processors(const struct config *cfg, int worker)
{
	const struct resources_settings *s = uwsgi_options(cfg, &resources_options);
	long there = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	if (s->processors == 0 || there < 1)
		return;
	CPU_ZERO(&set);
	for (long long i = 0; i < s->processors; i++)
		CPU_SET((size_t)(((worker - 1) * s->processors + i) % there), &set);
	if (sched_setaffinity(0, sizeof set, &set))
		uwsgi_log(UWSGI_WARNING, "cpu-affinity = %lld: %s", s->processors, strerror(errno));
}
