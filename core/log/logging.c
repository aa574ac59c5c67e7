/* SPDX-License-Identifier: MIT */
/* logging.c: the options of the server log, for all who need one of them: logfile.c, logmaster.c,
 * daemon.c, requestlog.c.  It opens no file and formats no request. */
#include "log/logging.h"

#include "settings/config.h"
#include "base/log.h"
#include "base/owner.h"
#include "settings/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* It sorts, unlike uWSGI's, and is the local time, as that of the lines of requests. */
#define DATE "%Y-%m-%d %H:%M:%S %z"

static int valid_mode(const char *text, struct error *e)
{
	mode_t mode;

	if (owner_mode(text, 0777, &mode) || mode == 0)
		return uwsgi_error_set(e, "expected an octal mode such as 640");
	return 0;
}

#define AT(member) offsetof(struct logging_settings, member)
static const struct option rows[] = {
	{ .name = "daemonize",
	  .letter = 'd',
	  .type = OPT_STRING,
	  .offset = AT(daemonize),
	  .unit = "FILE",
	  .help = "go on in the background and log to this file",
	  .example = "/var/log/uwsgi.log" },
	{ .name = "daemonize2",
	  .type = OPT_STRING,
	  .offset = AT(daemonize2),
	  .unit = "FILE",
	  .help = "as daemonize, but the command ends when the server serves, or with its exit "
		  "code when it cannot",
	  .example = "/var/log/uwsgi.log",
	  .differs = "what is said until then is in the file, too" },
	{ .name = "logto",
	  .type = OPT_STRING,
	  .offset = AT(logto),
	  .unit = "FILE",
	  .help = "log to this file, or to the UDP server at this host:port",
	  .example = "/var/log/uwsgi.log" },
	{ .name = "logto2",
	  .type = OPT_STRING,
	  .offset = AT(logto2),
	  .unit = "FILE",
	  .help = "as logto, but the file is opened as the user of uid and gid",
	  .example = "/var/log/myapp/uwsgi.log" },
	{ .name = "log-truncate",
	  .type = OPT_FLAG,
	  .offset = AT(truncate),
	  .initial = "false",
	  .help = "empty the log file at the start" },
	{ .name = "logfile-chmod",
	  .type = OPT_STRING,
	  .offset = AT(mode),
	  .unit = "MODE",
	  .valid = valid_mode,
	  .help = "the access mode of the log file, octal",
	  .example = "644" },
	{ .name = "logfile-chown",
	  .type = OPT_FLAG,
	  .offset = AT(chown),
	  .initial = "false",
	  .help = "give the log file to the user of uid and gid" },
	{ .name = "log-maxsize",
	  .type = OPT_SIZE,
	  .offset = AT(max_size),
	  .initial = "0",
	  .max = 1LL << 50,
	  .help = "begin a new log file when it is larger than this; 0: never",
	  .example = "100m",
	  .differs = "looks once a second, and the workers go on writing to the old file unless "
		     "log-master is set; here log-master is implied" },
	{ .name = "log-backupname",
	  .type = OPT_STRING,
	  .offset = AT(backup),
	  .unit = "FILE",
	  .help = "the name of a log file that is full, instead of its own with the time behind "
		  "it; the one before is overwritten",
	  .example = "/var/log/uwsgi.log.old" },
	{ .name = "log-reopen",
	  .type = OPT_FLAG,
	  .offset = AT(reopen),
	  .initial = "false",
	  .help = "a reload opens the log file by its name again" },
	{ .name = "touch-logrotate",
	  .type = OPT_LIST,
	  .offset = AT(touch_rotate),
	  .unit = "FILE",
	  .help = "begin a new log file whenever this file is touched",
	  .example = "/run/uwsgi/rotate" },
	{ .name = "touch-logreopen",
	  .type = OPT_LIST,
	  .offset = AT(touch_reopen),
	  .unit = "FILE",
	  .help = "open the log file by its name again whenever this file is touched",
	  .example = "/run/uwsgi/reopen" },
	{ .name = "log-master",
	  .type = OPT_FLAG,
	  .offset = AT(master),
	  .initial = "false",
	  .help = "the other processes give their lines to the master, which writes them" },
	{ .name = "threaded-logger",
	  .type = OPT_FLAG,
	  .offset = AT(thread),
	  .initial = "false",
	  .help = "as log-master",
	  .differs = "a thread of the master writes; here the master never waits for the log" },
	{ .name = "log-master-bufsize",
	  .type = OPT_SIZE,
	  .offset = AT(buffer),
	  .initial = "64k",
	  .min = 1024,
	  .max = 16 << 20,
	  .help = "how much the master takes of the lines of log-master at once; more than 128k "
		  "is the same as 128k",
	  .differs = "what is longer is cut off" },
	{ .name = "log-date",
	  .type = OPT_STRING,
	  .offset = AT(date),
	  .initial = DATE,
	  .bare = "true",
	  .unit = "FORMAT",
	  .text = true,
	  .help = "begin each line of the server with the time, as strftime(3) formats it, or "
		  "with any other text; false: with nothing, which is the default for systemd's "
		  "journal, syslog and log-encoder, since they add the time",
	  .example = "%%H:%%M:%%S",
	  .differs = "no time by default; \"false\" is a text, too; true: as Wed Nov 25 18:30:05 "
		     "2026, which it is here, too" },
	{ .name = "logdate", .same_as = "log-date" },
	{ .name = "log-prefix", .same_as = "log-date" },
	{ .name = "logger",
	  .type = OPT_LIST,
	  .offset = AT(lines.loggers),
	  .text = true,
	  .valid = sink_valid_logger,
	  .help = "send lines here: stdio, file:/path, socket:host:port, syslog, "
		  "rsyslog:host:port; a name before it is for log-route",
	  .example = "file:/var/log/uwsgi.log" },
	{ .name = "req-logger",
	  .type = OPT_LIST,
	  .offset = AT(requests.loggers),
	  .text = true,
	  .valid = sink_valid_logger,
	  .help = "as logger, for the lines of requests, which go nowhere else then",
	  .example = "file:/var/log/uwsgi-requests.log" },
	{ .name = "logger-req", .same_as = "req-logger" },
	{ .name = "log-route",
	  .type = OPT_LIST,
	  .offset = AT(lines.routes),
	  .text = true,
	  .valid = sink_valid_route,
	  .unit = "LOGGER EXPRESSION",
	  .help = "lines that match go to the logger of this name",
	  .example = "errors HTTP/1.. 5" },
	{ .name = "log-req-route",
	  .type = OPT_LIST,
	  .offset = AT(requests.routes),
	  .text = true,
	  .valid = sink_valid_route,
	  .unit = "LOGGER EXPRESSION",
	  .help = "as log-route, for the lines of requests",
	  .example = "errors HTTP/1.. 5" },
	{ .name = "log-alarm",
	  .type = OPT_LIST,
	  .offset = AT(alarms),
	  .text = true,
	  .valid = sink_valid_route,
	  .unit = "ALARM[,ALARM...] EXPRESSION",
	  .help = "lines that match raise these alarms; log-master is implied",
	  .example = "page ^Traceback" },
	{ .name = "alarm-log", .same_as = "log-alarm" },
	{ .name = "not-log-alarm",
	  .type = OPT_LIST,
	  .offset = AT(not_alarms),
	  .text = true,
	  .valid = sink_valid_route,
	  .unit = "ALARM[,ALARM...] EXPRESSION",
	  .help = "lines that match do not raise these alarms, whatever log-alarm says",
	  .example = "page BrokenPipeError" },
	{ .name = "not-alarm-log", .same_as = "not-log-alarm" },
	{ .name = "log-encoder",
	  .type = OPT_LIST,
	  .offset = AT(lines.encoders),
	  .text = true,
	  .help = "write each line as prefix, suffix, nl, format or json make it, in turn; "
		  ":name for one logger only",
	  .example = "json {\"time\": ${unix}, \"line\": \"${msg}\"}" },
	{ .name = "log-req-encoder",
	  .type = OPT_LIST,
	  .offset = AT(requests.encoders),
	  .text = true,
	  .help = "as log-encoder, for the lines of requests",
	  .example = "prefix request: ",
	  .differs = "without req-logger it has no effect" },
	{ .name = "log-syslog",
	  .type = OPT_STRING,
	  .offset = AT(lines.syslog),
	  .bare = "uwsgi",
	  .unit = "IDENT",
	  .help = "as logger = syslog:IDENT",
	  .example = "shop" },
	{ .name = "log-socket",
	  .type = OPT_LIST,
	  .offset = AT(lines.sockets),
	  .unit = "ADDRESS",
	  .help = "as logger = socket:ADDRESS",
	  .example = "127.0.0.1:1717" },
	{ .name = "rsyslog-packet-size",
	  .type = OPT_SIZE,
	  .offset = AT(packet_size),
	  .initial = "1024",
	  .min = 128,
	  .max = 65000,
	  .help = "the most that a packet of a syslog logger holds; the rest of the line is "
		  "cut off" },
	{ .name = "rsyslog-split-messages",
	  .type = OPT_FLAG,
	  .offset = AT(split),
	  .initial = "false",
	  .help = "longer lines go in several packets" },
};
#undef AT

static void check(const struct config *cfg, struct report *report)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);

	/* Within another root folder there are other files. */
	if (!uwsgi_config_thorough(report) || uwsgi_config_has(cfg, "chroot"))
		return;
	sinks_check(&s->lines, false, cfg, report);
	sinks_check(&s->requests, true, cfg, report);
}

const struct option_table logging_options = {
	.module = "log",
	.size = sizeof(struct logging_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

const char *logging_date_format(const struct config *cfg)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);

	return config_directive(cfg, "log-date") && option_boolean(s->date) < 0 ? s->date : NULL;
}

/* systemd.exec(5): standard error is the journal when it is the file of this device and inode. */
static bool goes_to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char here[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st))
		return false;
	snprintf(here, sizeof here, "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	return strcmp(stream, here) == 0;
}

/* Syslog adds the time itself, and an encoder can. */
static bool time_is_added(const struct sink_options *lines)
{
	for (size_t i = 0; i < lines->loggers.count; i++)
		if (strstr(lines->loggers.items[i], "syslog"))
			return true;
	return lines->encoders.count > 0 || lines->syslog;
}

void logging_use(const struct config *cfg)
{
	const struct logging_settings *s = cfg ? uwsgi_options(cfg, &logging_options) : NULL;

	if (!cfg || !config_directive(cfg, "log-date"))
		log_set_date(goes_to_journal() || (s && time_is_added(&s->lines)) ? NULL : DATE);
	else if (option_boolean(s->date) > 0)
		log_set_date("%a %b %e %H:%M:%S %Y");
	else
		log_set_date(logging_date_format(cfg));
}

bool logging_wants_pipe(const struct logging_settings *s)
{
	return s->master || s->thread || s->max_size > 0 || s->touch_rotate.count > 0 ||
	       s->touch_reopen.count > 0 || s->alarms.count > 0 || sinks_are_wanted(&s->lines) ||
	       sinks_are_wanted(&s->requests);
}

mode_t logging_mode(const struct logging_settings *s)
{
	mode_t mode = 0;

	if (s->mode)
		owner_mode(s->mode, 0777, &mode);
	return mode;
}
