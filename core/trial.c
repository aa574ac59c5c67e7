/* SPDX-License-Identifier: MIT */
/* trial.c: what a zygote does until it would serve, in a process that then ends.  Called by
 * --check-app. */
#include "trial.h"

#include "privileges.h"
#include "zygote.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int import(const struct config *cfg, const struct app *app, const char *start_folder,
		  struct error *e)
{
	const struct worker_settings *s = uwsgi_options(cfg, &worker_options);
	const struct worker_info info = { .processes = (int)s->processes,
					  .threads = (int)s->threads,
					  .master = getppid() };

	if ((privileges_when(cfg) != PRIVILEGES_AFTER_IMPORT && privileges_give_up(cfg, e)) ||
	    zygote_prepare(cfg, app, &info, start_folder, e))
		return -1;
	return app->load(cfg, e);
}

static _Noreturn void try_it(const struct config *cfg, const struct app *app,
			     const char *start_folder)
{
	struct error e;

	if (import(cfg, app, start_folder, &e)) {
		uwsgi_log(UWSGI_ERROR, "%s", e.text);
		_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

int trial_import(const struct config *cfg, const struct app *app, const char *start_folder,
		 long long timeout_s, struct error *e)
{
	int alive[2], status = 0;

	if (pipe(alive))
		return uwsgi_error_set(e, "pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0)
		try_it(cfg, app, start_folder);
	close(alive[1]);
	if (pid < 0) {
		close(alive[0]);
		return uwsgi_error_set(e, "cannot fork: %s", strerror(errno));
	}
	/* The child's end of the pipe closes with it. */
	struct pollfd p = { .fd = alive[0], .events = POLLIN };
	bool late = poll(&p, 1, (int)(timeout_s * 1000)) == 0;

	close(alive[0]);
	if (late)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (late)
		return uwsgi_error_set(e, "the application is not imported after %lld s",
				       timeout_s);
	return status == 0 ? 0 : uwsgi_error_set(e, "the application cannot be imported");
}
