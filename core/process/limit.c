/* SPDX-License-Identifier: MIT */
/* limit.c: the rules by which a worker has to go: time and memory.  The master observes, asks
 * here, and acts. */
#include "process/limit.h"

#include "base/log.h"

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
	{ .name = "reload-on-uss",
	  .type = OPT_INT,
	  .offset = AT(reload_on_uss_mb),
	  .initial = "0",
	  .max = 1LL << 40,
	  .unit = "MB",
	  .help = "replace a worker whose memory that only it holds grew past this; 0: never" },
	{ .name = "reload-on-pss",
	  .type = OPT_INT,
	  .offset = AT(reload_on_pss_mb),
	  .initial = "0",
	  .max = 1LL << 40,
	  .unit = "MB",
	  .help = "replace a worker whose share of memory grew past this; 0: never" },
	{ .name = "evil-reload-on-as",
	  .type = OPT_INT,
	  .offset = AT(evil_reload_on_as_mb),
	  .initial = "0",
	  .max = 1LL << 40,
	  .unit = "MB",
	  .help = "kill a worker whose address space grew past this, and with it what it is doing; "
		  "0: never" },
	{ .name = "evil-reload-on-rss",
	  .type = OPT_INT,
	  .offset = AT(evil_reload_on_rss_mb),
	  .initial = "0",
	  .max = 1LL << 40,
	  .unit = "MB",
	  .help = "kill a worker whose resident memory grew past this, and with it what it is "
		  "doing; 0: never" },
	{ .name = "max-worker-lifetime",
	  .type = OPT_SECONDS,
	  .offset = AT(max_lifetime_s),
	  .initial = "0",
	  .max = 86400LL * 365,
	  .help = "replace a worker that has served for so long; 0: never" },
	{ .name = "max-worker-lifetime-delta",
	  .type = OPT_SECONDS,
	  .offset = AT(max_lifetime_delta_s),
	  .initial = "0",
	  .max = 86400LL * 365,
	  .help = "add this, times the worker's number, to max-worker-lifetime, so that not all "
		  "are replaced at once" },
	{ .name = "min-worker-lifetime",
	  .type = OPT_SECONDS,
	  .offset = AT(min_lifetime_s),
	  .initial = "0",
	  .max = 86400LL * 365,
	  .help = "replace no worker before it has served for so long",
	  .differs =
		  "the default is 60; here a worker that dies young again and again is delayed" },
	{ .name = "reload-mercy",
	  .type = OPT_SECONDS,
	  .offset = AT(reload_mercy_s),
	  .initial = "60",
	  .max = 86400,
	  .help = "how long a worker may take to finish its requests and the threads of its "
		  "application when the server reloads or stops" },
	{ .name = "worker-reload-mercy",
	  .type = OPT_SECONDS,
	  .offset = AT(worker_mercy_s),
	  .initial = "60",
	  .max = 86400,
	  .help = "how long a worker may take to finish its requests and the threads of its "
		  "application when it is replaced" },
	{ .name = "reload-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(reload_timeout_s),
	  .initial = "60",
	  .min = 1,
	  .max = 86400,
	  .help = "how long a reload may take until all its workers accept requests; then it is given "
		  "up, and the old one goes on serving. A single worker that takes longer, and more "
		  "than twice as long as another one did, is killed and started again",
	  .differs = "there is no such option" },
};
#undef AT

const struct option_table limits_options = {
	.module = "limits",
	.size = sizeof(struct limits_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

static const struct memory_limit {
	const char *option;
	size_t limit_mb, measured; /* offsets into settings and memory */
	const char *before, *after;
	enum limits_verdict verdict;
	bool share; /* the kernel has to look at every page for it */
} memory_limits[] = {
#define LIMIT(member) offsetof(struct limits_settings, member)
#define MEASURED(member) offsetof(struct memory, member)
	{ "evil-reload-on-rss", LIMIT(evil_reload_on_rss_mb), MEASURED(resident), "it holds",
	  " of memory", LIMITS_KILL, false },
	{ "evil-reload-on-as", LIMIT(evil_reload_on_as_mb), MEASURED(address_space),
	  "its address space is", "", LIMITS_KILL, false },
	{ "reload-on-rss", LIMIT(reload_on_rss_mb), MEASURED(resident), "it holds", " of memory",
	  LIMITS_REPLACE, false },
	{ "reload-on-as", LIMIT(reload_on_as_mb), MEASURED(address_space), "its address space is",
	  "", LIMITS_REPLACE, false },
	{ "reload-on-uss", LIMIT(reload_on_uss_mb), MEASURED(own), "it alone holds", " of memory",
	  LIMITS_REPLACE, true },
	{ "reload-on-pss", LIMIT(reload_on_pss_mb), MEASURED(share), "its share of memory is", "",
	  LIMITS_REPLACE, true },
#undef LIMIT
#undef MEASURED
};
enum { MEMORY_LIMITS = sizeof memory_limits / sizeof *memory_limits };

static long long limit_of(const struct limits_settings *s, const struct memory_limit *m)
{
	return *(const long long *)((const char *)s + m->limit_mb);
}

bool limits_need_memory(const struct limits_settings *s)
{
	for (size_t i = 0; i < MEMORY_LIMITS; i++)
		if (limit_of(s, &memory_limits[i]) > 0)
			return true;
	return false;
}

bool limits_need_shares(const struct limits_settings *s)
{
	return s->reload_on_uss_mb > 0 || s->reload_on_pss_mb > 0;
}

bool limits_need_age(const struct limits_settings *s)
{
	return s->max_lifetime_s > 0 || s->min_lifetime_s > 0;
}

static enum limits_verdict judge_memory(const struct limits_settings *s, const struct observed *o,
					struct error *why)
{
	for (size_t i = 0; i < MEMORY_LIMITS; i++) {
		const struct memory_limit *m = &memory_limits[i];
		uint64_t mb = *(const uint64_t *)((const char *)&o->memory + m->measured) >> 20;
		long long limit = limit_of(s, m);

		if (limit <= 0 || mb < (uint64_t)limit)
			continue;
		uwsgi_error_set(why, "%s %llu MB%s (%s %lld)", m->before, (unsigned long long)mb,
				m->after, m->option, limit);
		return m->verdict;
	}
	return LIMITS_STAY;
}

static enum limits_verdict judge_age(const struct limits_settings *s, const struct observed *o,
				     struct error *why)
{
	long long limit = s->max_lifetime_s + s->max_lifetime_delta_s * o->worker;

	if (o->exhausted) {
		uwsgi_error_set(why, "it has asked to be, and min-worker-lifetime is over");
		return LIMITS_REPLACE;
	}
	if (s->max_lifetime_s == 0 || o->age_ms / 1000 < limit)
		return LIMITS_STAY;
	uwsgi_error_set(why, "it has served for %lld s (max-worker-lifetime %lld)",
			(long long)(o->age_ms / 1000), limit);
	return LIMITS_REPLACE;
}

/* What the client wrote must not break the line. */
static void tell_overdue(const struct observed *o, struct error *why)
{
	char text[512];
	struct logline l;

	logline_init(&l, text, sizeof text);
	logline_untrusted(&l, o->method);
	logline_text(&l, SLICE(" "));
	logline_untrusted(&l, o->uri);
	uwsgi_error_set(why, "%.*s ran %lld s (harakiri %lld)", (int)l.n, text,
			(long long)(o->ran_ms / 1000),
			(long long)((o->ran_ms - o->overdue_ms + 500) / 1000));
}

enum limits_verdict limits_judge(const struct limits_settings *s, const struct observed *o,
				 struct error *why)
{
	enum limits_verdict verdict = LIMITS_STAY;

	if (o->overdue_ms > 0) {
		tell_overdue(o, why);
		return LIMITS_KILL;
	}
	/* One that is too large before its first request would be replaced for ever. */
	if (o->requests > 0)
		verdict = judge_memory(s, o, why);
	if (verdict == LIMITS_STAY)
		verdict = judge_age(s, o, why);
	return verdict == LIMITS_REPLACE && limits_is_young(s, o->age_ms) ? LIMITS_STAY : verdict;
}

bool limits_is_young(const struct limits_settings *s, int64_t age_ms)
{
	return age_ms < s->min_lifetime_s * 1000;
}
