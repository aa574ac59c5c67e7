/* SPDX-License-Identifier: MIT */
/* announce.c: each step of the server's life in one function, with all who are told of it.  Nothing
 * here decides anything, and nothing waits for a reader. */
#include "process/announce.h"

#include "base/clock.h"
#include "work/worker.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void announce_importing(struct announcer *a)
{
	notify_status(&a->notify, "importing the application");
}

void announce_imported(const struct generation *g, const struct message *m)
{
	const struct worker_settings *s = uwsgi_options(g->config, &worker_options);

	if (m->text[0])
		uwsgi_log(UWSGI_ERROR, "%s; every request is answered with 500", m->text);
	else if (s->lazy_apps)
		uwsgi_log(UWSGI_NOTE,
			  "interpreter ready in %lld ms (pid %ld); each worker imports "
			  "the application itself",
			  (long long)m->value, (long)g->zygote);
	else
		uwsgi_log(UWSGI_NOTE, "application imported in %lld ms (pid %ld)",
			  (long long)m->value, (long)g->zygote);
}

bool announce_asked(struct announcer *a, const struct cause *cause)
{
	return outcome_ask(&a->outcomes, cause->ticket);
}

void announce_reload(struct announcer *a, const struct cause *cause)
{
	uwsgi_log(UWSGI_NOTE,
		  "%s: reload: reading the configuration again and importing the application "
		  "beside the one that serves",
		  cause->text);
	outcome_begin(&a->outcomes);
	notify_reloading(&a->notify, "serving, and importing the application again");
}

void announce_reload_queued(const struct cause *cause)
{
	uwsgi_log(UWSGI_NOTE, "%s: a reload is in progress; another follows when it is done",
		  cause->text);
}

void announce_chain_reload(struct announcer *a, const struct cause *cause)
{
	uwsgi_log(UWSGI_NOTE,
		  "%s: chain reload: one worker after the other imports the application again",
		  cause->text);
	notify_reloading(&a->notify, "serving, and replacing one worker after the other");
}

static void tell_starter(struct announcer *a)
{
	if (a->starter < 0)
		return;
	if (write(a->starter, "", 1) != 1)
		uwsgi_log(UWSGI_NOTE, "the process that started the server no longer waits for it");
	close(a->starter);
	a->starter = -1;
}

static void tell_ready(struct announcer *a, const struct error *status)
{
	a->held = *status;
	if (a->holds)
		return;
	notify_ready(&a->notify, a->daemonized, status->text);
	tell_starter(a);
}

void announce_hold(struct announcer *a)
{
	a->holds = true;
}

void announce_release(struct announcer *a)
{
	const struct error status = a->held;

	a->holds = false;
	tell_ready(a, &status);
}

void announce_chain_reloaded(struct announcer *a, int done, const char *why)
{
	struct error status;

	if (*why) {
		uwsgi_log(UWSGI_ERROR,
			  "chain reload given up after %d worker%s: %s; the others serve on as "
			  "they are",
			  done, done == 1 ? "" : "s", why);
		uwsgi_error_set(&status, "serving; the last chain reload was given up: %s", why);
	} else {
		uwsgi_error_set(&status, "chain reload: %d worker%s replaced", done,
				done == 1 ? " is" : "s are");
		uwsgi_log(UWSGI_NOTE, "%s", status.text);
	}
	tell_ready(a, &status);
}

void announce_old_program(struct announcer *a, const char *why)
{
	uwsgi_log(UWSGI_ERROR,
		  "the new program does not take over: %s; the old one goes on, and reloads the "
		  "application itself",
		  why);
	snprintf(a->remark, sizeof a->remark, "the new program does not take over: %.200s", why);
}

void announce_reload_failed(struct announcer *a, const char *why)
{
	struct error status;

	uwsgi_log(UWSGI_ERROR, "reload given up: %s; the old generation goes on serving", why);
	outcome_end(&a->outcomes, OUTCOME_FAILED, why);
	a->remark[0] = '\0';
	allegiance_fail(a->emperor, why);
	uwsgi_error_set(&status, "%s; the last reload was given up: %s",
			a->has_served ? "serving" : "starting", why);
	if (a->has_served)
		tell_ready(a, &status);
	else
		notify_status(&a->notify, status.text);
}

static void tell_emperor(struct announcer *a, const struct listeners *all)
{
	char address[80];

	for (size_t i = 0; i < all->count; i++) {
		const struct listener *l = &all->items[i];

		if (!l->service || strcmp(l->option, "inspect") != 0)
			continue;
		snprintf(address, sizeof address, "%.64s%s%.8s", l->text.address,
			 *l->text.port ? ":" : "", l->text.port);
		allegiance_serve(a->emperor, address);
		return;
	}
	allegiance_serve(a->emperor, NULL);
}

void announce_serving(struct announcer *a, const struct generation *g, bool replaces)
{
	const struct roster *r = &g->roster;
	int serving = roster_serving(r, false), missing = roster_wanted(r) - serving;
	char others[48] = "";
	struct error what;

	if (missing)
		snprintf(others, sizeof others, "; %d more do%s not yet", missing,
			 missing == 1 ? "es" : "");
	if (!roster_wanted(r) && !g->is_bare)
		snprintf(others, sizeof others, "; %s",
			 g->elastic.paused ? "the server is paused"
					   : "they start when a client connects");
	if (g->is_bare)
		uwsgi_error_set(&what, "%s: an emperor, without an application of its own,",
				replaces ? "reloaded" : "serving");
	else
		uwsgi_error_set(&what, "%s: %d worker%s × %zu thread%s accept requests",
				replaces ? "reloaded" : "serving", serving, serving == 1 ? "" : "s",
				g->scoreboard.lanes, g->scoreboard.lanes == 1 ? "" : "s");
	uwsgi_log(UWSGI_NOTE, "%s after %lld ms%s", what.text,
		  (long long)(clock_monotonic_ms() - g->began_ms), others);
	/* The first one is nobody's reload, even when it is ready only while one is under way. */
	if (g->number > 1) {
		outcome_end(&a->outcomes, OUTCOME_DONE, a->remark);
		a->remark[0] = '\0';
	}
	a->has_served = true;
	tell_ready(a, &what);
	tell_emperor(a, &g->listeners);
}

void announce_stopping(struct announcer *a, const struct cause *cause,
		       const struct drain_settings *d, long long mercy_s)
{
	long long most_s = mercy_s;
	struct error why;

	if (d)
		most_s += d->delay_s + (long long)d->on_drain.count * d->timeout_s;
	if (d && d->delay_s)
		uwsgi_log(UWSGI_NOTE,
			  "%s: stopping; new connections are served for %lld s more (drain-delay), "
			  "then running requests have %lld s to finish",
			  cause->text, d->delay_s, mercy_s);
	else
		uwsgi_log(UWSGI_NOTE, "%s: stopping; running requests have %lld s to finish",
			  cause->text, mercy_s);
	uwsgi_error_set(&why, "the server is stopping (%s)", cause->text);
	outcome_end_all(&a->outcomes, OUTCOME_FAILED, why.text);
	uwsgi_error_set(&why, "stopping (%s); running requests are finished", cause->text);
	notify_stopping(&a->notify, why.text, most_s);
}

void announce_stopping_instead(struct announcer *a)
{
	outcome_end_all(&a->outcomes, OUTCOME_DONE, "");
}

void announce_is_stopping(struct announcer *a)
{
	outcome_end_all(&a->outcomes, OUTCOME_FAILED, "the server is stopping");
}

void announce_failed_start(struct announcer *a, const char *why)
{
	struct error status;

	uwsgi_log(UWSGI_ERROR, "cannot start: %s", why);
	outcome_end_all(&a->outcomes, OUTCOME_FAILED, why);
	uwsgi_error_set(&status, "cannot start: %s", why);
	notify_stopping(&a->notify, status.text, 0);
}

void announce_carry(struct announcer *a, struct carry *c)
{
	carry_fd(c, &a->starter);
	notify_carry(&a->notify, c);
	carry_fd(c, &a->emperor->fd);
	carry_bool(c, &a->daemonized);
	carry_bool(c, &a->has_served);
	outcomes_carry(&a->outcomes, c);
}

void announce_enter_child(struct announcer *a)
{
	notify_close(&a->notify);
	if (a->emperor->fd >= 0)
		close(a->emperor->fd);
	if (a->starter >= 0)
		close(a->starter);
}
