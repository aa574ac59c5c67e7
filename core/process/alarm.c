/* SPDX-License-Identifier: MIT */
/* alarm.c: the options of alarms, and the words in their values.  What is done with them is alarms.c's.
 * log-alarm stands with the options of the log. */
#include "process/alarm.h"

#include "base/signalname.h"
#include "base/slice.h"
#include "settings/catalogue.h"
#include "settings/config.h"

#include <signal.h>
#include <stdlib.h>

/* ---- one alarm ---- */

static const struct kind {
	const char *name;
	enum alarm_kind kind;
	bool is_here;
} kinds[] = {
	{ "cmd", ALARM_COMMAND, true },   { "log", ALARM_LOG, true },
	{ "signal", ALARM_SIGNAL, true }, { "udp", ALARM_UDP, true },
	{ "mule", ALARM_LOG, false },     { "curl", ALARM_LOG, false },
	{ "xmpp", ALARM_LOG, false },     { "speech", ALARM_LOG, false },
};

/* Whether it means something to the master. */
static bool is_for_master(int signal)
{
	static const int signals[] = {
		SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGTTIN, SIGTTOU
	};

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (signal == signals[i])
			return true;
	return false;
}

/* Numbers are those of uWSGI's own signals. */
static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static const struct kind *find_kind(struct slice name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (slice_is(name, kinds[i].name))
			return &kinds[i];
	return NULL;
}

static int read_argument(struct alarm_what *a, struct error *e)
{
	struct address to;

	if (a->kind == ALARM_COMMAND && !*a->argument)
		return uwsgi_error_set(e, "expected cmd:COMMAND");
	if (a->kind == ALARM_UDP && address_parse(&to, a->argument, e))
		return -1;
	if (a->kind == ALARM_UDP && to.sa.ss_family == AF_UNIX)
		return uwsgi_error_set(e, "expected udp:HOST:PORT");
	if (a->kind != ALARM_SIGNAL || is_number(a->argument))
		return 0;
	if (signalname_read(a->argument, &a->signal, e))
		return -1;
	return is_for_master(a->signal)
		       ? 0
		       : uwsgi_error_set(e, "expected signal:HUP, TERM, INT, QUIT, USR1, TTIN "
					    "or TTOU, a signal to the master");
}

int alarm_read(struct alarm_what *a, const char *value, struct error *e)
{
	size_t n = strcspn(value, " "), after = n + strspn(value + n, " ");
	const char *kind = value + after, *colon = strchr(kind, ':');
	struct slice kind_name = { kind, colon ? (size_t)(colon - kind) : strlen(kind) };
	const struct kind *found = find_kind(kind_name);

	if (n == 0 || !*kind)
		return uwsgi_error_set(e, "expected NAME KIND:ARGUMENT");
	if (!found)
		return uwsgi_error_set(e,
				       "there is no alarm of the kind \"%.*s\"; expected cmd, "
				       "log, signal or udp",
				       (int)kind_name.n, kind_name.p);
	*a = (struct alarm_what){ .name = { value, n },
				  .kind = found->kind,
				  .argument = colon ? colon + 1 : "" };
	if (read_argument(a, e))
		return -1;
	if (!found->is_here || (a->kind == ALARM_SIGNAL && !a->signal))
		*a = (struct alarm_what){ .name = a->name, .kind = ALARM_LOG, .argument = "" };
	return 0;
}

/* ---- what raises it ---- */

int alarm_read_rule(const char *value, struct slice *names, const char **expression,
		    struct error *e)
{
	size_t n = strcspn(value, " ");

	*names = (struct slice){ value, n };
	*expression = value + n + (value[n] == ' ');
	return n && **expression ? 0 : uwsgi_error_set(e, "expected NAME[,NAME...] EXPRESSION");
}

bool alarm_next_name(struct slice *names, struct slice *name)
{
	while (names->n) {
		const char *comma = memchr(names->p, ',', names->n);

		*name = (struct slice){ names->p, comma ? (size_t)(comma - names->p) : names->n };
		names->p += name->n + (comma != NULL);
		names->n -= name->n + (comma != NULL);
		if (name->n)
			return true;
	}
	return false;
}

int alarm_read_fd(struct alarm_fd *f, const char *value, struct error *e)
{
	size_t n = strcspn(value, " ");
	char *end = NULL;
	long fd = value[n] ? strtol(value + n + 1, &end, 10) : -1, bytes = 1;

	if (end && *end == ':')
		bytes = strtol(end + 1, &end, 10);
	if (!n || !end || *end != ' ' || !end[1] || fd < 0 || fd > 1 << 20 || bytes < 1 ||
	    bytes > 4096)
		return uwsgi_error_set(e, "expected NAME FD[:BYTES] TEXT");
	*f = (struct alarm_fd){ { value, n }, (int)fd, (size_t)bytes, end + 1 };
	return 0;
}

/* ---- options ---- */

static int valid_alarm(const char *value, struct error *e)
{
	struct alarm_what a;

	return alarm_read(&a, value, e);
}

static int valid_fd(const char *value, struct error *e)
{
	struct alarm_fd f;

	return alarm_read_fd(&f, value, e);
}

#define AT(member) offsetof(struct alarm_settings, member)
static const struct option rows[] = {
	{ .name = "alarm",
	  .type = OPT_LIST,
	  .offset = AT(alarms),
	  .text = true,
	  .valid = valid_alarm,
	  .unit = "NAME KIND:ARGUMENT",
	  .help = "an alarm of this name: cmd:COMMAND runs this for the shell, with the text on its "
		  "standard input; log: writes it to the log; udp:HOST:PORT sends it there; "
		  "signal:HUP sends the master this signal",
	  .example = "page cmd:mail -s uwsgi ops@example.com",
	  .differs =
		  "has mule and, as plugins, curl, xmpp and speech, whose texts go to the log here, "
		  "and signal:NUMBER for its own signals; has no udp" },
	{ .name = "alarm-freq",
	  .type = OPT_SECONDS,
	  .offset = AT(freq_s),
	  .initial = "3",
	  .max = 86400,
	  .help = "raise each alarm at most once within this time; what comes meanwhile is collected "
		  "and goes out together",
	  .differs = "only drops the same text again" },
	{ .name = "alarm-msg-size",
	  .type = OPT_SIZE,
	  .offset = AT(msg_size),
	  .initial = "8192",
	  .min = 64,
	  .max = UWSGI_ALARM_MAX,
	  .help = "the longest text of an alarm" },
	{ .name = "alarm-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(timeout_s),
	  .initial = "30",
	  .min = 1,
	  .max = 86400,
	  .help = "how long the command of an alarm may run until it is killed",
	  .differs = "does not have it: a command runs for ever" },
	{ .name = "alarm-fd",
	  .type = OPT_LIST,
	  .offset = AT(fds),
	  .text = true,
	  .valid = valid_fd,
	  .unit = "NAME FD[:BYTES] TEXT",
	  .help = "raise the alarm with this text when a descriptor that the server was started with "
		  "is readable; so many bytes are read then (1; 8 for an eventfd)",
	  .example = "page 7:8 somebody calls" },
	{ .name = "segfault-alarm",
	  .type = OPT_LIST,
	  .offset = AT(segfault),
	  .unit = "NAME",
	  .help = "raise the alarm when a process of the server crashes: by SEGV, BUS, ILL, FPE or ABRT",
	  .example = "page",
	  .differs = "raises it in the process that crashes, with the addresses of its functions" },
	{ .name = "alarm-segfault", .same_as = "segfault-alarm" },
	{ .name = "alarm-backlog",
	  .type = OPT_LIST,
	  .offset = AT(backlog),
	  .unit = "NAME",
	  .help = "raise the alarm when the queue of a socket is full, or has turned connections away "
		  "(TCP): looked at once a second",
	  .example = "page" },
	{ .name = "backlog-alarm", .same_as = "alarm-backlog" },
	{ .name = "lq-alarm", .same_as = "alarm-backlog" },
	{ .name = "alarm-lq", .same_as = "alarm-backlog" },
	{ .name = "listen-queue-alarm", .same_as = "alarm-backlog" },
	{ .name = "alarm-listen-queue", .same_as = "alarm-backlog" },
};
#undef AT

static bool is_defined(const struct alarm_settings *s, struct slice name, size_t before)
{
	struct alarm_what a;
	struct error e;

	for (size_t i = 0; i < before; i++)
		if (alarm_read(&a, s->alarms.items[i], &e) == 0 && uwsgi_same(a.name, name))
			return true;
	return false;
}

/* Whether values of this option begin with names of alarms. */
static bool begins_with_names(const struct config *cfg, const char *option)
{
	static const char *const options[] = { "log-alarm", "not-log-alarm", "segfault-alarm",
					       "alarm-fd", "alarm-backlog" };
	struct option_at at;
	bool known = catalogue_find(config_catalogue(cfg), option, &at);

	for (size_t i = 0; known && i < sizeof options / sizeof *options; i++)
		if (!strcmp(at.row->name, options[i]))
			return true;
	return false;
}

static void check_names(const struct config *cfg, struct report *report, size_t i,
			const char *value)
{
	const struct alarm_settings *s = uwsgi_options(cfg, &alarm_options);
	struct slice names = { value, strcspn(value, " ") }, name;

	while (alarm_next_name(&names, &name))
		if (!is_defined(s, name, s->alarms.count))
			uwsgi_config_doubt_at(cfg, report, UWSGI_ERROR, i,
					      "there is no alarm \"%.*s\"; define it with alarm = "
					      "%.*s cmd:COMMAND",
					      (int)name.n, name.p, (int)name.n, name.p);
}

/* before: how many were defined above. */
static void check_alarm(const struct config *cfg, struct report *report, size_t i,
			const char *value, size_t before)
{
	const struct alarm_settings *s = uwsgi_options(cfg, &alarm_options);
	struct alarm_what a;
	struct error e;

	if (alarm_read(&a, value, &e))
		return;
	const char *kind = value + a.name.n + strspn(value + a.name.n, " ");

	if (a.kind == ALARM_LOG && strncmp(kind, "log", 3) != 0)
		uwsgi_config_doubt_at(cfg, report, UWSGI_WARNING, i,
				      "this kind is not supported yet: what the alarm says goes to "
				      "the log");
	if (is_defined(s, a.name, before))
		uwsgi_config_doubt_at(cfg, report, UWSGI_WARNING, i,
				      "there is an alarm of this name before, which counts");
}

static void check(const struct config *cfg, struct report *report)
{
	const char *name, *value;
	size_t alarms = 0;

	for (size_t i = 0; uwsgi_config_next(cfg, &i, &name, &value);) {
		if (begins_with_names(cfg, name))
			check_names(cfg, report, i, value);
		if (!strcmp(name, "alarm"))
			check_alarm(cfg, report, i, value, alarms++);
	}
}

const struct option_table alarm_options = {
	.module = "alarms",
	.size = sizeof(struct alarm_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};
