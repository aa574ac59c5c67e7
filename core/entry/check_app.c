/* SPDX-License-Identifier: MIT */
/* check_app.c: what a zygote does until it would serve, in a process that then ends.  Called by
 * --check-app. */
#include "entry/check_app.h"

#include "base/clock.h"
#include "process/privileges.h"
#include "base/stray.h"
#include "process/zygote.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int import(const struct config *cfg, const struct app *app, const char *start_folder,
		  struct error *e)
{
	const struct worker_settings *s = uwsgi_options(cfg, &worker_options);
	const struct worker_info info = { .processes = (int)s->processes,
					  .threads = (int)s->threads,
					  .master = getppid() };
	const struct stray_sockets none = { .channel = -1, .queues = { -1, -1, -1, -1 } };

	/* What the import forks ends with this process, and says nothing in its name. */
	if (stray_init(e) || stray_begin(&none, e) ||
	    (privileges_when(cfg) != PRIVILEGES_AFTER_IMPORT && privileges_give_up(cfg, e)) ||
	    zygote_prepare(cfg, start_folder, e) || app->init(cfg, &info, e))
		return -1;
	return app->load(cfg, e);
}

static _Noreturn void import_and_end(const struct config *cfg, const struct app *app,
				     const char *start_folder)
{
	struct error e;

	if (import(cfg, app, start_folder, &e)) {
		uwsgi_log(UWSGI_ERROR, "%s", e.text);
		_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

/* False: it still runs. */
static bool wait_for(pid_t pid, long long timeout_s, int *status)
{
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int64_t until_ms = clock_monotonic_ms() + timeout_s * 1000, left_ms;

	while ((left_ms = until_ms - clock_monotonic_ms()) > 0 && poll(&end, 1, (int)left_ms) < 0)
		;
	close(end.fd);
	return waitpid(pid, status, WNOHANG) != 0;
}

int check_app(const struct config *cfg, const struct app *app, const char *start_folder,
	      long long timeout_s, struct error *e)
{
	int status = 0;

	/* Who started this may ignore it, and the child would be reaped unseen. */
	signal(SIGCHLD, SIG_DFL);
	pid_t pid = fork();
	if (pid == 0)
		import_and_end(cfg, app, start_folder);
	if (pid < 0)
		return uwsgi_error_set(e, "cannot fork: %s", strerror(errno));
	if (!wait_for(pid, timeout_s, &status)) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return uwsgi_error_set(e, "the application is not imported after %lld s",
				       timeout_s);
	}
	return status == 0 ? 0 : uwsgi_error_set(e, "the application cannot be imported");
}
