/* SPDX-License-Identifier: MIT */
/* alarms.c: raising an alarm only notes its text; alarms_step() does what the alarm is for, so that an
 * alarm may be raised wherever a line is logged.  Each is at work at most once within alarm-freq, and
 * runs one command at a time: what is raised meanwhile is collected, a line each. */
#include "process/alarms.h"

#include "base/raise.h"
#include "base/clock.h"
#include "base/slice.h"
#include "log/logging.h"
#include "process/cause.h"
#include "process/minder.h"
#include "wire/backlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LOOK_MS = 1000, HEARD_A_TURN = 64 };

struct alarm_rule {
	char *value; /* owned: of the option; names points into it */
	struct slice names;
	struct pattern *pattern;
	bool never;   /* not-log-alarm */
	bool gave_up; /* a line cost the pattern too much, and the log has said so */
};

struct alarm_watch {
	struct watch watch;
	struct alarms *all;
	char *value; /* owned: of the option; what points into it */
	struct alarm_fd what;
};

/* A line that raises no alarm, whatever the rules say. */
static void say(struct alarms *all, enum severity, const char *fmt, ...) UWSGI_PRINTF(3, 4);
static void say(struct alarms *all, enum severity severity, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	all->speaking = true;
	uwsgi_log(severity, "%s", text);
	all->speaking = false;
	free(text);
}

/* ---- raising ---- */

static struct alarm *find(struct alarms *all, struct slice name)
{
	struct alarm *a;

	TAILQ_FOREACH(a, &all->list, link)
		if (a->named && uwsgi_same(a->what.name, name))
			return a;
	return NULL;
}

/* As whole lines; no text says nothing more. */
static bool has(const struct text *t, struct slice lines)
{
	const char *end = t->p + t->n, *at = t->p;

	if (lines.n == 0)
		return true;
	while (t->n && (at = memmem(at, (size_t)(end - at), lines.p, lines.n))) {
		const char *behind = at + lines.n;

		if ((at == t->p || at[-1] == '\n') && (behind == end || *behind == '\n'))
			return true;
		at++;
	}
	return false;
}

static void raise_alarm(struct alarms *all, struct alarm *a, struct slice text)
{
	size_t most = (size_t)all->settings.msg_size;

	if (text.n > most)
		text.n = most;
	if ((a->raised && has(&a->waiting, text)) ||
	    (clock_monotonic_ms() < a->not_before_ms && has(&a->told, text)))
		return;
	if (a->raised && a->waiting.n + 1 + text.n > most) {
		a->left_out++;
		return;
	}
	if (a->raised)
		text_add(&a->waiting, SLICE("\n"));
	text_add(&a->waiting, text);
	a->raised = true;
	all->wake(all->data);
}

static void raise_all(struct alarms *all, const char *list, struct slice text)
{
	struct slice names = slice_of(list ? list : ""), name;
	struct alarm *a;

	while (alarm_next_name(&names, &name))
		if ((a = find(all, name)))
			raise_alarm(all, a, text);
}

/* ---- what raises them ---- */

static bool matches(struct alarms *all, struct alarm_rule *r, struct slice line)
{
	int matches = uwsgi_pattern_matches(r->pattern, line);

	if (matches < 0 && !r->gave_up) {
		r->gave_up = true;
		say(all, UWSGI_WARNING,
		    "log-alarm = %s: a line takes too many steps; such lines count as not matching",
		    r->value);
	}
	return matches > 0;
}

static bool names_it(struct slice names, struct slice wanted)
{
	struct slice name;

	while (alarm_next_name(&names, &name))
		if (uwsgi_same(name, wanted))
			return true;
	return false;
}

static bool is_spared(struct alarms *all, struct slice name, struct slice line)
{
	for (size_t i = 0; i < all->rule_count; i++) {
		struct alarm_rule *r = &all->rules[i];

		if (r->never && names_it(r->names, name) && matches(all, r, line))
			return true;
	}
	return false;
}

void alarms_see(void *alarms, struct slice line)
{
	struct alarms *all = alarms;

	if (all->speaking)
		return;
	if (line.n && line.p[line.n - 1] == '\n')
		line.n--;
	for (size_t i = 0; i < all->rule_count; i++) {
		struct slice names = all->rules[i].names, name;
		struct alarm *a;

		if (all->rules[i].never || !matches(all, &all->rules[i], line))
			continue;
		while (alarm_next_name(&names, &name))
			if ((a = find(all, name)) && !is_spared(all, name, line))
				raise_alarm(all, a, line);
	}
}

void alarms_crashed(struct alarms *all, const char *name, const siginfo_t *info)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	char end[128], text[256];

	if (!all->segfault || info->si_code == CLD_EXITED)
		return;
	cause_of_end(info, end, sizeof end);
	snprintf(text, sizeof text, "%s (pid %ld) crashed: %s", name, (long)info->si_pid, end);
	for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
		if (info->si_status == crashes[i])
			raise_all(all, all->segfault, slice_of(text));
}

/* What a process of the server has raised by uwsgi_alarm(); the application may say anything there. */
static void on_heard(struct watch *w)
{
	struct alarms *all = w->data;
	char message[UWSGI_ALARM_MAX + 256], shown[64];
	struct slice name, text;

	for (int i = 0; i < HEARD_A_TURN; i++) {
		if (!raise_receive(w->io.fd, message, sizeof message, &name, &text))
			return;
		struct alarm *a = find(all, name);

		if (a) {
			raise_alarm(all, a, text);
			continue;
		}
		uwsgi_escape(shown, sizeof shown, name);
		seldom_log(&all->unknown, UWSGI_WARNING, "there is no alarm %s to be raised",
			   shown);
	}
}

static void on_readable(struct watch *w)
{
	struct alarm_watch *f = w->data;
	char bytes[4096];
	ssize_t n = read(w->io.fd, bytes, f->what.bytes);
	struct alarm *a = find(f->all, f->what.name);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		say(f->all, UWSGI_WARNING, "alarm-fd: descriptor %d %s; it raises nothing more",
		    f->what.fd, n < 0 ? strerror(errno) : "has come to its end");
		watch_stop(w, f->all->loop);
		return;
	}
	if (a)
		raise_alarm(f->all, a, slice_of(f->what.text));
}

static void look_at_queues(struct alarms *all, const struct listeners *sockets)
{
	unsigned long long overflows = 0;
	char text[256];

	for (size_t i = 0; sockets && i < sockets->count; i++) {
		const struct listener *l = &sockets->items[i];
		long long waiting, most;

		if (l->service || l->internal || l->fd < 0)
			continue;
		overflows += backlog_overflows(l->fd);
		backlog_of(l, &waiting, &most);
		if (most < 0 || waiting < most)
			continue;
		snprintf(text, sizeof text,
			 "the queue of %s%s%s is full: %lld connections wait, and %lld may",
			 l->text.address, *l->text.port ? ":" : "", l->text.port, waiting, most);
		raise_all(all, all->backlog, slice_of(text));
	}
	if (overflows > all->overflows) {
		snprintf(text, sizeof text, "full queues turned %llu connections away",
			 overflows - all->overflows);
		raise_all(all, all->backlog, slice_of(text));
	}
	all->overflows = overflows;
}

/* ---- what they do ---- */

/* It ends with a newline, as read of the shell wants it. */
static int text_file(struct slice text)
{
	int fd = memfd_create("alarm", MFD_CLOEXEC);

	if (fd < 0 || (write(fd, text.p, text.n) == (ssize_t)text.n && write(fd, "\n", 1) == 1 &&
		       lseek(fd, 0, SEEK_SET) == 0))
		return fd;
	close(fd);
	return -1;
}

static void run_command(struct alarms *all, struct alarm *a, struct slice text, int64_t now_ms)
{
	int input = text_file(text), why;
	char name[64];

	snprintf(name, sizeof name, "alarm %.*s", (int)a->what.name.n, a->what.name.p);
	pid_t pid = input < 0 ? -1 : all->fork(all->data, a->what.argument, name, input);

	why = errno;
	if (input >= 0)
		close(input);
	if (pid < 0) {
		say(all, UWSGI_ERROR, "%s: the command is not run (%s): %.*s", name, strerror(why),
		    (int)text.n, text.p);
		return;
	}
	a->pid = pid;
	a->kill_at_ms = now_ms + all->settings.timeout_s * 1000;
}

static void send_text(struct alarms *all, const struct alarm *a, struct slice text)
{
	int *fd = &all->udp[a->to.sa.ss_family == AF_INET6];

	if (*fd < 0)
		*fd = socket(a->to.sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0 || sendto(*fd, text.p, text.n, MSG_NOSIGNAL, (const struct sockaddr *)&a->to.sa,
			      a->to.length) < 0)
		say(all, UWSGI_ERROR, "alarm %.*s: nothing is sent to %s: %s", (int)a->what.name.n,
		    a->what.name.p, a->what.argument, strerror(errno));
}

static void tell(struct alarms *all, struct alarm *a, int64_t now_ms)
{
	struct text before = a->told;

	if (a->left_out)
		text_addf(&a->waiting, "\n(and %u more)", a->left_out);
	a->told = a->waiting;
	before.n = 0;
	before.failed = false;
	a->waiting = before;
	a->raised = false;
	a->left_out = 0;
	a->not_before_ms = now_ms + all->settings.freq_s * 1000;
	const struct slice text = { a->told.p, a->told.n };

	switch (a->what.kind) {
	case ALARM_COMMAND:
		run_command(all, a, text, now_ms);
		break;
	case ALARM_SIGNAL:
		say(all, UWSGI_WARNING, "alarm %.*s sends %s: %.*s", (int)a->what.name.n,
		    a->what.name.p, a->what.argument, (int)text.n, text.p);
		kill(getpid(), a->what.signal);
		break;
	case ALARM_UDP:
		send_text(all, a, text);
		break;
	case ALARM_LOG:
		say(all, UWSGI_WARNING, "ALARM %.*s: %s%s%.*s", (int)a->what.name.n, a->what.name.p,
		    a->what.argument, *a->what.argument ? " " : "", (int)text.n, text.p);
		break;
	}
}

/* ---- the configuration ---- */

static char *keep(const char *value)
{
	char *kept = strdup(value);

	if (!kept)
		uwsgi_log(UWSGI_ERROR, "out of memory: an alarm is not set up as configured");
	return kept;
}

static void forget(struct alarms *all, struct alarm *a)
{
	TAILQ_REMOVE(&all->list, a, link);
	free(a->waiting.p);
	free(a->told.p);
	free(a->value);
	free(a);
}

static void forget_rules(struct alarms *all)
{
	for (size_t i = 0; i < all->rule_count; i++) {
		uwsgi_pattern_free(all->rules[i].pattern);
		free(all->rules[i].value);
	}
	for (size_t i = 0; i < all->fd_count; i++) {
		watch_stop(&all->fds[i].watch, all->loop);
		free(all->fds[i].value);
	}
	free(all->rules);
	free(all->fds);
	free(all->segfault);
	free(all->backlog);
	all->rules = NULL;
	all->fds = NULL;
	all->segfault = all->backlog = NULL;
	all->rule_count = all->fd_count = 0;
}

static void use_alarm(struct alarms *all, const char *value)
{
	struct alarm_what what;
	struct error e;
	char *kept = keep(value);

	if (!kept || alarm_read(&what, kept, &e) || find(all, what.name)) {
		free(kept);
		return;
	}
	struct alarm *a = NULL, *other;

	TAILQ_FOREACH(other, &all->list, link)
		if (uwsgi_same(other->what.name, what.name))
			a = other;
	if (!a && (a = calloc(1, sizeof *a)))
		TAILQ_INSERT_TAIL(&all->list, a, link);
	if (!a) {
		free(kept);
		return;
	}
	free(a->value);
	a->value = kept;
	a->what = what;
	a->named = true;
	if (what.kind == ALARM_UDP && address_parse(&a->to, what.argument, &e))
		say(all, UWSGI_ERROR, "alarm %.*s: %s", (int)what.name.n, what.name.p, e.text);
}

static void use_rules(struct alarms *all, const struct option_list *list, bool never)
{
	struct error e;

	for (size_t i = 0; i < list->count; i++) {
		struct alarm_rule *r = &all->rules[all->rule_count];
		const char *expression;

		*r = (struct alarm_rule){ .value = keep(list->items[i]), .never = never };
		if (r->value && alarm_read_rule(r->value, &r->names, &expression, &e) == 0 &&
		    (r->pattern = uwsgi_pattern_new(expression, &e)))
			all->rule_count++;
		else
			free(r->value);
	}
}

/* All that the server opens itself is closed by exec; what it was started with is not. */
static bool is_inherited(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && !(flags & FD_CLOEXEC);
}

static void use_fd(struct alarms *all, const char *value)
{
	struct alarm_watch *f = &all->fds[all->fd_count];
	struct error e;

	*f = (struct alarm_watch){ .all = all, .value = keep(value) };
	if (!f->value || alarm_read_fd(&f->what, f->value, &e) || !is_inherited(f->what.fd)) {
		if (f->value)
			say(all, UWSGI_ERROR,
			    "alarm-fd = %s: the server was not started with this descriptor",
			    value);
		free(f->value);
		return;
	}
	fcntl(f->what.fd, F_SETFL, fcntl(f->what.fd, F_GETFL) | O_NONBLOCK);
	watch_init(&f->watch, f->what.fd, EV_READ, on_readable, f);
	watch_start(&f->watch, all->loop);
	all->fd_count++;
}

static char *join(const struct option_list *list)
{
	struct text names = { 0 };

	for (size_t i = 0; i < list->count; i++)
		text_addf(&names, "%s,", list->items[i]);
	if (names.n)
		text_add(&names, (struct slice){ "", 1 });
	return names.p;
}

static void use_triggers(struct alarms *all, const struct config *cfg)
{
	const struct alarm_settings *s = uwsgi_options(cfg, &alarm_options);
	const struct logging_settings *log = uwsgi_options(cfg, &logging_options);

	all->rules = calloc(log->alarms.count + log->not_alarms.count + 1, sizeof *all->rules);
	all->fds = calloc(s->fds.count + 1, sizeof *all->fds);
	if (all->rules) {
		use_rules(all, &log->alarms, false);
		use_rules(all, &log->not_alarms, true);
	}
	for (size_t i = 0; all->fds && i < s->fds.count; i++)
		use_fd(all, s->fds.items[i]);
	all->segfault = join(&s->segfault);
	all->backlog = join(&s->backlog);
}

void alarms_use(struct alarms *all, const struct config *cfg)
{
	const struct alarm_settings *s = uwsgi_options(cfg, &alarm_options);
	struct alarm *a, *next;

	if (cfg == all->used)
		return;
	all->used = cfg;
	all->settings = *s;
	alarms_expect(all, cfg);
	forget_rules(all);
	TAILQ_FOREACH(a, &all->list, link)
		a->named = false;
	for (size_t i = 0; i < s->alarms.count; i++)
		use_alarm(all, s->alarms.items[i]);
	for (a = TAILQ_FIRST(&all->list); a; a = next) {
		next = TAILQ_NEXT(a, link);
		if (!a->named && !a->pid)
			forget(all, a);
	}
	use_triggers(all, cfg);
}

bool alarms_want_lines(const struct alarms *all)
{
	return all->rule_count > 0;
}

void alarms_hurry(struct alarms *all)
{
	all->hurried = true;
	all->wake(all->data);
}

/* ---- life ---- */

void alarms_init(struct alarms *all)
{
	TAILQ_INIT(&all->list);
	all->ends[0] = all->ends[1] = all->udp[0] = all->udp[1] = -1;
}

static void hear(struct alarms *all)
{
	raise_set_socket(all->ends[1]);
	watch_init(&all->heard, all->ends[0], EV_READ, on_heard, all);
	watch_start(&all->heard, all->loop);
}

void alarms_expect(struct alarms *all, const struct config *cfg)
{
	const struct alarm_settings *s = uwsgi_options(cfg, &alarm_options);

	if (!s->alarms.count || all->ends[0] >= 0)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, all->ends)) {
		all->ends[0] = all->ends[1] = -1;
		say(all, UWSGI_ERROR, "no process but the master can raise an alarm: %s",
		    strerror(errno));
		return;
	}
	hear(all);
}

int64_t alarms_step(struct alarms *all, const struct listeners *sockets, int64_t now_ms)
{
	int64_t due_ms = 0;
	struct alarm *a;

	if (all->backlog && now_ms >= all->look_at_ms) {
		all->look_at_ms = now_ms + LOOK_MS;
		look_at_queues(all, sockets);
	}
	if (all->backlog)
		due_ms = all->look_at_ms;
	TAILQ_FOREACH(a, &all->list, link) {
		if (a->pid && a->kill_at_ms && now_ms >= a->kill_at_ms) {
			say(all, UWSGI_WARNING,
			    "alarm %.*s: its command (pid %ld) is killed: it "
			    "took more than alarm-timeout",
			    (int)a->what.name.n, a->what.name.p, (long)a->pid);
			minder_kill(a->pid);
			a->kill_at_ms = 0;
		}
		if (a->raised && !a->pid && (all->hurried || now_ms >= a->not_before_ms))
			tell(all, a, now_ms);
		if (a->pid)
			clock_keep_earlier(&due_ms, a->kill_at_ms);
		else if (a->raised)
			clock_keep_earlier(&due_ms, a->not_before_ms);
	}
	return due_ms;
}

bool alarms_ended(struct alarms *all, const siginfo_t *info)
{
	char end[128];
	struct alarm *a;

	TAILQ_FOREACH(a, &all->list, link) {
		if (a->pid != info->si_pid)
			continue;
		cause_of_end(info, end, sizeof end);
		if (info->si_code != CLD_EXITED || info->si_status != 0)
			say(all, UWSGI_WARNING, "alarm %.*s: its command (pid %ld) ended: %s",
			    (int)a->what.name.n, a->what.name.p, (long)a->pid, end);
		a->pid = 0;
		if (!a->named)
			forget(all, a);
		return true;
	}
	return false;
}

static void carry_one(struct alarms *all, struct alarm *a, struct carry *c)
{
	char name[256] = "";

	if (a)
		snprintf(name, sizeof name, "%.*s", (int)a->what.name.n, a->what.name.p);
	carry_text(c, name, sizeof name);
	if (c->reading)
		a = find(all, slice_of(name));
	if (!a) {
		carry_fail(c, "there is no alarm %s", name);
		return;
	}
	carry_int(c, &a->pid, 0, INT32_MAX);
	carry_ms(c, &a->kill_at_ms);
	carry_ms(c, &a->not_before_ms);
	carry_bool(c, &a->raised);
	a->left_out = (unsigned)carry_count(c, a->left_out, UINT32_MAX);
	text_carry(&a->waiting, 0, c);
	text_carry(&a->told, 0, c);
}

/* Of one that is not in the configuration any more, only a command still runs. */
void alarms_carry(struct alarms *all, const struct config *cfg, struct carry *c)
{
	uint64_t overflows = all->overflows;
	size_t count = 0;
	struct alarm *a;

	carry_fd(c, &all->ends[0]);
	carry_fd(c, &all->ends[1]);
	carry_u64(c, &overflows);
	all->overflows = overflows;
	if (c->reading && all->ends[0] >= 0)
		hear(all);
	if (c->reading)
		alarms_use(all, cfg);
	TAILQ_FOREACH(a, &all->list, link)
		count += a->named;
	count = carry_count(c, count, 65536);
	for (size_t i = 0; c->reading && i < count && !c->failed; i++)
		carry_one(all, NULL, c);
	TAILQ_FOREACH(a, &all->list, link)
		if (!c->reading && a->named)
			carry_one(all, a, c);
}

void alarms_enter_child(struct alarms *all)
{
	if (all->ends[0] >= 0)
		close(all->ends[0]);
	for (size_t i = 0; i < 2; i++)
		if (all->udp[i] >= 0)
			close(all->udp[i]);
}

void alarms_fini(struct alarms *all)
{
	struct alarm *a;

	raise_set_socket(-1);
	forget_rules(all);
	while ((a = TAILQ_FIRST(&all->list))) {
		if (a->raised)
			say(all, UWSGI_WARNING,
			    "alarm %.*s is not raised, as the server ends: %.*s",
			    (int)a->what.name.n, a->what.name.p, (int)a->waiting.n, a->waiting.p);
		forget(all, a);
	}
	for (size_t i = 0; i < 2; i++) {
		if (all->ends[i] >= 0)
			close(all->ends[i]);
		if (all->udp[i] >= 0)
			close(all->udp[i]);
	}
}
