/* SPDX-License-Identifier: MIT */
/* attached.h: what the configuration says of programs that run beside the server. */
#ifndef UWSGI_ATTACHED_H
#define UWSGI_ATTACHED_H

#include <uwsgi/plugin.h>

extern const struct option_table attached_options;

/* One program.  Strings point into `text`; NULL: the option does not say. */
struct attached {
	char *text;          /* owned: the option's value, cut into strings */
	size_t size;         /* of the text */
	const char *command; /* for the shell, or the action of a hook */
	bool is_action;      /* the command is the action of a hook */
	const char *folder, *user, *group, *touch;
	/* Of a program that goes on when the server ends: the file with its pid, read every freq_s. */
	const char *pidfile;
	long long freq_s;
	bool daemonizes; /* the server sends it to the background and writes the pidfile */
	bool control;    /* the server ends with it */
	bool has_stdin;  /* it reads the server's standard input, and not /dev/null */
	int stop_signal, reload_signal; /* 0: a reload starts it anew */
	long long longest_delay_s;      /* before it is started again; 0: any */
};

/* All, those of one option in the order of the file; *count of them.  Owned by the caller, each to be
 * freed by attached_fini(); NULL: there are none, or no memory, which the log says. */
struct attached *attached_find(const struct config *, size_t *count);
void attached_fini(struct attached *);
/* Whether both were written in the same words. */
bool attached_is_same(const struct attached *, const struct attached *);

#endif
