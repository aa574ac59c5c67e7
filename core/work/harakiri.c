/* SPDX-License-Identifier: MIT */
/* harakiri.c: the options of a request's deadline.  watchdog.c sees to it, and the master where a
 * worker's watchdog cannot. */
#include "work/harakiri.h"

#include "base/signalname.h"

#include <stdio.h>

static int valid_signal(const char *text, struct error *e)
{
	int number;

	return signalname_read(text, &number, e);
}

#define AT(member) offsetof(struct harakiri_settings, member)
static const struct option rows[] = {
	{ .name = "harakiri",
	  .letter = 't',
	  .type = OPT_SPAN,
	  .offset = AT(limit_ms),
	  .initial = "0",
	  .max = 86400LL * 365 * 1000,
	  .example = "60",
	  .help = "give up a request that runs longer than this: its client gets 504, the log says "
		  "where it was, and its worker is replaced; 0: never",
	  .differs = "one deadline for all threads of a worker, which is killed at once with all "
		     "that they run; the client gets no answer; whole seconds only" },
	{ .name = "harakiri-verbose",
	  .type = OPT_FLAG,
	  .offset = AT(verbose),
	  .initial = "false",
	  .help = "when harakiri strikes, log where in the kernel the thread is" },
	{ .name = "harakiri-no-arh",
	  .type = OPT_FLAG,
	  .offset = AT(ends_early),
	  .initial = "false",
	  .help = "what an application does after its answer, in close(), does not count for "
		  "harakiri" },
	{ .name = "no-harakiri-arh", .same_as = "harakiri-no-arh" },
	{ .name = "no-harakiri-after-req-hook", .same_as = "harakiri-no-arh" },
	{ .name = "harakiri-queue-threshold",
	  .type = OPT_INT,
	  .offset = AT(queue_threshold),
	  .initial = "0",
	  .max = 1 << 20,
	  .help = "harakiri lets a request run on as long as no more connections than this wait to "
		  "be accepted; 0: it does not" },
	{ .name = "harakiri-graceful-timeout",
	  .type = OPT_SPAN,
	  .offset = AT(graceful_ms),
	  .initial = "0",
	  .max = 86400LL * 1000,
	  .help = "when the time of a request is over, send its worker a signal, and wait this long "
		  "before harakiri strikes; 0: strike at once" },
	{ .name = "harakiri-graceful-signal",
	  .type = OPT_STRING,
	  .offset = AT(signal),
	  .initial = "TERM",
	  .unit = "SIGNAL",
	  .valid = valid_signal,
	  .help = "the signal of harakiri-graceful-timeout: TERM has the worker replaced, and what "
		  "the application handles it may use to say more",
	  .example = "USR2" },
};
#undef AT

const struct option_table harakiri_options = {
	.module = "harakiri",
	.size = sizeof(struct harakiri_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

bool harakiri_is_wanted(const struct config *cfg)
{
	const struct harakiri_settings *s = uwsgi_options(cfg, &harakiri_options);

	return s->limit_ms > 0 || uwsgi_config_has_action(cfg, SLICE("harakiri"));
}

int harakiri_signal(const struct harakiri_settings *s)
{
	int number = 0;
	struct error e;

	signalname_read(s->signal, &number, &e);
	return number;
}

/* One line of a file of /proc about the thread; root may be needed to see more than "0". */
static void log_proc(const char *who, pid_t process, pid_t thread, const char *name)
{
	char path[96], text[256] = "";

	snprintf(path, sizeof path, "/proc/%ld/task/%ld/%s", (long)process, (long)thread, name);
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(text, sizeof text, f))
		uwsgi_log(UWSGI_NOTE, "%s: %s: %.*s", who, name, (int)strcspn(text, "\n"), text);
	fclose(f);
}

void harakiri_log_kernel(const char *who, pid_t process, pid_t thread)
{
	log_proc(who, process, thread, "wchan");
	log_proc(who, process, thread, "syscall");
}

const char *harakiri_text(int64_t ms, char text[HARAKIRI_TEXT])
{
	snprintf(text, HARAKIRI_TEXT, ms % 1000 ? "%.10g" : "%.0f", (double)ms / 1000);
	return text;
}
