/* SPDX-License-Identifier: MIT */
/* limit.c: the rules by which a worker has to go: time and memory.  The master observes, asks
 * here, and acts. */
#include "limit.h"

#include <stddef.h>

#define AT(member) offsetof(struct limits_settings, member)
static const struct option rows[] = {
	{ .name = "reload-on-as",
	  .type = OPT_INT,
	  .offset = AT(reload_on_as_mb),
	  .initial = "0",
	  .max = 1LL << 40,
	  .unit = "MB",
	  .help = "replace a worker whose address space grew past this; 0: never" },
	{ .name = "reload-on-rss",
	  .type = OPT_INT,
	  .offset = AT(reload_on_rss_mb),
	  .initial = "0",
	  .max = 1LL << 40,
	  .unit = "MB",
	  .help = "replace a worker whose resident memory grew past this; 0: never" },
	{ .name = "harakiri-verbose",
	  .type = OPT_FLAG,
	  .offset = AT(harakiri_verbose),
	  .initial = "false",
	  .help = "when harakiri ends a worker, log where in the kernel it was" },
	{ .name = "reload-mercy",
	  .type = OPT_SECONDS,
	  .offset = AT(reload_mercy_s),
	  .initial = "60",
	  .max = 86400,
	  .help = "how long a worker may take to finish its requests when the server reloads or "
		  "stops" },
	{ .name = "worker-reload-mercy",
	  .type = OPT_SECONDS,
	  .offset = AT(worker_mercy_s),
	  .initial = "60",
	  .max = 86400,
	  .help = "how long a worker may take to finish its requests when it is replaced" },
	{ .name = "reload-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(reload_timeout_s),
	  .initial = "60",
	  .min = 1,
	  .max = 86400,
	  .help = "how long a reload may take to import the application; then it is given up and "
		  "the old one goes on serving" },
};
#undef AT

const struct option_table limits_options = {
	.module = "limits",
	.size = sizeof(struct limits_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

bool limits_need_memory(const struct limits_settings *s)
{
	return s->reload_on_as_mb > 0 || s->reload_on_rss_mb > 0;
}

static bool above(uint64_t bytes, long long mb)
{
	return mb > 0 && bytes >> 20 >= (uint64_t)mb;
}

enum verdict limits_judge(const struct limits_settings *s, const struct observed *o,
			  struct error *why)
{
	if (o->overdue_ms > 0) {
		uwsgi_error_set(why, "%s %s ran %lld s (harakiri %lld)", o->method, o->uri,
				(long long)(o->ran_ms / 1000),
				(long long)((o->ran_ms - o->overdue_ms + 500) / 1000));
		return LIMITS_KILL;
	}
	/* One that is too large before its first request would be replaced for ever. */
	if (o->requests == 0)
		return LIMITS_STAY;
	if (above(o->memory.resident, s->reload_on_rss_mb)) {
		uwsgi_error_set(why, "it holds %llu MB of memory (reload-on-rss %lld)",
				(unsigned long long)(o->memory.resident >> 20),
				s->reload_on_rss_mb);
		return LIMITS_REPLACE;
	}
	if (above(o->memory.address_space, s->reload_on_as_mb)) {
		uwsgi_error_set(why, "its address space is %llu MB (reload-on-as %lld)",
				(unsigned long long)(o->memory.address_space >> 20),
				s->reload_on_as_mb);
		return LIMITS_REPLACE;
	}
	return LIMITS_STAY;
}
