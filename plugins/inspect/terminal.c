/* SPDX-License-Identifier: MIT */
/* terminal.c: `uwsgi --status` and --top: what the page shows, as text.  It runs in a process that is no
 * server. */
#include "inspect.h"

#include "summary.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

static int fail(const char *command, const struct error *e)
{
	fprintf(stderr, "%s: %s\n", command, e->text);
	return EXIT_FAILURE;
}

static int show_json(const struct status *status)
{
	json_t *all = snapshot_new(status, true);
	int failed = json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(16));

	json_decref(all);
	putchar('\n');
	return failed || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int show_once(const struct show *show)
{
	struct error e;
	const struct status *status = show->look(show->data, &e);

	if (!status)
		return fail("--status", &e);
	if (show->form == SHOW_JSON)
		return show_json(status);
	struct summary summary = { .to = stdout, .columns = 1000, .lines = 1000 };

	summary_write(&summary, status);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- again and again ---- */

static void measure(struct summary *s)
{
	struct winsize size;

	s->columns = 80;
	s->lines = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
		s->columns = size.ws_col;
		s->lines = size.ws_row;
	}
}

/* Line by line over what stands there, so that nothing flickers. */
static void draw(struct summary *s, const struct status *status)
{
	char *text = NULL;
	size_t n;

	measure(s);
	const int lines = s->lines;

	s->to = open_memstream(&text, &n);
	if (!s->to)
		return;
	summary_write(s, status);
	fclose(s->to);
	fputs("\033[H", stdout);
	char *line = text;

	for (int i = 0; i < lines && line && *line; i++) {
		size_t length = strcspn(line, "\n");

		printf("%s%.*s\033[K", i ? "\n" : "", (int)length, line);
		line += length + (line[length] == '\n');
	}
	fputs("\033[J", stdout);
	fflush(stdout);
	free(text);
}

/* Until a second is over, the window has another size, or a key was pressed.  False: the end. */
static bool wait_a_second(int signals)
{
	struct pollfd what[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				 { .fd = signals, .events = POLLIN } };
	struct signalfd_siginfo info;
	char key = '\0';

	if (poll(what, 2, 1000) < 0)
		return errno == EINTR;
	if (what[1].revents && read(signals, &info, sizeof info) == sizeof info)
		return info.ssi_signo == SIGWINCH;
	if (!what[0].revents)
		return true;
	return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q' && key != 4;
}

static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int show_top(const struct show *show)
{
	struct termios before, keys;
	struct summary summary = { .rates = true };
	struct error e = { "this is no terminal; --status PIDFILE says it once" };
	const struct status *status = NULL;
	int signals = watch_signals();

	if (tcgetattr(STDIN_FILENO, &before) || !isatty(STDOUT_FILENO) || signals < 0)
		return fail("--top", &e);
	keys = before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &keys);
	fputs("\033[?1049h\033[?25l", stdout); /* a screen of its own, and no cursor */
	do {
		status = show->look(show->data, &e);
		if (status)
			draw(&summary, status);
	} while (status && wait_a_second(signals));
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	close(signals);
	return status ? EXIT_SUCCESS : fail("--top", &e);
}

int terminal_show(const struct show *show)
{
	return show->form == SHOW_TOP ? show_top(show) : show_once(show);
}
