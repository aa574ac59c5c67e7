/* SPDX-License-Identifier: MIT */
/* logmaster.c: which of the parts of the log a configuration needs, at the start and over
 * reloads.  The master calls it; the work is done in logpipe.c, which tells the way of a line, in
 * sink.c and in logfile.c. */
#include "process/logmaster.h"

#include "log/logging.h"

static void open_pipes(struct logmaster *m, const struct logging_settings *s)
{
	struct error e;

	if (sinks_are_wanted(&s->requests) && !m->requests.loop)
		logpipe_open(&m->requests, m->loop, m->file);
	if ((logging_wants_pipe(s) && logpipe_open_pipe(&m->lines, (size_t)s->buffer, &e)) ||
	    (m->requests.loop && logpipe_open_pipe(&m->requests, (size_t)s->buffer, &e)))
		uwsgi_log(UWSGI_ERROR, "%s; each process writes its own lines", e.text);
}

static void use_sinks(const struct logging_settings *s, struct logpipe *p, struct sinks **sinks,
		      const struct sink_options *wanted)
{
	struct sinks *before = *sinks;

	*sinks = sinks_new(wanted, wanted == &s->requests, (size_t)s->packet_size, s->split);
	logpipe_use(p, *sinks);
	sinks_free(before);
}

/* ---- files that are touched ---- */

void logmaster_rotate(struct logmaster *m)
{
	logfile_rotate(m->file);
}

void logmaster_reopen(struct logmaster *m)
{
	logfile_reopen(m->file);
	sinks_reopen(m->line_sinks);
	sinks_reopen(m->request_sinks);
}

static void on_rotate_touched(void *data, const char *file)
{
	(void)file;
	logmaster_rotate(data);
}

static void on_reopen_touched(void *data, const char *file)
{
	(void)file;
	logmaster_reopen(data);
}

/* ---- life ---- */

void logmaster_carry(struct logmaster *m, struct carry *c)
{
	logpipe_carry(&m->lines, c);
	logpipe_carry(&m->requests, c);
	touch_carry(&m->touch_rotate, c);
	touch_carry(&m->touch_reopen, c);
}

void logmaster_init(struct logmaster *m, struct ev_loop *loop, struct logfile *file,
		    const struct config *cfg)
{
	m->loop = loop;
	m->file = file;
	touch_init(&m->touch_rotate, loop, on_rotate_touched, m);
	touch_init(&m->touch_reopen, loop, on_reopen_touched, m);
	logpipe_open(&m->lines, loop, file);
	logpipe_take_own(&m->lines);
	open_pipes(m, uwsgi_options(cfg, &logging_options));
	logmaster_use(m, cfg);
}

void logmaster_fini(struct logmaster *m)
{
	touch_watch(&m->touch_rotate, NULL);
	touch_watch(&m->touch_reopen, NULL);
	logpipe_close(&m->requests);
	logpipe_close(&m->lines);
	sinks_free(m->request_sinks);
	sinks_free(m->line_sinks);
}

void logmaster_expect(struct logmaster *m, const struct config *cfg)
{
	logfile_reload(m->file, cfg);
	logging_use(cfg);
	open_pipes(m, uwsgi_options(cfg, &logging_options));
}

void logmaster_use(struct logmaster *m, const struct config *cfg)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);

	use_sinks(s, &m->lines, &m->line_sinks, &s->lines);
	use_sinks(s, &m->requests, &m->request_sinks, &s->requests);
	touch_watch(&m->touch_rotate, &s->touch_rotate);
	touch_watch(&m->touch_reopen, &s->touch_reopen);
}

void logmaster_show(struct logmaster *m, void (*seen)(void *data, struct slice line), void *data)
{
	logpipe_show(&m->lines, seen, data);
}

void logmaster_enter_child(struct logmaster *m)
{
	logpipe_enter_child(&m->lines);
	logpipe_enter_child_for_requests(&m->requests);
}

void logmaster_drain(struct logmaster *m)
{
	logpipe_drain(&m->requests);
	logpipe_drain(&m->lines);
}
