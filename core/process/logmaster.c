/* SPDX-License-Identifier: MIT */
/* logmaster.c: which of the parts of the log a configuration needs, at the start and over
 * reloads.  The master calls it; the work is done in logpipe.c, logstream.c and logfile.c. */
#include "process/logmaster.h"

#include "base/log.h"
#include "log/logging.h"

static void open_pipe(struct logmaster *m, struct logpipe *p, const struct config *cfg)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);
	struct error e;

	if ((!p->buffer && logpipe_open(p, m->loop, m->file, &e)) ||
	    logpipe_open_pipe(p, (size_t)s->buffer, &e))
		uwsgi_log(UWSGI_ERROR, "%s; each process writes its own lines", e.text);
}

static void open_pipes(struct logmaster *m, const struct config *cfg)
{
	bool lines = logstream_is_wanted(cfg, false), requests = logstream_is_wanted(cfg, true);

	if (logging_wants_pipe(cfg) || lines || requests)
		open_pipe(m, &m->lines, cfg);
	if (requests)
		open_pipe(m, &m->requests, cfg);
}

/* The master's own lines, whatever the configuration says. */
static void open_own(struct logmaster *m)
{
	struct error e;

	if (logpipe_open(&m->lines, m->loop, m->file, &e))
		uwsgi_log(UWSGI_ERROR, "%s; the master waits for its log", e.text);
	else
		logpipe_take_own(&m->lines);
}

static void use_stream(struct logpipe *p, struct logstream *stream, const struct config *cfg,
		       bool requests)
{
	logpipe_use(p, NULL);
	logstream_fini(stream);
	if (logstream_is_wanted(cfg, requests)) {
		logstream_init(stream, cfg, requests);
		logpipe_use(p, stream);
	}
}

static void use_streams(struct logmaster *m, const struct config *cfg)
{
	use_stream(&m->lines, &m->line_stream, cfg, false);
	use_stream(&m->requests, &m->request_stream, cfg, true);
}

/* ---- files that are touched ---- */

void logmaster_reopen(struct logmaster *m)
{
	logfile_reopen(m->file);
	logstream_reopen(&m->line_stream);
	logstream_reopen(&m->request_stream);
}

void logmaster_rotate(struct logmaster *m)
{
	logfile_rotate(m->file);
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

static void watch_touches(struct logmaster *m, const struct config *cfg)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);

	touch_watch(&m->touch_rotate, &s->touch_rotate);
	touch_watch(&m->touch_reopen, &s->touch_reopen);
}

/* ---- life ---- */

void logmaster_init(struct logmaster *m, struct ev_loop *loop, struct logfile *file,
		    const struct config *cfg)
{
	*m = (struct logmaster){ .loop = loop, .file = file };
	touch_init(&m->touch_rotate, loop, on_rotate_touched, m);
	touch_init(&m->touch_reopen, loop, on_reopen_touched, m);
	open_own(m);
	open_pipes(m, cfg);
	use_streams(m, cfg);
	watch_touches(m, cfg);
}

void logmaster_fini(struct logmaster *m)
{
	touch_watch(&m->touch_rotate, NULL);
	touch_watch(&m->touch_reopen, NULL);
	logpipe_close(&m->requests);
	logpipe_close(&m->lines);
	logstream_fini(&m->request_stream);
	logstream_fini(&m->line_stream);
}

void logmaster_expect(struct logmaster *m, const struct config *cfg)
{
	logfile_reload(m->file, cfg);
	logging_use(cfg);
	open_pipes(m, cfg);
}

void logmaster_use(struct logmaster *m, const struct config *cfg)
{
	use_streams(m, cfg);
	watch_touches(m, cfg);
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
