/* SPDX-License-Identifier: MIT */
/* announce.h: what others learn of the server's life: the log, whoever has started it with
 * daemonize2, the commands that asked for a reload, the service manager. */
#ifndef UWSGI_ANNOUNCE_H
#define UWSGI_ANNOUNCE_H

#include "process/allegiance.h"
#include "process/cause.h"
#include "process/drain.h"
#include "process/generation.h"
#include "process/notify.h"
#include "process/outcome.h"

struct announcer {
	int starter; /* a byte is written to it when the server serves; -1: nobody waits */
	struct notify notify;
	bool daemonized;
	bool has_served;
	struct allegiance *emperor; /* the one that has started this server */
	char remark[256];           /* for those who asked for the reload under way; "": none */
	struct outcomes outcomes;
	bool holds;        /* nobody is told yet that the server serves */
	struct error held; /* what is told then, or "" */
};

void announce_importing(struct announcer *);
/* As the generation's zygote says. */
void announce_imported(const struct generation *, const struct message *);
/* A signal asks for a reload.  False: the same one did before. */
bool announce_asked(struct announcer *, const struct cause *);
void announce_reload(struct announcer *, const struct cause *);
void announce_reload_queued(const struct cause *);
/* Workers are replaced one after the other; the end of it: done so many, and why no more; "": all. */
void announce_chain_reload(struct announcer *, const struct cause *);
void announce_chain_reloaded(struct announcer *, int done, const char *why);
/* The reload is done by this program, and not by the new one that there is. */
void announce_old_program(struct announcer *, const char *why);
/* The reload that is under way, or could not begin. */
void announce_reload_failed(struct announcer *, const char *why);
/* Those who wait for the start wait on, until announce_release(). */
void announce_hold(struct announcer *);
void announce_release(struct announcer *);
/* replaces: another one has served until now. */
void announce_serving(struct announcer *, const struct generation *, bool replaces);
/* The drain's settings: NULL: it accepts no more. */
void announce_stopping(struct announcer *, const struct cause *, const struct drain_settings *,
		       long long mercy_s);
/* exit-on-reload: what was asked for is done. */
void announce_stopping_instead(struct announcer *);
/* Asked too late. */
void announce_is_stopping(struct announcer *);
void announce_failed_start(struct announcer *, const char *why);
/* To another program. */
void announce_carry(struct announcer *, struct carry *);
/* In a child, which announces nothing. */
void announce_enter_child(struct announcer *);

#endif
