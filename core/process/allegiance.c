/* SPDX-License-Identifier: MIT */
/* allegiance.c: reads what vassals say, and sends what this server, as a vassal, has to say.  It
 * never waits: what the emperor does not read in time is dropped. */
#include "process/allegiance.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the emperor's side ---- */

int allegiance_read(struct allegiance_reader *r, unsigned char byte)
{
	int word = r->word;

	if (byte == ';' && word) {
		r->text[r->n] = '\0';
		r->word = 0;
		return word;
	}
	if (!isprint(byte)) {
		r->word = 0;
		return byte;
	}
	if (!word) {
		r->word = byte;
		r->n = 0;
	} else if (r->n < sizeof r->text - 1) {
		r->text[r->n++] = (char)byte;
	}
	return -1;
}

/* ---- the vassal's side ---- */

void allegiance_find(struct allegiance *a)
{
	const char *number = getenv(ALLEGIANCE_VARIABLE);
	struct stat st;

	*a = (struct allegiance){ .fd = number ? atoi(number) : -1 };
	unsetenv(ALLEGIANCE_VARIABLE);
	if (a->fd <= STDERR_FILENO || fstat(a->fd, &st) || !S_ISSOCK(st.st_mode)) {
		a->fd = -1;
		return;
	}
	/* From now on the end of the socket says that the emperor is gone. */
	prctl(PR_SET_PDEATHSIG, 0);
	fcntl(a->fd, F_SETFD, FD_CLOEXEC);
	fcntl(a->fd, F_SETFL, O_NONBLOCK);
}

static void say(const struct allegiance *a, const char *bytes, size_t n)
{
	if (a->fd >= 0)
		(void)send(a->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void say_word(const struct allegiance *a, enum allegiance_word word)
{
	const char byte = (char)word;

	say(a, &byte, 1);
}

/* As the protocol is, it holds nothing but printable bytes, and no semicolon. */
static void say_text(const struct allegiance *a, enum allegiance_word word, const char *text)
{
	char line[128];
	int n = snprintf(line, sizeof line - 1, "%c%s", word, text);

	if (n < 0)
		return;
	n = n < (int)sizeof line - 2 ? n : (int)sizeof line - 2;
	for (int i = 1; i < n; i++)
		if (!isprint((unsigned char)line[i]) || line[i] == ';')
			line[i] = ',';
	line[n] = ';';
	say(a, line, (size_t)n + 1);
}

static void on_ready(struct watch *w)
{
	struct allegiance *a = w->data;
	unsigned char byte;
	ssize_t n = 0;

	while (a->fd >= 0 && (n = recv(a->fd, &byte, 1, 0)) > 0)
		a->heard(a->data, byte);
	if (a->fd < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	allegiance_close(a);
	a->heard(a->data, -1);
}

static void on_beat(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	say_word(w->data, ALLEGIANCE_HEARTBEAT);
}

void allegiance_begin(struct allegiance *a, struct ev_loop *loop)
{
	a->loop = loop;
	ev_timer_init(&a->beat, on_beat, 0., 0.);
	a->beat.data = a;
	watch_begin(&a->watch, loop, a->fd, on_ready, a);
}

/* The first one comes at once: from then on the emperor counts. */
void allegiance_beat(struct allegiance *a, long long seconds)
{
	ev_timer_stop(a->loop, &a->beat);
	if (a->fd < 0 || seconds == 0)
		return;
	ev_timer_set(&a->beat, 0., (double)seconds);
	ev_timer_start(a->loop, &a->beat);
}

/* uWSGI's emperor calls a vassal cursed that ends before it was loyal. */
void allegiance_serve(const struct allegiance *a, const char *inspect)
{
	say_text(a, ALLEGIANCE_INSPECT, inspect ? inspect : "");
	say_word(a, ALLEGIANCE_READY);
	say_word(a, ALLEGIANCE_LOYAL);
}

void allegiance_fail(const struct allegiance *a, const char *why)
{
	say_text(a, ALLEGIANCE_FAILED, why);
}

void allegiance_close(struct allegiance *a)
{
	if (a->fd < 0)
		return;
	if (a->loop) {
		watch_stop(&a->watch, a->loop);
		ev_timer_stop(a->loop, &a->beat);
	}
	close(a->fd);
	a->fd = -1;
}
