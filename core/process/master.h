/* SPDX-License-Identifier: MIT */
/* master.h: the process that owns sockets, signals and children, and nothing else.  It never
 * runs code of the application. */
#ifndef UWSGI_MASTER_H
#define UWSGI_MASTER_H

#include "settings/config.h"
#include "wire/listener.h"
#include "work/loader.h"
#include "log/logfile.h"
#include "process/allegiance.h"
#include "process/cause.h"
#include "process/notify.h"
#include "process/pidfile.h"

/* What the entry has prepared; constant but for the first configuration and its listeners,
 * which the master takes over. */
struct master_setup {
	const struct invocation *invocation; /* read again for each reload */
	struct loader *loader;
	/* Reads the configuration, and loads the plugins that it needs.  NULL: the report has an
	 * error. */
	struct config *(*load)(const struct invocation *, struct loader *, struct report *);
	struct logfile *log;
	struct pidfiles *pidfiles;
	struct listeners passed; /* open before the start; the first listeners have them, too */
	struct notify notify;
	pid_t started; /* whom the service manager has started: the master, unless it daemonized */
	void (*hello)(const struct master_setup *); /* says what was started */
	struct allegiance emperor;                  /* who has started this server as a vassal */
	const char *binary;                         /* what vassals of this server execute */
	/* What the program has left whose place this one takes; NULL: the server starts. */
	struct carry *taken;
	struct cause cause; /* … and why it was replaced */
	int served;         /* a byte is written to it when the server serves; -1: nobody waits */
	struct config *config;
	struct listeners listeners;
};

extern const struct option_table master_options;

struct master_settings {
	bool vacuum, exit_on_reload;
};

/* Serves until it is told to stop; returns the exit code. */
int master_run(struct master_setup *);
/* Whether this program could go on with `taken`: does all of it that changes nothing.  Returns -1 with the
 * reason. */
int master_rehearse(struct master_setup *, struct error *);

#endif
