/* SPDX-License-Identifier: MIT */
/* alarm.h: what the configuration says of alarms: what each does, and what raises it. */
#ifndef UWSGI_ALARM_H
#define UWSGI_ALARM_H

#include "base/address.h"

extern const struct option_table alarm_options;

struct alarm_settings {
	struct option_list alarms, fds, segfault, backlog;
	long long freq_s, msg_size, timeout_s;
};

/* What an alarm does when it is raised. */
enum alarm_kind { ALARM_LOG, ALARM_COMMAND, ALARM_SIGNAL, ALARM_UDP };

/* "NAME KIND:ARGUMENT".  Slices and pointers are parts of the value. */
struct alarm_what {
	struct slice name;
	enum alarm_kind kind;
	const char *argument; /* of the command: for the shell; of the log: what lines begin with */
	int signal;           /* sent to the master */
};
/* A kind that is unknown here is ALARM_LOG.  Returns -1 with the reason. */
int alarm_read(struct alarm_what *, const char *value, struct error *);

/* "NAME[,NAME…] EXPRESSION" of log-alarm: the names, and where the expression begins.  The pattern is not
 * looked at. */
int alarm_read_rule(const char *value, struct slice *names, const char **expression,
		    struct error *);
/* The next of such names.  False: there are no more. */
bool alarm_next_name(struct slice *names, struct slice *name);

/* "NAME FD[:BYTES] TEXT" of alarm-fd. */
struct alarm_fd {
	struct slice name;
	int fd;
	size_t bytes; /* how many are read when it is readable */
	const char *text;
};
int alarm_read_fd(struct alarm_fd *, const char *value, struct error *);

#endif
